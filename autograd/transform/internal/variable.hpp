#pragma once

#include <wengert/autograd/tape/operation.hpp>

namespace wengert {

/// The same value as a node of its own: a function's argument, by which it is differentiated apart from all else that
/// was computed from the tensor.
struct Variable {
    static constexpr std::string_view name = "variable";
    Tensor view(const Tensor& x) const { return x.detached(); }
    Tensor adjoint(const Tensor& cotangent, const Shape&) const { return cotangent; }
};

}  // namespace wengert
