#include <wengert/ops/internal/composed.hpp>

namespace wengert {

std::span<const ComposedFunction> composed_random_tensors() {
    static constexpr ComposedFunction rows[] = {
        {{"uniform(shape, low, high, generator)", "-> shape", "independent, in [low, high)", "none"}},
        {{"normal(shape, mean, deviation, generator)", "-> shape", "independent, normal", "none"}},
        {{"randint(low, high, shape, generator)", "-> int64, shape", "independent, of low .. high - 1", "none"}}};
    return rows;
}

std::span<const ComposedFunction> composed_distributions() {
    static constexpr ComposedFunction rows[] = {
        {{"bernoulli(probability, generator)", "[..] -> the same", "1 with the probability, else 0", "none"}},
        {{"gamma(a, generator)", "[..] -> the same", "of gamma distributions, scale 1", "none"}},
        {{"multinomial(weights, count, generator, replacement = false)", "[.., n] -> int64 [.., count]",
          "positions drawn by their weights", "none"}},
        {{"permutation(n, generator)", "-> int64 [n]", "0 .. n - 1 in random order", "none"}}};
    return rows;
}

}  // namespace wengert
