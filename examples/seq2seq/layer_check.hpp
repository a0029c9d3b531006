#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/nn/nn.hpp>

#include "gradient_checks.hpp"

/// What the gradient checks of layers have in common: small inputs, and a row of the table for each order.
namespace wengert::program {

using Tensors = std::vector<Tensor>;

inline constexpr std::int64_t batch = 2, steps = 3, features = 3, hidden = 4;

inline Tensor values(const Shape& shape, std::uint64_t seed) { return sample_values(shape, -1, 1, seed); }
inline Tensor ids(std::initializer_list<double> numbers, const Shape& shape) {
    return tensor(numbers, shape, Dtype::int64);
}
/// One full row and one that is padded.
inline Tensor lengths() { return tensor({steps, steps - 1}, Dtype::int64); }

/// A row for each order, of `run(options)`.
template <class F>
void check_orders(const GradientCheckReport& report, const std::string& subject, const F& run) {
    for (const int order : {1, 2}) report({subject, order, run(GradcheckOptions{.order = order})});
}

inline void check(const GradientCheckReport& report, const std::string& subject, const Tensors& inputs,
                  const GradcheckFunction& f) {
    check_orders(report, subject, [&](const GradcheckOptions& options) { return gradcheck(f, inputs, options); });
}

/// The same for f(layer, inputs), by every parameter of the layer too. With a layer's small first values an attention
/// is nearly even, and gradients that nearly vanish prove little; so it gets larger ones.
template <Module M, class F>
void check(const GradientCheckReport& report, const std::string& subject, const M& layer, const Tensors& inputs,
           const F& f) {
    M lively = to(layer, Dtype::float64);
    std::uint64_t seed = 100;
    for_each_parameter(
        lively, [&](const std::string&, Tensor& p) { p.copy_from(sample_values(p.shape(), -1.5, 1.5, ++seed)); });
    check_orders(report, subject,
                 [&](const GradcheckOptions& options) { return gradcheck(lively, inputs, f, options); });
}

/// A part of check_layers(): the attention layers beside Bahdanau's, and the Transformer's.
void check_attentions(const GradientCheckReport& report, Generator& generator);

}  // namespace wengert::program
