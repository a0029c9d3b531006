#pragma once

#include <wengert/autograd/observe/internal/drawing.hpp>

namespace wengert {

/// Of a drawing what is up to two arrows from the vertex of a node, and the shortest way from there to the vertex of
/// `result`, or, if that is no_node, to one that nothing uses. The node's vertex is marked.
Drawing neighbourhood(const Drawing& drawing, NodeId node, NodeId result);

}  // namespace wengert
