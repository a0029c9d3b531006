#pragma once

#include <span>
#include <vector>
#include <wengert/autograd/tape/operation.hpp>

/// What happens to operands of different dtypes. Operators, functions of elements and map() convert them to one dtype,
/// which is PyTorch's: float64 if an operand with axes is float64, else float32 if one is float32; tensors without axes
/// count only if no other operand is floating, and int64 never does. Numbers take the dtype that the tensors have.
/// The conversions are ops, convert(), so that each operand's derivative has its own dtype. Other ops, products and
/// convolutions among them, refuse operands of different dtypes: there a conversion costs, and is better written down.
namespace wengert {

/// That dtype; int64 if all tensors are.
Dtype promoted_dtype(std::span<const Input> operands);

/// The operands as tensors of that dtype; undefined for a number.
std::vector<Tensor> promoted(std::span<const Input> operands);

}  // namespace wengert
