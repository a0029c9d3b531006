#include <cmath>
#include <wengert/nn/linear.hpp>

namespace wengert {

Linear::Linear(std::int64_t in, std::int64_t out, Generator& generator, bool with_bias) {
    require_features("Linear", {in, out});
    const double bound = 1 / std::sqrt(static_cast<double>(in));
    weight = uniform({out, in}, -bound, bound, generator);
    if (with_bias) bias = uniform({out}, -bound, bound, generator);
    name_parameters(*this);
}

Tensor Linear::operator()(const Input& x) const {
    require_parameter(weight, "linear", "weight", x.where());
    return bias.defined() ? linear(x, weight, bias) : linear(x, weight);
}

}  // namespace wengert
