#include <fmt/format.h>

#include <limits>
#include <wengert/ops/elementwise/map.hpp>
#include <wengert/ops/reduce/extremes.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/reduce/statistics.hpp>

namespace wengert {

Tensor var(const Input& x, const ReductionAxes& axes, double correction, bool keepdim) {
    return located("var", {x}, [&] {
        const Tensor center = mean(x, axes, true);
        const Tensor squares =
            map_sum([](auto x, auto center) { return square(x - center); }, axes.keeping_dims(keepdim), x, center);
        const double n = static_cast<double>(axes.count(x.tensor().shape())) - correction;
        return Input(squares, x.where()) / (n > 0 ? n : std::numeric_limits<double>::quiet_NaN());
    });
}

Tensor stddev(const Input& x, const ReductionAxes& axes, double correction, bool keepdim) {
    return located("stddev", {x}, [&] { return sqrt(var(x, axes, correction, keepdim), x.where()); });
}

Tensor norm(const Input& x, double p, const ReductionAxes& axes, bool keepdim) {
    return located("norm", {x}, [&]() -> Tensor {
        if (!(p >= 0)) throw ValueError(fmt::format("p is {}, less than 0", p));
        const ReductionAxes kept = axes.keeping_dims(keepdim);
        if (p == 0) return map_sum([](auto x) { return where(x != 0.0, 1.0, 0.0 * x); }, kept, x);
        if (p == 1) return map_sum([](auto x) { return abs(x); }, kept, x);
        if (p == std::numeric_limits<double>::infinity()) return max(abs(x), axes, keepdim);
        // A root has no slope at 0: there a constant takes its place.
        if (p == 2)
            return map([](auto s) { return where(s == 0.0, 0.0, sqrt(where(s == 0.0, 1.0, s))); },
                       Input(map_sum([](auto x) { return x * x; }, kept, x), x.where()));
        const Tensor sum = map_sum(
            [p](auto x) {
                const auto size = abs(x);
                return where(size == 0.0, 0.0, pow(where(size == 0.0, 1.0, size), p));
            },
            kept, x);
        return map([p](auto s) { return where(s == 0.0, 0.0, pow(where(s == 0.0, 1.0, s), 1 / p)); },
                   Input(sum, x.where()));
    });
}

}  // namespace wengert
