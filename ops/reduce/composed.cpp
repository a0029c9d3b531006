#include <limits>
#include <wengert/ops/internal/composed.hpp>
#include <wengert/ops/ops.hpp>

namespace wengert {

std::span<const ComposedFunction> composed_counts() {
    static constexpr ComposedFunction rows[] = {{{"any(x, axes = all_axes, keepdim = false)", "[.., n, ..] -> [.., ..]",
                                                  "whether an element is not 0, bool", "none"}},
                                                {{"all(x, axes = all_axes, keepdim = false)", "[.., n, ..] -> [.., ..]",
                                                  "whether no element is 0, bool", "none"}}};
    return rows;
}

std::span<const ComposedFunction> composed_reductions() {
    static constexpr ComposedFunction rows[] = {
        {{"mean(x, axes = all_axes, keepdim = false)", "[.., n, ..] -> [.., ..]", "Σ x / n", "ct / n"},
         [] {
             return Samples{sample_of("[2, 3], all axes", {{2, 3}}, [](const auto& in) { return mean(in[0]); }),
                            sample_of("[2, 3, 4], axes 0 and 2, keepdim", {{2, 3, 4}}, [](const auto& in) {
                                return mean(in[0], {0, -1}, true);
                            })};
         }},
        {{"sum_to(x, shape)", "-> shape", "x summed over the axes that broadcasting stretched", "ct, stretched"}, [] {
             return Samples{sample_of("[2, 3, 4] to [3, 1]", {{2, 3, 4}},
                                      [](const auto& in) {
                                          return sum_to(in[0], {3, 1});
                                      }),
                            sample_of("[2, 3] to []", {{2, 3}}, [](const auto& in) { return sum_to(in[0], {}); }),
                            sample_of("[2, 3], nothing to sum", {{2, 3}}, [](const auto& in) {
                                return sum_to(in[0], {2, 3});
                            })};
         }}};
    return rows;
}

std::span<const ComposedFunction> composed_statistics() {
    static constexpr ComposedFunction rows[] = {
        {{"var(x, axes = all_axes, correction = 1, keepdim = false)", "[.., n, ..] -> [.., ..]",
          "Σ (x - mean)² / (n - correction)", "2 ct (x - mean) / (n - correction)"},
         [] {
             return Samples{
                 sample_of("a sample's, [2, 3]", {{2, 3}}, [](const auto& in) { return var(in[0]); }),
                 sample_of("a population's, [3, 4], axis 0, keepdim", {{3, 4}},
                           [](const auto& in) { return var(in[0], 0, 0, true); }),
                 sample_of("another correction, [2, 4]", {{2, 4}}, [](const auto& in) { return var(in[0], 1, 1.5); })};
         }},
        {{"stddev(x, axes = all_axes, correction = 1, keepdim = false)", "[.., n, ..] -> [.., ..]", "√var",
          "ct (x - mean) / ((n - correction) y)"},
         [] {
             return Samples{sample_of("a sample's, [2, 3]", {{2, 3}}, [](const auto& in) { return stddev(in[0]); }),
                            sample_of("a population's, [3, 4], axis 0, keepdim", {{3, 4}},
                                      [](const auto& in) { return stddev(in[0], 0, 0, true); })};
         }},
        {{"norm(x, p = 2, axes = all_axes, keepdim = false)", "[.., n, ..] -> [.., ..]", "(Σ (abs x)ᵖ)^(1/p)",
          "ct sign x (abs x / y)ᵖ⁻¹, 0 where y is 0"},
         [] {
             const auto of_rows = [](double p) {
                 return [p](const std::vector<Tensor>& in) { return norm(in[0], p, -1); };
             };
             return Samples{
                 sample_of("p = 2, [2, 3]", {{2, 3}}, [](const auto& in) { return norm(in[0]); }),
                 sample_of("p = 1, [2, 3]", {{2, 3}}, of_rows(1)), sample_of("p = 3.5, [2, 3]", {{2, 3}}, of_rows(3.5)),
                 sample_of("p = 0.5, axis 0, keepdim", {{3, 2}},
                           [](const auto& in) { return norm(in[0], 0.5, 0, true); }),
                 sample_of("p = infinity, [2, 3]", {{2, 3}}, of_rows(std::numeric_limits<double>::infinity()))};
         }}};
    return rows;
}

}  // namespace wengert
