#pragma once

#include <span>
#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/products/precision.hpp>

namespace WENGERT_EXPORT wengert {

/// The matrix product [.., m, k] x [.., k, n] -> [.., m, n]; leading axes broadcast. Transposed operands (transpose(w))
/// and slices are used where they stand. A vector counts as a row at the left and as a column at the right, and its
/// axis goes from the result. Derivatives: ct b^T and a^T ct. Throws ShapeError if the inner lengths differ, an operand
/// has no axis or leading axes do not broadcast, DtypeError unless both are float32 or float64 and alike.
Tensor matmul(const Input& lhs, const Input& rhs);

/// lhs rhs
struct MatMul {
    static constexpr std::string_view name = "matmul";
    static constexpr bool bilinear = true;
    static constexpr OpDoc doc{"matmul(lhs, rhs)", "[.., m, k] x [.., k, n] -> [.., m, n], leading axes broadcast",
                               "lhs rhs; a vector is a row at the left, a column at the right", "ct rhsᵀ; lhsᵀ ct"};
    static constexpr Saves saves = Saves::inputs;
    static constexpr std::array<std::string_view, 2> operands{"lhs", "rhs"};
    static constexpr bool accumulates = true;
    using Pair = std::array<Tensor, 2>;
    Precision precision;
    bool may_pack;  ///< whether a weight used again is worth packing (packed_weights.hpp)

    explicit MatMul(Precision rounding, bool packs = true) : precision(rounding), may_pack(packs) {}
    bool operator==(const MatMul&) const = default;

    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();

    /// Sums of products of equal shape are one product, along the joined inner axes.
    bool can_merge(const Pair& first, const Tensor& lhs, const Tensor& rhs) const;
    void merge(std::span<const Pair> pairs, const Destination& out) const;
};

// clang-format off
using ProductOps = OpList<
    MatMul>;
// clang-format on
template <class Op>
requires is_in<Op, ProductOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
