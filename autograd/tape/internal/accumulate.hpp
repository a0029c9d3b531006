#pragma once

#include <span>
#include <wengert/autograd/tape/node.hpp>

/// How contributions to a cotangent are summed when the backward pass is itself recorded: by ops.
namespace wengert {

/// a + b of one shape and dtype.
Tensor accumulate(const Tensor& a, const Tensor& b);

/// The cotangent of a view node, which is a part of its base's.
struct CotangentPart {
    const Node* view;
    Tensor cotangent;
};

/// Zeros of a node's shape, to which the cotangents of views of it are added where the views show it. One op for any
/// number of slices, so that T slices of one tensor take no T tensors of its size.
Tensor accumulate_parts(const Node& base, std::span<const CotangentPart> parts);

}  // namespace wengert
