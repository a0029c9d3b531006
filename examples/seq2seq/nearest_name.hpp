#pragma once

#include <string>
#include <vector>

namespace wengert::program {

/// " (did you mean X?)" of the name that is nearest to a word, of equally near ones that which begins like it; empty if
/// none is near.
std::string nearest_name(const std::string& word, const std::vector<std::string>& names);

}  // namespace wengert::program
