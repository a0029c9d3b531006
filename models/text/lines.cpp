#include <fmt/format.h>

#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/text/lines.hpp>

namespace wengert {

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

[[noreturn]] void throw_system_error(const std::filesystem::path& path, std::string_view what) {
    throw FileError(fmt::format("{}: {}: {}", path.string(), what, std::generic_category().message(errno)));
}

}  // namespace

LineReader::LineReader(std::filesystem::path path) : path_(std::move(path)) {
    errno = 0;
    stream_.open(path_, std::ios::binary);
    if (!stream_) throw_system_error(path_, "cannot be opened");
}

bool LineReader::next(std::string& line) {
    errno = 0;
    if (!std::getline(stream_, line)) {
        if (stream_.bad()) throw_system_error(path_, "cannot be read");
        return false;
    }
    if (number_++ == 0 && line.starts_with(byte_order_mark)) line.erase(0, byte_order_mark.size());
    if (line.ends_with('\r')) line.pop_back();
    return true;
}

std::string LineReader::where() const { return fmt::format("{}:{}", path_.string(), number_); }

}  // namespace wengert
