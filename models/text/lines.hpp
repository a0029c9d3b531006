#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <wengert/autograd/tensor/export.hpp>

namespace WENGERT_EXPORT wengert {

/// Reads a text file line by line, whether lines end in LF or CRLF, without the byte order mark some editors write.
class LineReader {
  public:
    /// Throws FileError with the system's reason if the file cannot be opened.
    explicit LineReader(std::filesystem::path path);

    /// Puts the next line, without its ending, into `line`; false at the end of the file. Throws FileError with the
    /// system's reason if reading fails.
    bool next(std::string& line);

    /// Of the file that is read.
    const std::filesystem::path& path() const { return path_; }
    /// Number of lines read so far, which is the number of the current line, counted from 1.
    std::int64_t number() const { return number_; }
    /// "file:line" of the current line.
    std::string where() const;

  private:
    std::filesystem::path path_;
    std::ifstream stream_;
    std::int64_t number_ = 0;
};

}  // namespace wengert
