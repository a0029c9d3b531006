#pragma once

#include <filesystem>
#include <string>
#include <string_view>

/// What SVG pictures have in common.
namespace wengert::svg {

/// The text for an element or an attribute; what XML cannot hold (control characters, bytes that are no UTF-8) becomes
/// U+FFFD.
std::string escaped(std::string_view text);

/// About how wide a text is in a proportional font of `size` pixels.
double width_of(std::string_view text, double size);

/// Writes a picture. Throws FileError with the system's reason if the file cannot be written.
void write(std::string_view picture, const std::filesystem::path& file);

}  // namespace wengert::svg
