#include "input_lines.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <wengert/autograd/tensor/error.hpp>

namespace wengert::program {

bool InputLines::next(std::string& line) {
    while (!has_line() && !has_ended_) read();
    if (!has_line()) {  // the last line may have no end
        line = buffer_.substr(begin_);
        begin_ = searched_ = buffer_.size();
        if (line.empty()) return false;
    } else {
        line = buffer_.substr(begin_, searched_ - begin_);
        begin_ = ++searched_;
    }
    if (line.ends_with('\r')) line.pop_back();
    return true;
}

bool InputLines::is_ready() {
    while (!has_line() && !has_ended_) {
        pollfd input{STDIN_FILENO, POLLIN, 0};
        if (::poll(&input, 1, 0) <= 0) return false;
        read();
    }
    return true;
}

/// Whether a line ends in the buffer, at searched_ if so.
bool InputLines::has_line() {
    const std::size_t end = buffer_.find('\n', searched_);
    searched_ = std::min(end, buffer_.size());
    return end != buffer_.npos;
}

void InputLines::read() {
    buffer_.erase(0, begin_);
    searched_ -= begin_;
    begin_ = 0;
    std::array<char, 65536> part;
    ssize_t count = 0;
    do count = ::read(STDIN_FILENO, part.data(), part.size());
    while (count < 0 && errno == EINTR);
    if (count < 0) throw FileError("standard input cannot be read: " + std::generic_category().message(errno));
    has_ended_ = count == 0;
    buffer_.append(part.data(), static_cast<std::size_t>(count));
}

}  // namespace wengert::program
