#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <utility>
#include <vector>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/nn/module.hpp>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/products/precision.hpp>
#include <wengert/ops/reduce/reductions.hpp>

/// What bfloat16 is expected to do to a gradient. Rounding to 8 bits changes an operand by a factor of up to 1 +- u, u
/// = 2^-8, by u / sqrt(3) in the root of the mean square at most, and so a product of two by less than u of its size.
/// If the errors of products one after another have no common sign, and nothing between them magnifies them, they add
/// up as their squares do: a gradient that `products` of them lead to, forward and back, is less than u sqrt(products)
/// of its norm off. Layers with their initial values keep to that, by a factor of 1.3 (attention) to 5 (deep GRUs).
inline double bfloat16_bound(int products) { return 0x1p-8 * std::sqrt(products); }

inline double relative_error(const wengert::Tensor& is, const wengert::Tensor& should) {
    const wengert::Tensor error = cast(is, wengert::Dtype::float64) - should;
    return std::sqrt(sum(error * error).item() / sum(should * should).item());
}

/// Compares the bfloat16 gradients of loss(layer, inputs), by every parameter and every input, with those in float64.
/// The layer's parameters and the inputs are float32. At least one product must be large enough to be rounded.
template <wengert::Module M, class F>
void check_bfloat16(const M& layer, const std::vector<wengert::Tensor>& inputs, int products, const F& loss) {
    using namespace wengert;
    const auto gradients = [&](const M& probe, const std::vector<Tensor>& in) {
        Tape tape;
        std::vector<Tensor> sources = parameters(probe);
        for (const Tensor& x : in) {
            if (!is_floating(x.dtype())) continue;
            tape.watch(x);
            sources.push_back(x);
        }
        return tape.gradient(loss(probe, in), sources);
    };
    std::vector<Tensor> exact_inputs;
    for (const Tensor& x : inputs) exact_inputs.push_back(is_floating(x.dtype()) ? cast(x, Dtype::float64) : x);
    const std::vector<Tensor> should = gradients(to(layer, Dtype::float64), exact_inputs);
    const auto worst_error = [&](Precision p, double bound) {
        const ProductPrecision precision(p);
        const std::vector<Tensor> is = gradients(layer, inputs);
        const auto names = named_parameters(layer);
        double worst = 0;
        for (std::size_t i = 0; i < is.size(); ++i) {
            CAPTURE(i);
            if (i < names.size()) CAPTURE(names[i].first);
            const double error = relative_error(is[i], should[i]);
            CHECK(error < bound);
            worst = std::max(worst, error);
        }
        return worst;
    };
    worst_error(Precision::float32, 1e-4);
    const double worst = worst_error(Precision::bfloat16, bfloat16_bound(products));
    if (bfloat16_is_idle().empty()) CHECK(worst > 0x1p-8 / 16);  // or nothing was rounded
}

/// A loss to which every element of a result contributes with a weight of its own.
inline wengert::Tensor weighed(const wengert::Tensor& result) {
    return sum(result * cast(wengert::sample_values(result.shape(), -1, 1, 77), result.dtype()));
}

/// Inputs that are large enough for products in bfloat16.
namespace bfloat16_sizes {

using namespace wengert;

inline constexpr std::int64_t batch = 64, steps = 4, features = 128, hidden = 128;

inline Tensor sample(const Shape& shape, std::uint64_t seed) {
    return cast(sample_values(shape, -1, 1, seed), Dtype::float32);
}
inline Tensor lengths() {
    std::vector<std::int64_t> result;
    for (std::int64_t row = 0; row < batch; ++row) result.push_back(1 + row % steps);
    return tensor(result, {batch});
}

}  // namespace bfloat16_sizes
