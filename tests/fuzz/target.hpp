#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string_view>

/// What fuzz targets share. A target is a source of its own with libFuzzer's function; it hands bytes that somebody
/// hostile may have written to one reader of the library, which must end with a result or with an Error.
namespace wengert::fuzz {

/// The most memory that a reader may hold at once: so many bytes for each byte of the input, and so many in any case.
struct Bound {
    std::size_t each, fixed;
    /// Whether a tensor larger than the limit may be asked for, which is an OutOfMemoryError then: where the input says
    /// the lengths of tensors, and not what is in them.
    bool may_run_out = false;
};

/// Runs a reader of an input of so many bytes. An Error is a result like another. Throws std::logic_error, with a
/// sentence, if the reader held more memory than the bound allows; what else the reader throws goes on.
void keep_promise(std::size_t input_bytes, const Bound& bound, const std::function<void()>& reader);

/// Throws std::logic_error with this sentence unless a property holds that the documentation promises.
void require(bool holds, const char* sentence);

/// The parts of an input, taken from its front. What is behind its end reads as zeros and as empty texts.
class Bytes {
  public:
    Bytes(const std::uint8_t* data, std::size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}
    explicit Bytes(std::string_view bytes) : rest_(bytes) {}

    bool empty() const { return rest_.empty(); }
    std::uint8_t byte();
    /// A number below `end`.
    std::size_t below(std::size_t end) { return byte() % end; }
    /// A length, a stride or a position: mostly a small one, now and then any of 64 bits.
    std::int64_t number();
    /// What stands before the next of these characters, or before the end; the character goes, too.
    std::string_view until(char end);
    std::string_view rest() const { return rest_; }

  private:
    std::string_view rest_;
};

/// A file without a disk. Each has these bytes until the next holds().
class MemoryFile {
  public:
    MemoryFile();
    ~MemoryFile();
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;

    const std::filesystem::path& holds(std::string_view bytes);

  private:
    int descriptor_;
    std::filesystem::path path_;
};

}  // namespace wengert::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
