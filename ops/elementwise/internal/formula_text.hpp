#pragma once

#include <optional>
#include <string>
#include <wengert/autograd/tape/node.hpp>

namespace wengert {

/// The formula of a node of map() or map_sum() as text, "c + a * (b - c)": operands are a, b, .. in their order, and
/// parts that are long are named in lines before it. Of several results there is a line for each. Empty for a node of
/// a library function, nullopt for one of another op: see NodeText.
///
/// The formula is read with tensors once more, in a thread of its own, so that nobody else listens.
std::optional<std::string> formula_text(const Node& node);

}  // namespace wengert
