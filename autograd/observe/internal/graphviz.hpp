#pragma once

#include <string>
#include <wengert/autograd/observe/internal/palette.hpp>

namespace wengert {

/// The drawing in Graphviz's language. Its file alone knows Graphviz. An automatic direction, which takes two layouts
/// to choose, is down here.
std::string graphviz_text(const Drawing& drawing, const Palette& palette, const std::string& title,
                          GraphDirection direction);

/// The drawing as a picture in one of Graphviz's formats, "svg". Throws FileError if Graphviz cannot.
std::string graphviz_picture(const Drawing& drawing, const Palette& palette, const std::string& title,
                             GraphDirection direction, const char* format);

}  // namespace wengert
