#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/nn/atomic_file.hpp>

namespace wengert {

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

void AtomicFile::fail() const {
    throw FileError(fmt::format("{}: cannot be written: {}", path_.string(), std::generic_category().message(errno)));
}

void AtomicFile::write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR) fail();
        if (written > 0) bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
}

void AtomicFile::commit() {
    if (::fsync(descriptor_) != 0) fail();
    if (::close(std::exchange(descriptor_, -1)) != 0) fail();
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail();
    temporary_.clear();

    // The new name survives a power cut once the directory is on the disk too. Not every file system can be asked for
    // that, and the file is whole either way.
    const std::filesystem::path directory = path_.has_parent_path() ? path_.parent_path() : ".";
    const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return;
    ::fsync(descriptor);
    ::close(descriptor);
}

}  // namespace wengert
