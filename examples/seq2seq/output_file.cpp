#include "output_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <wengert/autograd/tensor/error.hpp>

namespace wengert::program {

void require_writable(std::string_view flag, const std::filesystem::path& file,
                      std::initializer_list<std::string_view> endings) {
    if (file.empty()) return;
    if (std::ranges::find(endings, file.extension().string()) == endings.end())
        throw ValueError(
            fmt::format("{} {}: the name must end in {}", flag, file.string(), fmt::join(endings, " or ")));
    const std::filesystem::path directory = file.has_parent_path() ? file.parent_path() : ".";
    const bool exists = ::access(file.c_str(), F_OK) == 0;
    if (::access(exists ? file.c_str() : directory.c_str(), W_OK) != 0)
        throw FileError(
            fmt::format("{}: cannot be written: {}", file.string(), std::generic_category().message(errno)));
}

}  // namespace wengert::program
