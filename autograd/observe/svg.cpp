#include <utf8proc.h>

#include <vector>
#include <wengert/autograd/observe/svg.hpp>

namespace wengert::svg {
namespace {

constexpr utf8proc_int32_t replacement = 0xFFFD;

/// The code points of a text; for what XML cannot hold, U+FFFD.
std::vector<utf8proc_int32_t> code_points(std::string_view text) {
    std::vector<utf8proc_int32_t> points;
    while (!text.empty()) {
        utf8proc_int32_t point = -1;
        const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                             static_cast<utf8proc_ssize_t>(text.size()), &point);
        const bool is_control = point < 0x20 && point != '\t' && point != '\n' && point != '\r';
        points.push_back(length < 0 || is_control || point == 0xFFFE || point == 0xFFFF ? replacement : point);
        text.remove_prefix(length < 0 ? 1 : static_cast<std::size_t>(length));
    }
    return points;
}

}  // namespace

std::string escaped(std::string_view text) {
    std::string escaped;
    for (const utf8proc_int32_t point : code_points(text)) {
        switch (point) {
            case '&':
                escaped += "&amp;";
                break;
            case '<':
                escaped += "&lt;";
                break;
            case '>':
                escaped += "&gt;";
                break;
            case '"':
                escaped += "&quot;";
                break;
            default: {
                utf8proc_uint8_t bytes[4];
                const auto length = utf8proc_encode_char(point, bytes);
                escaped.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
            }
        }
    }
    return escaped;
}

double width_of(std::string_view text, double size) {
    double width = 0;
    for (const utf8proc_int32_t point : code_points(text)) {
        const int columns = utf8proc_charwidth(point);
        width += columns == 2 ? 1.0 : 0.62 * columns;
    }
    return width * size;
}

}  // namespace wengert::svg
