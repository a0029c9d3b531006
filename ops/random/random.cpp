#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <wengert/ops/random/random.hpp>

namespace wengert {
namespace {

template <class Draw>
Tensor filled(const Shape& shape, Dtype dtype, const Draw& draw) {
    if (!is_floating(dtype)) throw DtypeError("random values are float32 or float64, not int64");
    Tensor result = Tensor::empty(shape, dtype);
    visit_floating(dtype, [&](auto type) {
        auto* const out = static_cast<decltype(type)*>(result.raw());
        for (std::int64_t i = 0; i < result.numel(); ++i) out[i] = draw(type);
    });
    return result;
}

}  // namespace

double Generator::normal() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
}

Tensor uniform(const Shape& shape, double low, double high, Generator& generator, Dtype dtype) {
    if (!(low <= high)) throw ValueError(fmt::format("uniform: {} is above {}", low, high));
    return filled(shape, dtype, [&]<class T>(T) {
        // Rounding may lead to `high` itself.
        const T below = std::nextafter(static_cast<T>(high), static_cast<T>(low));
        return std::min(static_cast<T>(low + (high - low) * generator.uniform()), below);
    });
}

Tensor normal(const Shape& shape, double mean, double deviation, Generator& generator, Dtype dtype) {
    return filled(shape, dtype, [&]<class T>(T) { return static_cast<T>(mean + deviation * generator.normal()); });
}

}  // namespace wengert
