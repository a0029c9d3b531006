#include <algorithm>
#include <functional>
#include <numeric>
#include <wengert/ops/reduce/internal/integer_sums.hpp>
#include <wengert/ops/reduce/internal/rows.hpp>

namespace wengert {
namespace {

struct IntegerReduction {
    bool multiplies;
    ReductionAxes axes;

    std::string_view name() const { return multiplies ? "prod" : "sum"; }
    const ConstantCause* without_derivative() const { return nullptr; }  // its operand has none
    Shape shape(const Inputs& in) const { return axes.reduced(in[0].shape()); }
    Dtype dtype(const Inputs&) const { return Dtype::int64; }
    void forward(const Inputs& in, const Destination& out) const {
        auto* const to = static_cast<std::int64_t*>(out.tensor.raw());
        visit_integral(in[0].dtype(), [&](auto type) {
            using T = decltype(type);
            const auto over = [&](std::uint64_t start, auto join) {  // unsigned numbers wrap around
                reduce_rows<T>(
                    axes, in[0],
                    [=](std::span<const T> x, std::int64_t) {
                        return std::accumulate(x.begin(), x.end(), start, [join](std::uint64_t total, T element) {
                            return join(total, static_cast<std::uint64_t>(element));
                        });
                    },
                    join, [to](std::int64_t row, std::uint64_t total) { to[row] = static_cast<std::int64_t>(total); });
            };
            if (multiplies)
                over(1, std::multiplies<>());
            else
                over(0, std::plus<>());
        });
    }
};

struct IntegerScan {
    int axis;
    bool reverse;

    std::string_view name() const { return "cumsum"; }
    const ConstantCause* without_derivative() const { return nullptr; }
    Shape shape(const Inputs& in) const {
        normalize_axis(axis, in[0].rank());
        return in[0].shape();
    }
    Dtype dtype(const Inputs&) const { return Dtype::int64; }
    void forward(const Inputs& in, const Destination& out) const {
        visit_integral(in[0].dtype(), [&](auto type) {
            using T = decltype(type);
            for_each_row<const T, std::int64_t>(
                axis, {&in[0], &out.tensor}, [this](std::int64_t, std::span<const T> x, std::span<std::int64_t> y) {
                    std::uint64_t sum = 0;
                    const auto add = [&sum](T element) {
                        return static_cast<std::int64_t>(sum += static_cast<std::uint64_t>(element));
                    };
                    if (reverse)
                        std::transform(x.rbegin(), x.rend(), y.rbegin(), add);
                    else
                        std::transform(x.begin(), x.end(), y.begin(), add);
                });
        });
    }
};

}  // namespace

Tensor sum_of_integers(const Input& x, const ReductionAxes& axes) { return apply(IntegerReduction{false, axes}, x); }
Tensor prod_of_integers(const Input& x, const ReductionAxes& axes) { return apply(IntegerReduction{true, axes}, x); }
Tensor cumsum_of_integers(const Input& x, int axis, bool reverse) { return apply(IntegerScan{axis, reverse}, x); }

}  // namespace wengert
