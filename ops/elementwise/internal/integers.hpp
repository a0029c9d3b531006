#pragma once

#include <wengert/ops/elementwise/internal/map_op.hpp>

/// Functions of integers. They wrap around where the result is out of range, as in NumPy and PyTorch, and no gradient
/// flows through them.
namespace wengert {

/// Whether a function of a family has a form for integers.
bool has_integers(const Formula& formula);

/// That form, for operands of one integral dtype. bool has add, where a sum is whether one is true, mul, minimum and
/// maximum; the others throw DtypeError for it. fmod() throws ValueError for a divisor of 0.
struct IntegerOp {
    const Formula* formula;
    std::string_view name() const { return formula->name; }
    const ConstantCause* without_derivative() const { return nullptr; }  // its operands have none
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
};

}  // namespace wengert
