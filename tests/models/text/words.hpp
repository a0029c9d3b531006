#pragma once

#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace wengert {

/// Tokens from a text with spaces between them.
inline std::vector<std::string> words(const std::string& text) {
    std::istringstream stream(text);
    return {std::istream_iterator<std::string>(stream), {}};
}

}  // namespace wengert
