#pragma once

#include <string>

namespace wengert::program {

/// The lines of standard input, and whether another can be had without waiting for whoever writes it.
class InputLines {
  public:
    /// Puts the next line, without its LF or CR LF, into `line`; false at the end. Throws FileError with the system's
    /// reason if it cannot be read.
    bool next(std::string& line);

    /// Whether next() has what to return at once: a line, or the end.
    bool is_ready();

  private:
    bool has_line();
    void read();

    std::string buffer_;
    std::size_t begin_ = 0;     // of the line that is next
    std::size_t searched_ = 0;  // no line ends between begin_ and here
    bool has_ended_ = false;
};

}  // namespace wengert::program
