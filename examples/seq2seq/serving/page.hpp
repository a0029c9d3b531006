#pragma once

#include <string>

namespace wengert::program {

/// The page to translate on, which refers to page.css and page.js alone. It asks the server for its models, and sends
/// what is typed.
std::string page_html();
std::string page_style();
std::string page_script();

}  // namespace wengert::program
