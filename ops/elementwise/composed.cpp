#include <tuple>
#include <wengert/ops/internal/composed.hpp>
#include <wengert/ops/ops.hpp>

namespace wengert {

std::span<const ComposedFunction> composed_comparisons() {
    static constexpr ComposedFunction rows[] = {
        {{"logical_not(x)", "[..] -> the same", "whether x is 0, bool", "none"}},
        {{"isnan(x)", "[..] -> the same", "whether x is NaN, bool", "none"}},
        {{"isinf(x)", "[..] -> the same", "whether x is infinite, bool", "none"}},
        {{"isfinite(x)", "[..] -> the same", "whether x is neither, bool", "none"}}};
    return rows;
}

std::span<const ComposedFunction> composed_formulas() {
    static constexpr ComposedFunction rows[] = {
        {{"map(f, x...)", broadcast_shape, "a formula f of 1 to 32 operands, as one op; std::tuple for several results",
          "by dual numbers, for all operands in one pass"},
         [] {
             return Samples{sample_of("of three, one of them broadcasts", {{2, 5}, {5}, {2, 1}},
                                      [](const auto& in) {
                                          return map(
                                              [](auto x, auto y, auto z) { return tanh(x) * y + z / (1.0 + y * y); },
                                              in[0], in[1], in[2]);
                                      }),
                            sample_of("of two results", {{2, 3}, {2, 3}}, [](const auto& in) {
                                const auto [product, wave] = map(
                                    [](auto x, auto y) {
                                        return std::tuple{x * y, sin(x)};
                                    },
                                    in[0], in[1]);
                                return product * exp(wave);
                            })};
         }},
        {{"map_sum(f, axes, x...)", "as map, without the axes", "Σ f(x...), without the tensor that is summed",
          "by dual numbers, for all operands in one pass"},
         [] {
             const auto scores = [](auto v, auto k, auto q) { return v * tanh(k + q); };
             return Samples{sample_of("over the last axis", {{5}, {2, 3, 5}, {2, 1, 5}},
                                      [=](const auto& in) { return map_sum(scores, -1, in[0], in[1], in[2]); }),
                            sample_of("over all axes", {{2, 3}, {3}, {}},
                                      [=](const auto& in) { return map_sum(scores, all_axes, in[0], in[1], in[2]); })};
         }}};
    return rows;
}

}  // namespace wengert
