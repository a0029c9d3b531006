#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>
#include <wengert/autograd/tensor/atomic_file.hpp>
#include <wengert/autograd/tensor/error.hpp>

namespace wengert {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& path) {
    throw FileError(fmt::format("{}: cannot be written: {}", path.string(), std::generic_category().message(errno)));
}

/// Whether a descriptor's content is on the disk. A signal does not end the waiting.
bool is_synced(int descriptor) {
    int result;
    do result = ::fsync(descriptor);
    while (result != 0 && errno == EINTR);
    return result == 0;
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
    std::error_code error;
    if (std::filesystem::is_symlink(path_, error)) path_ = std::filesystem::weakly_canonical(path_);
    if (std::filesystem::exists(path_, error) && !std::filesystem::is_regular_file(path_, error))
        throw FileError(fmt::format("{}: cannot be replaced: it is no regular file", path_.string()));
    // A crash may have left a file of the same name, and another thread may be writing to the same path.
    for (int attempt = 0; descriptor_ < 0; ++attempt) {
        temporary_ = fmt::format("{}.{}-{}.tmp", path_.string(), ::getpid(), attempt);
        descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor_ < 0 && errno != EEXIST) fail();
    }
}

AtomicFile::~AtomicFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::fail() const { refuse(path_); }

void AtomicFile::write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR) fail();
        if (written > 0) bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
}

void AtomicFile::commit() {
    if (!is_synced(descriptor_)) fail();
    if (::close(std::exchange(descriptor_, -1)) != 0) fail();
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail();
    temporary_.clear();

    // The new name survives a power cut once the directory is on the disk too.
    sync_to_disk(path_.has_parent_path() ? path_.parent_path() : ".");
}

void sync_to_disk(const std::filesystem::path& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool is_done = descriptor >= 0 && is_synced(descriptor);
    const int reason = errno;
    if (descriptor >= 0) ::close(descriptor);
    errno = reason;
    // EINVAL is how a file system says that it cannot be asked to.
    if (!is_done && reason != EINVAL) refuse(path);
}

}  // namespace wengert
