#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/seq2seq/decoding/internal/token_choice.hpp>

namespace wengert {
namespace {

constexpr std::size_t few = 64;

[[noreturn]] void throw_not_finite() {
    throw NonFiniteError("search: the model's log probabilities are NaN; its weights may not be finite");
}

bool comes_before(const TokenChoice& a, const TokenChoice& b) {
    return a.log_probability > b.log_probability || (a.log_probability == b.log_probability && a.token < b.token);
}

}  // namespace

std::vector<TokenChoice> best_tokens(const Tensor& log_probabilities, std::span<const std::int64_t> forbidden,
                                     std::size_t count) {
    std::vector<TokenChoice> best;
    visit_floating(log_probabilities.dtype(), [&](auto type) {
        using T = decltype(type);
        const std::span scores(log_probabilities.data<T>(), static_cast<std::size_t>(log_probabilities.numel()));
        // A new token is rarely among the best of few, which one comparison finds out, of many at once.
        constexpr std::size_t together = 64;
        T worst = -std::numeric_limits<T>::infinity();
        for (std::size_t begin = 0; begin < scores.size(); begin += together) {
            const std::size_t end = std::min(begin + together, scores.size());
            int better = 0;
            for (std::size_t token = begin; token < end; ++token) better |= !(scores[token] <= worst);
            for (std::size_t token = better != 0 ? begin : end; token < end; ++token) {
                const T score = scores[token];
                if (score <= worst) continue;
                if (score != score) throw_not_finite();
                const auto id = static_cast<std::int64_t>(token);
                if (std::ranges::count(forbidden, id) > 0) continue;
                best.push_back({id, static_cast<double>(score)});
                if (count > few) continue;
                std::ranges::sort(best, comes_before);
                if (best.size() > count) best.pop_back();
                if (best.size() == count) worst = static_cast<T>(best.back().log_probability);
            }
        }
    });
    std::ranges::sort(best, comes_before);
    best.resize(std::min(best.size(), count));
    return best;
}

std::optional<TokenChoice> draw_token(const Tensor& log_probabilities, std::span<const std::int64_t> forbidden,
                                      const SamplingLimits& limits, Generator& random) {
    const auto all = static_cast<std::size_t>(log_probabilities.numel());
    const std::vector<TokenChoice> ordered =
        best_tokens(log_probabilities, forbidden, limits.top_k > 0 ? static_cast<std::size_t>(limits.top_k) : all);
    if (ordered.empty()) return std::nullopt;
    std::vector<double> shares;
    double total = 0;
    for (const TokenChoice& choice : ordered) {
        shares.push_back(std::exp((choice.log_probability - ordered[0].log_probability) / limits.temperature));
        total += shares.back();
    }
    // The likeliest tokens that reach top_p together.
    double kept = 0;
    std::size_t count = 0;
    while (count < shares.size() && (count == 0 || kept < limits.top_p * total)) kept += shares[count++];
    double rest = random.uniform() * kept;
    std::size_t drawn = 0;
    while (drawn + 1 < count && rest >= shares[drawn]) rest -= shares[drawn++];
    return ordered[drawn];
}

}  // namespace wengert
