#pragma once

#include <span>
#include <vector>
#include <wengert/autograd/tape/operation.hpp>

/// What happens to operands of different dtypes. Operators, functions of elements, map() and what is a formula of them,
/// such as losses, and concat() and stack() convert them to one dtype, which is PyTorch's: the last among bool, int32,
/// int64, float32, float64 that a tensor with axes has. A tensor without axes decides only if it is of a later kind
/// (bool, integer, float) than all with axes, and a number only if it is of a later kind than all tensors: it is
/// float32, int64 or bool then, as its C++ type is. float16 and bfloat16 are not computed with. Conversions to floats
/// are ops, convert(), so that each operand's derivative has its own dtype; integers and bools are constants. Other
/// ops, products and convolutions among them, refuse operands of different dtypes: there a conversion costs, and is
/// better written down.
///
/// Integers have arithmetic (+, -, *, fmod, abs, minimum, ..; see internal/integers.hpp), comparisons and reductions of
/// their own; x / y of two of them is float32. Other functions refuse them, where no operand is floating. A comparison
/// is bool, whatever its operands are; as a factor or summand it is promoted as any other.
namespace WENGERT_EXPORT wengert {

/// That dtype. Throws DtypeError for one that is stored only.
Dtype promoted_dtype(std::span<const Input> operands);

/// The operands as tensors of that dtype. Throws ValueError for a number that it cannot hold.
std::vector<Tensor> promoted(std::span<const Input> operands, Dtype dtype);

}  // namespace wengert
