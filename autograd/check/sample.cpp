#include <random>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tensor/unit_interval.hpp>

namespace wengert {

Tensor sample_values(const Shape& shape, double low, double high, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<double> values(static_cast<std::size_t>(shape.numel()));
    for (double& v : values) v = low + (high - low) * unit_interval(random());
    return tensor(values, shape);
}

}  // namespace wengert
