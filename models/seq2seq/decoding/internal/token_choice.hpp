#pragma once

#include <optional>
#include <span>
#include <vector>
#include <wengert/autograd/tensor/tensor.hpp>
#include <wengert/ops/random/random.hpp>

namespace wengert {

/// A token that a hypothesis may go on with.
struct TokenChoice {
    std::int64_t token;
    double log_probability;
    std::size_t row = 0;  ///< of the hypothesis
    double total = 0;     ///< the log probability of the hypothesis with it
};

/// The `count` most probable tokens of log probabilities [V], the best first, equal ones by their id. Throws
/// NonFiniteError if one is NaN.
std::vector<TokenChoice> best_tokens(const Tensor& log_probabilities, std::span<const std::int64_t> forbidden,
                                     std::size_t count);

struct SamplingLimits {
    double temperature;
    std::int64_t top_k;  ///< 0: all
    double top_p;
};
/// A token at random; none if all are forbidden or impossible. Its log probability is the model's, whatever the limits
/// make of it.
std::optional<TokenChoice> draw_token(const Tensor& log_probabilities, std::span<const std::int64_t> forbidden,
                                      const SamplingLimits& limits, Generator& random);

}  // namespace wengert
