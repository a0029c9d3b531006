#pragma once

#include <string_view>
#include <wengert/autograd/tensor/tensor.hpp>

/// Positions along an axis, before anything is read there.
namespace wengert {

/// What a caller calls positions, and one of them.
struct PositionNames {
    std::string_view all = "the index", one = "position";
};

/// The positions as int64. Throws DtypeError unless they are int64 or int32, ValueError for one outside [0, length).
Tensor checked_positions(const Tensor& positions, std::int64_t length, const PositionNames& names = {});
/// The same, but [-length, 0) counts from the end.
Tensor counted_positions(const Tensor& positions, std::int64_t length, const PositionNames& names = {});

/// An index of positions in x along an axis, with its axes of length 1, but for that axis, stretched to x's. Throws
/// ShapeError if it does not fit, and what checked_positions() throws.
Tensor stretched_index(const Tensor& positions, const Tensor& x, int axis);

}  // namespace wengert
