#pragma once

#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/products/precision.hpp>

namespace WENGERT_EXPORT wengert {

/// x w^T + bias: x [.., k], w [n, k] -> [.., n], as a layer with PyTorch's weight layout computes it. The bias, often
/// [n], may be anything that broadcasts to the product. Derivatives: ct w, ct^T x, ct summed to the bias' shape. Throws
/// ShapeError if they do not fit, DtypeError unless all are float32 or float64 and alike.
Tensor linear(const Input& x, const Input& weight, const Input& bias);
Tensor linear(const Input& x, const Input& weight);

/// x weight^T, plus a bias if there is a third operand.
struct LinearProduct {
    static constexpr std::string_view name = "linear";
    static constexpr bool bilinear = true;
    static constexpr OpDoc doc{"linear(x, weight, bias)", "[.., k], [n, k], [n] -> [.., n]; the bias may be left out",
                               "x weightᵀ + bias", "ct weight; ctᵀ x; Σ ct"};
    static constexpr Saves saves = Saves::inputs;
    static constexpr std::size_t saves_first = 2;  // a bias may be as large as the product, and is not needed
    static constexpr std::array<std::string_view, 3> operands{"x", "weight", "bias"};
    Precision precision;
    bool may_pack;  ///< as MatMul's

    explicit LinearProduct(Precision rounding, bool packs = true) : precision(rounding), may_pack(packs) {}

    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();
};

// clang-format off
using LinearOps = OpList<
    LinearProduct>;
// clang-format on
template <class Op>
requires is_in<Op, LinearOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
