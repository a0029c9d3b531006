// Mirrors no file: it is a shared library for LD_PRELOAD. What a program does to the files below a directory is noted
// in a journal, and one such call, chosen by its number, goes wrong. file_faults.py says what the program must make of
// it.
//
//     WENGERT_FAULTS_BELOW    the directory, absolute
//     WENGERT_FAULTS_JOURNAL  the journal: a line "CALL DESCRIPTOR LENGTH PATH" a call, for `write` followed by the
//                             bytes; two paths are parted by a tab
//     WENGERT_FAULTS_AT       the number of the call that goes wrong, counted from 1; absent: none does
//     WENGERT_FAULTS_AS       how: the number of an errno, or "short" (a write takes half of its bytes)

// With it open64() would be what open() is called.
#undef _FILE_OFFSET_BITS

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>

namespace {

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

class Faults {
  public:
    /// Notes a call. Whether it is the one that goes wrong.
    bool at(const char* call, int descriptor, const std::string& paths, const void* bytes = nullptr,
            std::size_t n = 0) {
        const std::lock_guard guard(mutex_);
        std::string line =
            std::string(call) + ' ' + std::to_string(descriptor) + ' ' + std::to_string(n) + ' ' + paths + '\n';
        if (bytes != nullptr) line.append(static_cast<const char*>(bytes), n);
        // The call itself, since write() is one of those that are noted.
        if (journal_ >= 0) (void)!::syscall(SYS_write, journal_, line.data(), line.size());
        return ++count_ == at_;
    }
    bool knows(const std::string& path) const { return !below_.empty() && path.starts_with(below_); }
    bool cuts_writes() const { return as_ == "short"; }
    int error() const { return std::atoi(as_.c_str()); }

    std::array<std::string, 1024> open = {};  // the path of each descriptor; empty if it is none of these

  private:
    const std::string below_ = environment("WENGERT_FAULTS_BELOW"), as_ = environment("WENGERT_FAULTS_AS");
    const long at_ = std::atol(environment("WENGERT_FAULTS_AT").c_str());
    const long journal_ = [name = environment("WENGERT_FAULTS_JOURNAL")] {
        return name.empty()
                   ? -1L
                   : ::syscall(SYS_openat, AT_FDCWD, name.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    }();
    std::mutex mutex_;
    long count_ = 0;
};

// Files are opened while other libraries begin, and closed after this one has ended: it is never destroyed.
Faults& faults() {
    static Faults& all = *new Faults;
    return all;
}

template <class F>
F* next(F*, const char* name) {
    return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}

std::string absolute(const char* path) {
    if (path[0] == '/') return path;
    std::array<char, 4096> directory{};
    return ::getcwd(directory.data(), directory.size()) == nullptr ? path : std::string(directory.data()) + '/' + path;
}

std::string absolute(int directory, const char* path) {
    if (path[0] == '/' || directory == AT_FDCWD) return absolute(path);
    const std::string link = "/proc/self/fd/" + std::to_string(directory);
    std::array<char, 4096> target{};
    const ssize_t length = ::readlink(link.c_str(), target.data(), target.size());
    return std::string(target.data(), length < 0 ? 0 : static_cast<std::size_t>(length)) + '/' + path;
}

bool fails(const char* call, const std::string& paths, int descriptor = -1) {
    if (!faults().knows(paths) || !faults().at(call, descriptor, paths) || faults().cuts_writes()) return false;
    errno = faults().error();
    return true;
}

std::string path_of(int descriptor) {
    return descriptor >= 0 && static_cast<std::size_t>(descriptor) < faults().open.size()
               ? faults().open[static_cast<std::size_t>(descriptor)]
               : "";
}

void remember(int descriptor, const std::string& path) {
    if (descriptor >= 0 && static_cast<std::size_t>(descriptor) < faults().open.size() && faults().knows(path))
        faults().open[static_cast<std::size_t>(descriptor)] = path;
}

/// Opening to read is no change; a directory is opened to be synced.
template <class Open>
int open_as(const std::string& path, int flags, Open&& open) {
    const bool writes = (flags & O_ACCMODE) != O_RDONLY;
    const bool truncates = writes && (flags & O_TRUNC) != 0;
    if (writes && fails(truncates ? "truncate" : (flags & O_APPEND) != 0 ? "append" : "create", path)) return -1;
    const int descriptor = open();
    remember(descriptor, path);
    return descriptor;
}

}  // namespace

#define NEXT(name) static auto* const real = next(&::name, #name)

extern "C" int open(const char* path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    NEXT(open);
    return open_as(absolute(path), flags, [&] { return real(path, flags, mode); });
}

// The same where files may be large anyway.
extern "C" int open64(const char* path, int flags, ...) __attribute__((alias("open")));

// Streams of the C++ library are opened by it, and then written to by descriptor.
extern "C" FILE* fopen64(const char* path, const char* mode) {
    NEXT(fopen64);
    const int flags = mode[0] == 'a' ? O_WRONLY | O_APPEND : mode[0] == 'w' ? O_WRONLY | O_TRUNC : O_RDONLY;
    FILE* file = nullptr;
    open_as(absolute(path), flags, [&] {
        file = real(path, mode);
        return file == nullptr ? -1 : ::fileno(file);
    });
    return file;
}

extern "C" FILE* fopen(const char* path, const char* mode) { return fopen64(path, mode); }

extern "C" int close(int descriptor) {
    NEXT(close);
    if (!path_of(descriptor).empty()) faults().open[static_cast<std::size_t>(descriptor)].clear();
    return real(descriptor);
}

extern "C" ssize_t write(int descriptor, const void* bytes, size_t n) {
    NEXT(write);
    const std::string path = path_of(descriptor);
    if (path.empty() || !faults().at("write", descriptor, path, bytes, n)) return real(descriptor, bytes, n);
    if (faults().cuts_writes()) return real(descriptor, bytes, (n + 1) / 2);
    errno = faults().error();
    return -1;
}

extern "C" ssize_t writev(int descriptor, const iovec* parts, int count) {
    NEXT(writev);
    if (path_of(descriptor).empty()) return real(descriptor, parts, count);
    std::string bytes;
    for (int i = 0; i < count; ++i) bytes.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
    return write(descriptor, bytes.data(), bytes.size());
}

extern "C" int fsync(int descriptor) {
    NEXT(fsync);
    return fails("fsync", path_of(descriptor), descriptor) ? -1 : real(descriptor);
}

extern "C" int rename(const char* from, const char* to) {
    NEXT(rename);
    return fails("rename", absolute(from) + '\t' + absolute(to)) ? -1 : real(from, to);
}

extern "C" int mkdir(const char* path, mode_t mode) {
    NEXT(mkdir);
    return fails("mkdir", absolute(path)) ? -1 : real(path, mode);
}

extern "C" int symlink(const char* target, const char* path) {
    NEXT(symlink);
    return fails("symlink", absolute(path) + '\t' + target) ? -1 : real(target, path);
}

extern "C" int unlink(const char* path) {
    NEXT(unlink);
    return fails("unlink", absolute(path)) ? -1 : real(path);
}

extern "C" int unlinkat(int directory, const char* path, int flags) {
    NEXT(unlinkat);
    return fails("unlink", absolute(directory, path)) ? -1 : real(directory, path, flags);
}

extern "C" int remove(const char* path) {
    NEXT(remove);
    return fails("unlink", absolute(path)) ? -1 : real(path);
}
