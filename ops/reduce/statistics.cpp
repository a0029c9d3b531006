#include <fmt/format.h>

#include <limits>
#include <wengert/autograd/tape/recording.hpp>
#include <wengert/ops/elementwise/map.hpp>
#include <wengert/ops/reduce/extremes.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/reduce/statistics.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {
namespace {

/// √x, whose derivative at 0 is 0.
Tensor root(const Input& x) {
    return map([](auto x) { return where(x == 0.0, 0.0 * x, sqrt(where(x == 0.0, 1.0, x))); }, x);
}

/// The largest |x| over axes, which it keeps, or 1 where that is 0 or not finite: a constant.
Tensor size_of_largest(const Tensor& x, const ReductionAxes& axes) {
    const Pause pause;
    if (x.numel() == 0) return ones(axes.kept(x.shape()), x.dtype());
    return map([](auto size) { return where(size > 0.0, where(isfinite(size), size, 1.0), 1.0); },
               amax(abs(x), axes, true));
}

}  // namespace

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
    return located("stddev", {x}, [&] { return root({var(x, axes, correction, keepdim), x.where()}); });
}

Tensor norm(const Input& x, double p, const ReductionAxes& axes, bool keepdim) {
    return located("norm", {x}, [&]() -> Tensor {
        require_floating(x.tensor());
        if (!(p >= 0)) throw ValueError(fmt::format("p is {}, not 0 or more", p));
        const ReductionAxes kept = axes.keeping_dims(keepdim);
        if (p == 0) return map_sum([](auto x) { return where(x != 0.0, 1.0, 0.0 * x); }, kept, x);
        if (p == 1) return map_sum([](auto x) { return abs(x); }, kept, x);
        if (p == std::numeric_limits<double>::infinity()) return amax({abs(x), x.where()}, axes, keepdim);
        // Powers of elements that are divided by the largest neither overflow nor vanish.
        const Tensor scale = size_of_largest(x.tensor(), axes), scaled = x / Input(scale, x.where());
        const Tensor sum = map_sum(
            [p](auto x) {
                const auto size = abs(x);
                return p == 2 ? x * x : where(size == 0.0, 0.0 * x, pow(where(size == 0.0, 1.0, size), p));
            },
            kept, Input(scaled, x.where()));
        const Tensor length =
            p == 2 ? root({sum, x.where()})
                   : map([p](auto s) { return where(s == 0.0, 0.0 * s, pow(where(s == 0.0, 1.0, s), 1 / p)); },
                         Input(sum, x.where()));
        return Input(length, x.where()) * Input(keepdim ? scale : reshape(scale, length.shape()), x.where());
    });
}

}  // namespace wengert
