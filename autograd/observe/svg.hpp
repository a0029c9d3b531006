#pragma once

#include <string>
#include <string_view>
#include <wengert/autograd/tensor/export.hpp>

/// What SVG pictures have in common.
namespace WENGERT_EXPORT wengert {
namespace svg {

/// Of all pictures, in pixels.
inline constexpr double margin = 16, title_size = 16, text_size = 13;  // in pixels

/// The common fonts of each system that have Chinese, Japanese and Korean characters, after one for the rest.
inline constexpr const char* fonts =
    "Noto Sans, Noto Sans CJK SC, Source Han Sans SC, PingFang SC, Hiragino Sans, Microsoft YaHei, Malgun Gothic, "
    "WenQuanYi Micro Hei, DejaVu Sans, sans-serif";

/// The text for an element or an attribute; what XML cannot hold (control characters, bytes that are no UTF-8) becomes
/// U+FFFD.
std::string escaped(std::string_view text);

/// About how wide a text is in a proportional font of `size` pixels.
double width_of(std::string_view text, double size);

}  // namespace svg
}  // namespace wengert
