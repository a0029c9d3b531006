#include <algorithm>
#include <functional>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/reduce/counts.hpp>
#include <wengert/ops/reduce/internal/rows.hpp>

namespace wengert {

Tensor count_nonzero(const Input& x, const ReductionAxes& axes, bool keepdim) {
    static_assert(is_listed<CountNonzero>, "the op is missing in its family's list");
    return apply(CountNonzero{axes.keeping_dims(keepdim)}, x);
}

void CountNonzero::forward(const Inputs& in, const Destination& out) const {
    auto* const to = static_cast<std::int64_t*>(out.tensor.raw());
    visit_dtype(in[0].dtype(), [&](auto type) {
        using T = decltype(type);
        reduce_rows<T>(
            axes, in[0],
            [](std::span<const T> x, std::int64_t) {
                return std::int64_t{std::ranges::count_if(x, [](T element) { return element != 0; })};
            },
            std::plus<>(), [to](std::int64_t row, std::int64_t count) { to[row] = count; });
    });
}

std::vector<Sample> CountNonzero::samples() {
    const auto over = [](const ReductionAxes& axes, bool keepdim) {
        return [=](const std::vector<Tensor>& in) { return count_nonzero(in[0], axes, keepdim); };
    };
    return {{"[3, 7], axis -1", {sample_values({3, 7}, -1, 1, 1)}, over(-1, false)},
            {"[2, 3, 4], axes 2 and 0, keepdim", {sample_values({2, 3, 4}, -1, 1, 2)}, over({2, 0}, true)},
            {"[2, 0], all", {sample_values({2, 0}, -1, 1, 3)}, over(all_axes, false)}};
}

Tensor any(const Input& x, const ReductionAxes& axes, bool keepdim) {
    return located("any", {x}, [&] { return Input(count_nonzero(x, axes, keepdim), x.where()) > 0; });
}

Tensor all(const Input& x, const ReductionAxes& axes, bool keepdim) {
    return located("all", {x},
                   [&] { return Input(count_nonzero(x, axes, keepdim), x.where()) == axes.count(x.tensor().shape()); });
}

}  // namespace wengert
