#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <wengert/models/text/internal/piece_sampling.hpp>
#include <wengert/ops/random/random.hpp>

#include "../words.hpp"

using namespace wengert;
using namespace wengert::subwords;

namespace {

using Shares = std::map<Sentence, double>;

/// Draws many times and compares how often each result comes with what is expected of it.
template <class Draw>
void check_shares(const Draw& draw, const Shares& expected) {
    constexpr int draws = 20000;
    Generator generator(11);
    Shares counts;
    for (int i = 0; i < draws; ++i) ++counts[draw(generator)];
    for (const auto& [tokens, count] : counts) {
        CAPTURE(tokens);
        CHECK(expected.contains(tokens));
    }
    for (const auto& [tokens, share] : expected) {
        CAPTURE(tokens);
        const double deviation = std::sqrt(share * (1 - share) / draws);
        CHECK(std::abs(counts[tokens] / draws - share) <= 4 * deviation);
    }
}

}  // namespace

TEST_CASE("merges: the distribution of dropout follows from the algorithm") {
    const PieceTable table(std::vector<Piece>{{"▁a", 0}, {"▁ab", -1}, {"ab", -2}, {"▁", -3}, {"a", -4}, {"b", -5}});
    for (const double p : {0.0, 0.1, 0.5, 1.0}) {
        CAPTURE(p);
        const double q = 1 - p;
        Shares expected;
        // Of the first two pairs ▁a is taken if it is kept, else ab if that is kept; then the rest, if that is kept.
        const std::pair<const char*, double> shares[] = {
            {"▁ab", q * q + p * q * q}, {"▁a b", q * p}, {"▁ ab", p * q * p}, {"▁ a b", p * p}};
        for (const auto& [tokens, share] : shares) {
            if (share > 0) expected[words(tokens)] = share;
        }
        check_shares([&](Generator& g) { return merge_with_dropout(table, "▁ab", p, g); }, expected);
    }
}

TEST_CASE("merges: the highest score first, the leftmost of equals, and none across words") {
    const PieceTable table(std::vector<Piece>{{"aa", -1}, {"▁b", -2}, {"aab", -3}, {"a▁", -4}});
    Generator generator;
    const auto merge = [&](std::string_view text) { return merge_with_dropout(table, text, 0, generator); };
    CHECK(merge("▁aaa") == words("▁ aa a"));
    CHECK(merge("▁aab▁b▁a") == words("▁ aab ▁b ▁ a"));
    CHECK(merge("▁我é𠀀") == words("▁ 我 é 𠀀"));
    CHECK(merge("▁") == words("▁"));
    CHECK(merge("").empty());
    CHECK(generator.position() == 0);
}

TEST_CASE("pieces: every way to split has the share of its probability to the power of alpha") {
    const std::vector<Piece> pieces = {{"▁", -2.0}, {"a", -1.5}, {"b", -2.5}, {"▁a", -2.2}, {"ab", -3.1}, {"▁ab", -5}};
    const PieceTable table(pieces);
    for (const double alpha : {0.0, 0.3, 1.0, 3.0}) {
        CAPTURE(alpha);
        Shares expected;
        double sum = 0;
        for (const auto& [tokens, logarithm] :
             {std::pair{"▁ a b", -6.0}, {"▁a b", -4.7}, {"▁ ab", -5.1}, {"▁ab", -5.0}}) {
            sum += expected[words(tokens)] = std::exp(alpha * logarithm);
        }
        for (auto& [tokens, share] : expected) share /= sum;
        check_shares([&](Generator& g) { return sample_pieces(table, "▁ab", alpha, g); }, expected);
    }
}

TEST_CASE("pieces: a character without a piece is a token") {
    const PieceTable table(std::vector<Piece>{{"▁a", -1}, {"▁", -2}});
    Generator generator;
    CHECK(sample_pieces(table, "▁我", 1, generator) == words("▁ 我"));
    CHECK(sample_pieces(table, "▁a𠀀é", 1000, generator) == words("▁a 𠀀 é"));
    CHECK(sample_pieces(table, "", 1, generator).empty());
}

TEST_CASE("the same place in the random numbers gives the same tokens") {
    const PieceTable table(std::vector<Piece>{{"▁a", 0}, {"▁ab", -1}, {"ab", -2}, {"▁", -3}, {"a", -4}, {"b", -5}});
    Generator one(3), two(3);
    for (int i = 0; i < 20; ++i) {
        CHECK(merge_with_dropout(table, "▁ab▁ab", 0.5, one) == merge_with_dropout(table, "▁ab▁ab", 0.5, two));
        CHECK(sample_pieces(table, "▁ab▁ab", 0.5, one) == sample_pieces(table, "▁ab▁ab", 0.5, two));
    }
    CHECK(one == two);
}
