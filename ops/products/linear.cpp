#include <fmt/format.h>

#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/elementwise/internal/map_op.hpp>
#include <wengert/ops/products/internal/products.hpp>
#include <wengert/ops/products/linear.hpp>
#include <wengert/ops/products/matmul.hpp>
#include <wengert/ops/reduce/internal/sum_op.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {
namespace {

/// The bias' cotangent: the product's, summed over the axes along which the bias was repeated.
void add_bias_cotangent(Backward& back) {
    const Tensor& ct = back.cotangent();
    const Shape& bias = back.input_shape(2);
    if (bias == ct.shape()) return back.add(2, ct);
    const int missing = ct.rank() - bias.rank();
    ReductionAxes repeated;
    bool all_missing = true;
    for (int axis = 0; axis < ct.rank(); ++axis) {
        if (axis >= missing && bias[axis - missing] == ct.shape()[axis]) continue;
        repeated.add(axis);
        all_missing &= axis < missing;
    }
    if (all_missing)
        back.add(2, sum_op(repeated), ct);
    else
        back.add(2, sum_to(ct, bias));
}

}  // namespace

Shape LinearProduct::shape(const Inputs& in) const {
    const Tensor &x = in[0], &weight = in[1];
    products::require_alike(in, operands);
    if (weight.rank() != 2 || x.rank() < 2)
        throw ShapeError(fmt::format("x must be [.., in] and the weight [out, in], not {} and {}", to_string(x.shape()),
                                     to_string(weight.shape())));
    if (x.shape().back() != weight.shape()[1])
        throw ShapeError(fmt::format("inner dimensions differ: x {} x weight {} transposed ({} != {})",
                                     to_string(x.shape()), to_string(weight.shape()), x.shape().back(),
                                     weight.shape()[1]));
    Shape result = x.shape();
    result[result.rank() - 1] = weight.shape()[0];
    if (in.size() == 3 && !stretches_to(in[2].shape(), result))
        throw ShapeError(fmt::format("the bias {} does not fit the product {} of x {} and the weight {}",
                                     to_string(in[2].shape()), to_string(result), to_string(x.shape()),
                                     to_string(weight.shape())));
    return result;
}

void LinearProduct::forward(const Inputs& in, const Destination& out) const {
    const bool has_bias = in.size() == 3;
    if (has_bias) write(Expand{out.tensor.shape()}.view(in[2]), out);
    products::multiply(in[0], products::transposed(in[1]), {out.tensor, has_bias}, precision, may_pack);
}

void LinearProduct::vjp(Backward& back) const {
    const Tensor &x = back.saved(0), &weight = back.saved(1), &ct = back.cotangent();
    back.add(0, MatMul{precision}, ct, weight);
    if (back.needs(1)) back.add(1, MatMul{precision}, transpose(products::rows_of(ct)), products::rows_of(x));
    if (back.input_count() == 3 && back.needs(2)) add_bias_cotangent(back);
}

Tensor linear(const Input& x, const Input& weight, const Input& bias) {
    static_assert(is_listed<LinearProduct>, "the op is missing in its family's list");
    const Tensor &rows = tensor_of(x, "linear"), &w = tensor_of(weight, "linear", 1), &b = tensor_of(bias, "linear", 2);
    if (rows.rank() == 1) return squeeze({linear({unsqueeze(x, 0), x.where()}, weight, bias), x.where()}, 0);
    return apply(LinearProduct{ProductPrecision::current()}, {&rows, &w, &b}, x.where());
}

Tensor linear(const Input& x, const Input& weight) {
    const Tensor &rows = tensor_of(x, "linear"), &w = tensor_of(weight, "linear", 1);
    if (rows.rank() == 1) return squeeze({linear({unsqueeze(x, 0), x.where()}, weight), x.where()}, 0);
    return apply(LinearProduct{ProductPrecision::current()}, {&rows, &w}, x.where());
}

std::vector<Sample> LinearProduct::samples() {
    const auto values = [](const Shape& x, const Shape& weight, const Shape& bias) {
        return std::vector{sample_values(x, -1, 1, 1), sample_values(weight, -1, 1, 2), sample_values(bias, -1, 1, 3)};
    };
    const auto product = [](const std::vector<Tensor>& in) { return linear(in[0], in[1], in[2]); };
    return {
        {"[3, 4], without bias",
         {sample_values({3, 4}, -1, 1, 1), sample_values({5, 4}, -1, 1, 2)},
         [](const auto& in) { return linear(in[0], in[1]); }},
        {"[4]", values({4}, {5, 4}, {5}), product},
        {"[2, 3, 4]", values({2, 3, 4}, {5, 4}, {5}), product},
        {"a bias for each element", values({2, 3, 4}, {5, 4}, {2, 3, 5}), product},
        {"a bias for each matrix", values({2, 3, 4}, {5, 4}, {2, 1, 1}), product},
        {"no features", values({2, 3, 0}, {5, 0}, {5}), product},
        {"no rows", values({0, 4}, {5, 4}, {5}), product},
        {"a transposed x and a slice of a weight", values({2, 4, 3}, {6, 5}, {3}),
         [](const auto& in) { return linear(transpose(in[0]), slice(slice(in[1], 0, 1, 4), 1, 1, 5), in[2]); }},
        {"one weight in four steps", values({2, 3}, {3, 3}, {3}),
         [](const auto& in) {
             Tensor h = in[0];
             for (int t = 0; t < 4; ++t) h = tanh(linear(h, in[1], in[2]));
             return h;
         }},
    };
}

}  // namespace wengert
