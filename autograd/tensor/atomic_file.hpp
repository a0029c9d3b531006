#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <wengert/autograd/tensor/export.hpp>

namespace WENGERT_EXPORT wengert {

/// A file that appears whole or not at all. What is written goes to a temporary file in the same directory, and
/// commit() puts it in the place of `path` once it is safely on the disk: whoever reads `path` sees the old content or
/// the new, even after a crash. Without commit() the temporary file goes and `path` stays as it was.
///
/// A symbolic link is followed. Everything throws FileError with the path and the system's reason, and so does a path
/// to what is no regular file.
class AtomicFile {
  public:
    /// Opens a temporary file beside `path`.
    explicit AtomicFile(std::filesystem::path path);
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    /// Appends bytes.
    void write(std::span<const std::byte> bytes);
    /// Ends the writing.
    void commit();

  private:
    [[noreturn]] void fail() const;

    std::filesystem::path path_, temporary_;
    int descriptor_ = -1;
};

/// Waits until a file's content, or a directory's list of names, is on the disk. Returns at once where the file system
/// cannot be asked to. Throws FileError with the path and the system's reason.
void sync_to_disk(const std::filesystem::path& path);

}  // namespace wengert
