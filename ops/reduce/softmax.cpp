#include <functional>
#include <wengert/ops/elementwise/map.hpp>
#include <wengert/ops/reduce/internal/rows.hpp>
#include <wengert/ops/reduce/internal/softmax_rows.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/reduce/softmax.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {
namespace {

/// The shape of a result like x. Throws ShapeError for an axis that x does not have.
Shape same_shape(const Tensor& x, const ReductionAxes& axes) {
    require_floating(x);
    axes.flags(x.rank());
    return x.shape();
}

/// Calls f(x, y) for each row of x and of the result.
template <class F>
void map_rows(const ReductionAxes& axes, const Tensor& in, const Tensor& out, const F& f) {
    visit_floating(in.dtype(), [&](auto type) {
        using T = decltype(type);
        for_each_row<const T, T>(axes, {&in, &out},
                                 [&f](std::int64_t, std::span<const T> x, std::span<T> y) { f(x, y); });
    });
}

std::vector<Sample> row_samples(const std::function<Tensor(const Tensor&, const ReductionAxes&)>& f) {
    const auto along = [f](const ReductionAxes& axes) {
        return [=](const std::vector<Tensor>& in) { return f(in[0], axes); };
    };
    return {{"[3, 5]", {sample_values({3, 5}, -2, 2, 1)}, along(-1)},
            {"[2, 19]", {sample_values({2, 19}, -2, 2, 2)}, along(-1)},
            {"[2, 4, 3], axis 1", {sample_values({2, 4, 3}, -2, 2, 3)}, along(1)},
            {"[2, 3, 4], axes 0 and 2", {sample_values({2, 3, 4}, -2, 2, 6)}, along({0, 2})},
            {"[2, 3], all", {sample_values({2, 3}, -2, 2, 7)}, along(all_axes)},
            {"[4, 1]", {sample_values({4, 1}, -2, 2, 4)}, along(-1)},
            {"[0, 3]", {sample_values({0, 3}, -2, 2, 5)}, along(-1)},
            {"extremes", {tensor({1000, 999, -1000, 0, -1e5, 3}, {2, 3}, Dtype::float64)}, along(-1)}};
}

}  // namespace

// softmax

Tensor softmax(const Input& x, const ReductionAxes& axes) {
    static_assert(is_listed<Softmax>, "the op is missing in its family's list");
    return apply(Softmax{axes}, x);
}

Shape Softmax::shape(const Inputs& in) const { return same_shape(in[0], axes); }

void Softmax::forward(const Inputs& in, const Destination& out) const {
    map_rows(axes, in[0], out.tensor, [](const auto& x, const auto& y) {
        const auto total = sum_exponentials(x.data(), std::ssize(x), y.data());
        if (total.sum == 0) return;
        const auto scale = 1 / total.sum;
        for (auto& element : y) element *= scale;
    });
}

void Softmax::vjp(Backward& back) const {
    const Tensor &y = back.saved(0), &ct = back.cotangent();
    const Tensor inner = sum(ct * y, axes, true);
    back.add(0, map([](auto y, auto ct, auto inner) { return y * (ct - inner); }, y, ct, inner));
}

Tensor Softmax::jvp(const Forward& forward) const {
    const Tensor &y = forward.output(), &dx = forward.tangent(0);
    return map([](auto y, auto dx, auto mean) { return y * (dx - mean); }, y, dx, sum(dx * y, axes, true));
}

std::vector<Sample> Softmax::samples() {
    return row_samples([](const Tensor& x, const ReductionAxes& axes) { return softmax(x, axes); });
}

// log_softmax

Tensor log_softmax(const Input& x, const ReductionAxes& axes) {
    static_assert(is_listed<LogSoftmax>, "the op is missing in its family's list");
    return apply(LogSoftmax{axes}, x);
}

Shape LogSoftmax::shape(const Inputs& in) const { return same_shape(in[0], axes); }

void LogSoftmax::forward(const Inputs& in, const Destination& out) const {
    map_rows(axes, in[0], out.tensor, [](const auto& x, const auto& y) {
        const auto [shift, sum] = sum_exponentials(x.data(), std::ssize(x), decltype(y.data()){});
        const auto log_sum = std::log(sum);
        for (std::size_t i = 0; i < y.size(); ++i) y[i] = (x[i] - shift) - log_sum;
    });
}

void LogSoftmax::vjp(Backward& back) const {
    const Tensor &y = back.saved(0), &ct = back.cotangent();
    const Tensor total = sum(ct, axes, true);
    back.add(0, map([](auto y, auto ct, auto total) { return ct - exp(y) * total; }, y, ct, total));
}

Tensor LogSoftmax::jvp(const Forward& forward) const {
    const Tensor& dx = forward.tangent(0);
    return dx - sum(exp(forward.output()) * dx, axes, true);
}

std::vector<Sample> LogSoftmax::samples() {
    return row_samples([](const Tensor& x, const ReductionAxes& axes) { return log_softmax(x, axes); });
}

// logsumexp

Tensor logsumexp(const Input& x, const ReductionAxes& axes, bool keepdim) {
    static_assert(is_listed<LogSumExp>, "the op is missing in its family's list");
    return apply(LogSumExp{axes.keeping_dims(keepdim)}, x);
}

Shape LogSumExp::shape(const Inputs& in) const {
    require_floating(in[0]);
    return axes.reduced(in[0].shape());
}

void LogSumExp::forward(const Inputs& in, const Destination& out) const {
    visit_floating(in[0].dtype(), [&](auto type) {
        using T = decltype(type);
        T* const to = static_cast<T*>(out.tensor.raw());
        reduce_rows<T>(
            axes, in[0],
            [](std::span<const T> x, std::int64_t) { return sum_exponentials<T>(x.data(), std::ssize(x), nullptr); },
            std::plus<>(), [to](std::int64_t row, const RowSum<T>& total) { to[row] = total.log(); });
    });
}

void LogSumExp::vjp(Backward& back) const {
    const Tensor& x = back.saved(0);
    back.add(0, softmax(x, axes) * reshape(back.cotangent(), axes.kept(x.shape())));
}

Tensor LogSumExp::jvp(const Forward& forward) const {
    return sum(softmax(forward.input(0), axes) * forward.tangent(0), axes);
}

std::vector<Sample> LogSumExp::samples() {
    std::vector<Sample> samples =
        row_samples([](const Tensor& x, const ReductionAxes& axes) { return logsumexp(x, axes); });
    samples.push_back({"[2, 4, 3], axis 1, keepdim", {sample_values({2, 4, 3}, -2, 2, 8)}, [](const auto& in) {
                           return logsumexp(in[0], 1, true);
                       }});
    return samples;
}

}  // namespace wengert
