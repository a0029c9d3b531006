#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <wengert/models/seq2seq/decoding/internal/token_choice.hpp>

using namespace wengert;

namespace {

constexpr double never = -std::numeric_limits<double>::infinity();

/// By sorting all.
std::vector<std::int64_t> sorted_tokens(const std::vector<double>& scores, const std::vector<std::int64_t>& forbidden,
                                        std::size_t count) {
    std::vector<std::int64_t> tokens;
    for (std::int64_t i = 0; i < std::ssize(scores); ++i)
        if (scores[static_cast<std::size_t>(i)] != never && std::ranges::count(forbidden, i) == 0) tokens.push_back(i);
    std::ranges::stable_sort(tokens, [&](std::int64_t a, std::int64_t b) {
        return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)];
    });
    tokens.resize(std::min(tokens.size(), count));
    return tokens;
}

}  // namespace

TEST_CASE("best_tokens: as sorting finds them, with ties, impossible and forbidden tokens") {
    std::mt19937 random(1);
    for (const std::int64_t size : {0, 1, 6, 63, 64, 65, 129, 1000})
        for (const std::uint32_t levels : {1, 3, 50, 100000})
            for (const std::size_t count : {1, 5, 64, 65})
                for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
                    std::vector<double> scores;
                    for (std::int64_t i = 0; i < size; ++i)
                        scores.push_back(random() % 7 == 0 ? never : -static_cast<double>(random() % levels));
                    std::vector<std::int64_t> forbidden{0, 2, 63};
                    if (!scores.empty()) forbidden.push_back(std::ranges::max_element(scores) - scores.begin());
                    CAPTURE(size);
                    CAPTURE(levels);
                    CAPTURE(count);
                    std::vector<std::int64_t> found;
                    for (const TokenChoice& choice : best_tokens(cast(tensor(scores), dtype), forbidden, count)) {
                        CHECK(choice.log_probability == scores[static_cast<std::size_t>(choice.token)]);
                        found.push_back(choice.token);
                    }
                    CHECK(found == sorted_tokens(scores, forbidden, count));
                }
    std::vector<double> scores(100, -1);
    scores[99] = std::numeric_limits<double>::quiet_NaN();
    CHECK_THROWS_AS(best_tokens(tensor(scores), {}, 1), NonFiniteError);
}

TEST_CASE("draw_token: none where all are forbidden or impossible") {
    Generator random(1);
    const std::vector<std::int64_t> forbidden{0, 1};
    CHECK(!draw_token(tensor({-1, -1, never, never}, Dtype::float64), forbidden, {1, 0, 1}, random));
    CHECK(draw_token(tensor({-1, -1, never, -5}, Dtype::float64), forbidden, {1, 0, 1}, random)->token == 3);
}
