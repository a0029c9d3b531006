#pragma once

#include <wengert/autograd/observe/internal/drawing.hpp>

namespace wengert {

/// Adds the backward pass of a result, as a mirror of what led to it: beside each op its rule, which takes the
/// cotangent of the op's value and gives those of its operands, in boxes of their own; at the ends the gradients of
/// parameters and inputs. Dashed arrows lead from an op that keeps tensors to the rule that reads them.
///
/// These are the rules that Tape::gradient() runs, one for each node on a way from a leaf to the result, drawn by what
/// the tape says. A pass that was recorded, with create_graph, needs no mirror: its ops are nodes of the tape.
void add_backward(Drawing& drawing, NodeId result);

}  // namespace wengert
