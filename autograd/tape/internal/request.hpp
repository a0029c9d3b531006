#pragma once

#include <span>
#include <vector>
#include <wengert/autograd/tape/recording.hpp>

namespace wengert {

/// Of gradients that depend on nothing that the tape follows.
inline constexpr ConstantCause constant_gradient{"it was computed from a derivative that is constant", false, 5};

/// Gradients that were asked for, and that there are.
struct Request {
    NodeId top, lowest;          // of the nodes that the pass visits
    std::vector<NodeId> inputs;  // of the gradients
    Tensor cotangent;            // of the result
};

/// Throws what Tape::gradient() does for a result, inputs and a cotangent of the result (which may be undefined) that
/// do not fit together, or that the tape does not follow.
Request check(Recording& recording, const Tensor& result, std::span<const Tensor> inputs, const Tensor& cotangent);

}  // namespace wengert
