#pragma once

#include <array>
#include <tuple>
#include <utility>
#include <wengert/ops/elementwise/internal/nest.hpp>

/// Loops over elements of any types, where a formula's registers hold floats only.
namespace wengert {

/// Calls f with each of the next steps, which are 0 or 1, as a constant, so that the loop over them is vectorized.
template <std::size_t left, class F, class... Steps>
void with_constant_steps(const std::int64_t* step, const F& f, Steps... before) {
    if constexpr (left == 0)
        f(before...);
    else if (*step == 0)
        with_constant_steps<left - 1>(step + 1, f, before..., std::integral_constant<std::int64_t, 0>());
    else
        with_constant_steps<left - 1>(step + 1, f, before..., std::integral_constant<std::int64_t, 1>());
}

/// out = f(in...), element by element: operands of types X, which broadcast to the shape of a result of type R.
template <class R, class... X, class F>
void store_plain(const Tensor& out, const std::array<const Tensor*, sizeof...(X)>& in, const F& f) {
    constexpr std::size_t operands = sizeof...(X);
    Nest nest(out.shape(), operands + 1);
    nest.set(0, out);
    for (std::size_t k = 0; k < operands; ++k) nest.set(static_cast<int>(k) + 1, *in[k]);
    nest.arrange();
    const auto run = [&]<std::size_t... k>(std::index_sequence<k...>) {
        R* const to = static_cast<R*>(out.raw());
        const std::tuple from{static_cast<const X*>(in[k]->raw())...};
        const auto row = [&](const std::int64_t* offset, const std::int64_t* step, std::int64_t n) {
            const auto loop = [&](std::int64_t to_step, auto... by) {
                R* const y = to + offset[0];
                const std::tuple x{std::get<k>(from) + offset[k + 1]...};
                for (std::int64_t i = 0; i < n; ++i) y[i * to_step] = f(std::get<k>(x)[i * by]...);
            };
            if (step[0] == 1 && ((step[k + 1] <= 1) && ...))
                with_constant_steps<operands>(step + 1, [&](auto... by) { loop(1, by...); });
            else
                loop(step[0], step[k + 1]...);
        };
        nest.run(nest.shared_axis(0, 1, [](int) { return true; }), row);
    };
    run(std::make_index_sequence<operands>());
}

}  // namespace wengert
