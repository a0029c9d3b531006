#pragma once

#include <string>
#include <string_view>

/// Text in SVG pictures.
namespace wengert::svg {

/// The text for an element or an attribute; what XML cannot hold (control characters, bytes that are no UTF-8) becomes
/// U+FFFD.
std::string escaped(std::string_view text);

/// About how wide a text is in a proportional font of `size` pixels.
double width_of(std::string_view text, double size);

}  // namespace wengert::svg
