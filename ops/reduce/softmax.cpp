#include <wengert/autograd/tensor/parallel.hpp>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/elementwise/map.hpp>
#include <wengert/ops/listed.hpp>
#include <wengert/ops/reduce/internal/softmax_rows.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/reduce/softmax.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {
namespace {

void require_rows(const Tensor& x) {
    if (!is_floating(x.dtype())) throw DtypeError("the operand is int64; float32 or float64 is needed");
    if (x.rank() == 0) throw ShapeError("a scalar has no axis to sum over");
}

/// Calls f(row, out_row, n) for each row of a tensor, in parallel. `out_step` is how far the output moves with each
/// row.
template <class F>
void for_each_row_of(const Tensor& x, const Tensor& out, std::int64_t out_step, const F& f) {
    const Tensor rows = packed(x);
    const std::int64_t n = x.shape().back(),
                       count = n == 0 ? out.numel() / std::max<std::int64_t>(out_step, 1) : x.numel() / n;
    visit_floating(x.dtype(), [&](auto type) {
        using T = decltype(type);
        const T* const from = static_cast<const T*>(rows.raw());
        T* const to = static_cast<T*>(out.raw());
        parallel_ranges(count, 1, x.numel(), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) f(from + i * n, to + i * out_step, n);
        });
    });
}

/// The function of a tensor whose last axis is the one to work along.
template <class F>
Tensor along_last(const Input& x, int axis, std::string_view op, const F& f) {
    const int at = axis_of(x, axis, op);
    if (at == x.tensor().rank() - 1) return f(x);
    const Tensor rows = transpose(x, at, -1), result = f({rows, x.where()});
    return transpose({result, x.where()}, at, -1);
}

std::vector<Sample> row_samples(Tensor (*f)(const Input&, int)) {
    const auto along = [f](int axis) { return [=](const std::vector<Tensor>& in) { return f(in[0], axis); }; };
    return {{"[3, 5]", {sample_values({3, 5}, -2, 2, 1)}, along(-1)},
            {"[2, 19]", {sample_values({2, 19}, -2, 2, 2)}, along(-1)},
            {"[2, 4, 3], axis 1", {sample_values({2, 4, 3}, -2, 2, 3)}, along(1)},
            {"[4, 1]", {sample_values({4, 1}, -2, 2, 4)}, along(-1)},
            {"[0, 3]", {sample_values({0, 3}, -2, 2, 5)}, along(-1)},
            {"extremes", {tensor({1000, 999, -1000, 0, -1e5, 3}, {2, 3}, Dtype::float64)}, along(-1)}};
}

}  // namespace

Tensor softmax(const Input& x, int axis) {
    static_assert(is_listed<Softmax>, "the op is missing in AllOps (listed.hpp)");
    return along_last(x, axis, Softmax::name,
                      [](const Input& rows) { return apply(Softmax{}, {&rows.tensor()}, rows.where()); });
}
Tensor log_softmax(const Input& x, int axis) {
    static_assert(is_listed<LogSoftmax>, "the op is missing in AllOps (listed.hpp)");
    return along_last(x, axis, LogSoftmax::name,
                      [](const Input& rows) { return apply(LogSoftmax{}, {&rows.tensor()}, rows.where()); });
}
Tensor logsumexp(const Input& x, int axis) {
    static_assert(is_listed<LogSumExp>, "the op is missing in AllOps (listed.hpp)");
    const int at = axis_of(x, axis, LogSumExp::name);
    if (at == x.tensor().rank() - 1) return apply(LogSumExp{}, {&x.tensor()}, x.where());
    Shape order = x.tensor().shape();
    for (int i = 0; i < order.rank(); ++i) order[i] = i < at ? i : i + 1;
    order[order.rank() - 1] = at;
    const Tensor rows = permute(x, order);
    return apply(LogSumExp{}, {&rows}, x.where());
}

Shape Softmax::shape(const Inputs& in) const { return require_rows(in[0]), in[0].shape(); }

void Softmax::forward(const Inputs& in, const Destination& out) const {
    for_each_row_of(in[0], out.tensor, in[0].shape().back(), [](const auto* x, auto* y, std::int64_t n) {
        const auto total = sum_exponentials(x, n, y);
        if (total.sum == 0) return;
        const auto scale = 1 / total.sum;
        for (std::int64_t i = 0; i < n; ++i) y[i] *= scale;
    });
}

void Softmax::vjp(Backward& back) const {
    const Tensor &y = back.saved(0), &ct = back.cotangent();
    const Tensor inner = sum(ct * y, -1, true);
    back.add(0, map([](auto y, auto ct, auto inner) { return y * (ct - inner); }, y, ct, inner));
}

std::vector<Sample> Softmax::samples() { return row_samples(softmax); }

Shape LogSoftmax::shape(const Inputs& in) const { return require_rows(in[0]), in[0].shape(); }

void LogSoftmax::forward(const Inputs& in, const Destination& out) const {
    for_each_row_of(in[0], out.tensor, in[0].shape().back(), [](const auto* x, auto* y, std::int64_t n) {
        const auto [shift, sum] = sum_exponentials<std::remove_pointer_t<decltype(y)>>(x, n, nullptr);
        const auto log_sum = std::log(sum);
        for (std::int64_t i = 0; i < n; ++i) y[i] = (x[i] - shift) - log_sum;
    });
}

void LogSoftmax::vjp(Backward& back) const {
    const Tensor &y = back.saved(0), &ct = back.cotangent();
    const Tensor total = sum(ct, -1, true);
    back.add(0, map([](auto y, auto ct, auto total) { return ct - exp(y) * total; }, y, ct, total));
}

std::vector<Sample> LogSoftmax::samples() { return row_samples(log_softmax); }

Shape LogSumExp::shape(const Inputs& in) const {
    require_rows(in[0]);
    Shape result = in[0].shape();
    result.erase(result.rank() - 1);
    return result;
}

void LogSumExp::forward(const Inputs& in, const Destination& out) const {
    for_each_row_of(in[0], out.tensor, 1, [](const auto* x, auto* y, std::int64_t n) {
        *y = sum_exponentials<std::remove_pointer_t<decltype(y)>>(x, n, nullptr).log();
    });
}

void LogSumExp::vjp(Backward& back) const { back.add(0, softmax(back.saved(0)) * unsqueeze(back.cotangent(), -1)); }

std::vector<Sample> LogSumExp::samples() { return row_samples(logsumexp); }

}  // namespace wengert
