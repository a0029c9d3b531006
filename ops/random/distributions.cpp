#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>
#include <wengert/autograd/tensor/parallel.hpp>
#include <wengert/autograd/transform/draws.hpp>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/random/distributions.hpp>
#include <wengert/ops/reduce/internal/rows.hpp>
#include <wengert/ops/shape/copies.hpp>

namespace wengert {
namespace {

/// Throws ValueError unless is_valid(element) for each; the error says what elements must be.
template <class F>
void require_each(const Tensor& x, const F& is_valid, std::string_view sentence) {
    require_floating(x);
    const Tensor in_order = packed(x);
    visit_floating(x.dtype(), [&](auto type) {
        const auto* const value = in_order.data<decltype(type)>();
        for (std::int64_t i = 0; i < x.numel(); ++i)
            if (!is_valid(static_cast<double>(value[i]))) throw ValueError(fmt::format("{} is {}", value[i], sentence));
    });
}

double gamma_of(double a, Generator& generator) {
    // Below 1 the method is for a + 1, and a power of a uniform number leads back.
    double boost = 1;
    if (a < 1) {
        boost = std::pow(1 - generator.uniform(), 1 / a);
        a += 1;
    }
    const double d = a - 1.0 / 3, c = 1 / std::sqrt(9 * d);
    while (true) {
        const double x = generator.normal(), u = 1 - generator.uniform(), root = 1 + c * x;
        if (root <= 0) continue;
        const double v = root * root * root;
        if (std::log(u) < x * x / 2 + d * (1 - v + std::log(v))) return boost * d * v;
    }
}

/// Blocks for an element of gamma(): it takes more, those of the next one, once in 10^40.
constexpr std::int64_t blocks_of_gamma = 64;

}  // namespace

Tensor bernoulli(const Input& probability, Generator& generator) {
    return located("bernoulli", {probability}, [&] {
        const Tensor& p = probability.tensor();
        require_each(
            p, [](double v) { return v >= 0 && v <= 1; }, "no probability");
        return convert(uniform(p.shape(), 0, 1, generator, p.dtype()) < p, p.dtype());
    });
}

Tensor gamma(const Input& a, Generator& generator) {
    return located("gamma", {a}, [&] {
        require_each(
            a.tensor(), [](double v) { return v > 0 && std::isfinite(v); }, "no shape of a gamma distribution");
        const Tensor shapes = packed(a.tensor()), result = Tensor::empty(shapes.shape(), shapes.dtype());
        const std::uint64_t first = generator.take(static_cast<std::uint64_t>(shapes.numel() * blocks_of_gamma));
        visit_floating(shapes.dtype(), [&](auto type) {
            using T = decltype(type);
            const auto* const shape = shapes.data<T>();
            auto* const value = static_cast<T*>(result.raw());
            parallel_ranges(shapes.numel(), 16, shapes.numel() * 64, [&](std::int64_t begin, std::int64_t end) {
                const Draws::Apart apart;
                Generator own = generator;
                for (std::int64_t i = begin; i < end; ++i) {
                    own.seek(first + static_cast<std::uint64_t>(i * blocks_of_gamma));
                    // Small shapes lead below the least number, whose logarithm would be infinite.
                    value[i] = std::max(static_cast<T>(gamma_of(static_cast<double>(shape[i]), own)),
                                        std::numeric_limits<T>::min());
                }
            });
        });
        return result;
    });
}

Tensor multinomial(const Input& weights, std::int64_t count, Generator& generator, bool replacement) {
    return located("multinomial", {weights}, [&] {
        const Tensor& w = weights.tensor();
        require_each(
            w, [](double v) { return v >= 0 && std::isfinite(v); }, "no weight");
        if (w.rank() == 0) throw ShapeError("weights need an axis, and are []");
        if (count < 0) throw ValueError(fmt::format("count is {}, less than 0", count));
        const Tensor rows = packed(cast(w, Dtype::float64));
        const auto n = static_cast<std::size_t>(w.dim(-1));
        Shape shape = w.shape();
        shape[shape.rank() - 1] = count;
        require_countable(shape);
        Tensor drawn = Tensor::empty(shape, Dtype::int64);
        const Tensor luck = uniform(replacement ? shape : w.shape(), 0, 1, generator, Dtype::float64);
        const auto *row = rows.data<double>(), *chance = luck.data<double>();
        auto* place = drawn.mutable_data<std::int64_t>();
        std::vector<double> sums(n);
        std::vector<std::pair<double, std::int64_t>> arrivals;
        for (std::int64_t left = count == 0 ? 0 : drawn.numel() / count; left > 0; --left, row += n, place += count) {
            const auto able = std::count_if(row, row + n, [](double v) { return v > 0; });
            if (able < (replacement ? std::min<std::int64_t>(count, 1) : count))
                throw ValueError(fmt::format("a row has {} weights above 0, too few to draw {} positions{}", able,
                                             count, replacement ? "" : " without replacement"));
            if (replacement) {
                // By the largest, so that no sum overflows.
                const double largest = count == 0 ? 1 : *std::max_element(row, row + n);
                std::transform_inclusive_scan(row, row + n, sums.begin(), std::plus<>(),
                                              [largest](double w) { return w / largest; });
                for (std::int64_t i = 0; i < count; ++i) {
                    // Of equal sums the first is the one with a weight. Rounding may lead to the total itself.
                    const double below = std::min(*chance++ * sums.back(), std::nextafter(sums.back(), 0.0));
                    place[i] = std::ranges::upper_bound(sums, below) - sums.begin();
                }
            } else {
                // Each arrives after an exponentially distributed time, its weight the rate; the first ones are drawn.
                arrivals.clear();
                for (std::size_t i = 0; i < n; ++i, ++chance)
                    if (row[i] > 0) arrivals.emplace_back(-std::log1p(-*chance) / row[i], i);
                std::ranges::partial_sort(arrivals, arrivals.begin() + count);
                for (std::int64_t i = 0; i < count; ++i) place[i] = arrivals[static_cast<std::size_t>(i)].second;
            }
        }
        return drawn;
    });
}

Tensor permutation(std::int64_t n, Generator& generator, const SourceLine& where) {
    if (n < 0) located("permutation", {}, where, [&] { throw ValueError(fmt::format("n is {}, less than 0", n)); });
    Tensor order = arange(n);
    auto* const number = order.mutable_data<std::int64_t>();
    for (std::int64_t i = n - 1; i > 0; --i)
        std::swap(number[i], number[generator.below(static_cast<std::uint64_t>(i) + 1)]);
    return order;
}

}  // namespace wengert
