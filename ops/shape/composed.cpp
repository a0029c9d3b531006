#include <algorithm>
#include <wengert/ops/internal/composed.hpp>
#include <wengert/ops/ops.hpp>

namespace wengert {

std::span<const ComposedFunction> composed_views() {
    static constexpr ComposedFunction rows[] = {
        {{"transpose(x, axis_a = -2, axis_b = -1)", "two axes exchanged", "a view", "ct transposed"},
         [] {
             return Samples{sample_of("[2, 3]", {{2, 3}}, [](const auto& in) { return transpose(in[0]); }),
                            sample_of("[2, 3, 4], axes 0 and 2", {{2, 3, 4}},
                                      [](const auto& in) { return transpose(in[0], 0, 2); })};
         }},
        {{"unsqueeze(x, axis), squeeze(x, axis), squeeze(x)", "[.., ..] <-> [.., 1, ..]", "a view", "ct in x's shape"},
         [] {
             return Samples{
                 sample_of("unsqueeze, [2, 3]", {{2, 3}}, [](const auto& in) { return unsqueeze(in[0], -2); }),
                 sample_of("squeeze, [2, 1, 3], axis 1", {{2, 1, 3}}, [](const auto& in) { return squeeze(in[0], 1); }),
                 sample_of("squeeze, [1, 3, 1]", {{1, 3, 1}}, [](const auto& in) { return squeeze(in[0]); })};
         }},
        {{"chunk<n>(x, axis = -1), chunk(x, n, axis)", "n slices of equal length, but the last", "views",
          "each slice's ct in its place"},
         [] {
             return Samples{sample_of("[2, 5] in 3 parts", {{2, 5}},
                                      [](const auto& in) {
                                          std::vector<Tensor> parts = chunk(in[0], 3, 1);
                                          std::ranges::reverse(parts);
                                          return concat(parts, 1);
                                      }),
                            sample_of("[4, 3] in 2 parts that are not equal", {{4, 3}}, [](const auto& in) {
                                const auto [a, b] = chunk<2>(in[0]);
                                return a * b;
                            })};
         }}};
    return rows;
}

}  // namespace wengert
