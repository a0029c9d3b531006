#pragma once

#include <span>
#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/products/precision.hpp>

namespace wengert {

/// The matrix product [.., m, k] x [.., k, n] -> [.., m, n]; leading axes broadcast. Transposed operands (transpose(w))
/// and slices are used where they stand. A vector counts as a row at the left and as a column at the right, and its
/// axis goes from the result. Derivatives: ct b^T and a^T ct. Throws ShapeError if the inner lengths differ.
Tensor matmul(const Input& lhs, const Input& rhs);

/// x w^T + bias: x [.., k], w [n, k] -> [.., n], as a layer with PyTorch's weight layout computes it. The bias, often
/// [n], may be anything that broadcasts to the product. Derivatives: ct w, ct^T x, ct summed to the bias' shape. Throws
/// ShapeError if they do not fit.
Tensor linear(const Input& x, const Input& weight, const Input& bias);
Tensor linear(const Input& x, const Input& weight);

/// lhs rhs
struct MatMul {
    static constexpr std::string_view name = "matmul";
    static constexpr OpDoc doc{"matmul(lhs, rhs)", "[.., m, k] x [.., k, n] -> [.., m, n], leading axes broadcast",
                               "lhs rhs; a vector is a row at the left, a column at the right", "ct rhsᵀ; lhsᵀ ct"};
    static constexpr Saves saves = Saves::inputs;
    static constexpr std::array<std::string_view, 2> operands{"lhs", "rhs"};
    static constexpr bool accumulates = true;
    using Pair = std::array<Tensor, 2>;
    Precision precision = ProductPrecision::current();
    bool may_pack = true;  ///< whether a weight used again is worth packing (packed_weights.hpp)

    bool operator==(const MatMul&) const = default;

    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();

    /// Sums of products of equal shape are one product, along the joined inner axes.
    bool can_merge(const Pair& first, const Tensor& lhs, const Tensor& rhs) const;
    void merge(std::span<const Pair> pairs, const Destination& out) const;
};

/// x weight^T, plus a bias if there is a third operand.
struct LinearProduct {
    static constexpr std::string_view name = "linear";
    static constexpr OpDoc doc{"linear(x, weight, bias)", "[.., k], [n, k], [n] -> [.., n]; the bias may be left out",
                               "x weightᵀ + bias", "ct weight; ctᵀ x; Σ ct"};
    static constexpr Saves saves = Saves::inputs;
    static constexpr std::size_t saves_first = 2;  // a bias may be as large as the product, and is not needed
    static constexpr std::array<std::string_view, 3> operands{"x", "weight", "bias"};
    Precision precision = ProductPrecision::current();
    bool may_pack = true;  ///< as MatMul's

    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();
};

}  // namespace wengert
