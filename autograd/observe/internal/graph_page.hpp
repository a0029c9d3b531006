#pragma once

#include <string>
#include <wengert/autograd/observe/internal/palette.hpp>

namespace wengert {

/// The drawing as a page for browsers, one file that refers to no other: graph_page.html with graph_page.js and the
/// drawing as JSON. Text that is no UTF-8 has U+FFFD in its place.
std::string graph_page(const Drawing& drawing, const GraphOptions& options);

/// The two files, which the build puts in.
extern const char* const graph_page_html;
extern const char* const graph_page_script;

}  // namespace wengert
