#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <system_error>
#include <wengert/autograd/observe/picture_file.hpp>
#include <wengert/autograd/tensor/error.hpp>

namespace wengert {

void write_picture(std::string_view picture, const std::filesystem::path& file) {
    errno = 0;
    std::ofstream stream(file, std::ios::binary);
    stream << picture;
    stream.close();
    if (!stream)
        throw FileError(
            fmt::format("{}: cannot be written: {}", file.string(), std::generic_category().message(errno)));
}

}  // namespace wengert
