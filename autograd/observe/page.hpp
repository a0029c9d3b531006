#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <wengert/autograd/tensor/export.hpp>

/// Pages for browsers, each one file that refers to no other.
namespace WENGERT_EXPORT wengert {
namespace page {

/// The page with a content where {{name}} stands, for each pair of name and content. What a content holds is left as it
/// is.
std::string filled(std::string_view page,
                   std::initializer_list<std::pair<std::string_view, std::string_view>> contents);

/// JSON as it may stand in a <script> element: the parser of the page looks for that element's end before JSON's looks
/// for the end of a string.
std::string in_script(std::string json);

}  // namespace page
}  // namespace wengert
