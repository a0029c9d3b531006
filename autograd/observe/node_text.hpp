#pragma once

#include <optional>
#include <string>
#include <wengert/autograd/tensor/export.hpp>

namespace WENGERT_EXPORT wengert {

class Node;

/// What a picture says of an elementwise op: its formula if it is a map(), nothing if it is a function of the library,
/// whose name says it; nullopt for other ops. Nothing here knows ops, so that what does sets this, before main().
using NodeText = std::optional<std::string> (*)(const Node& node);
/// What graphs ask for a formula's text; null in a program without formulas.
inline constinit NodeText formula_of_node = nullptr;

}  // namespace wengert
