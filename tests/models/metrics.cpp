#include <doctest/doctest.h>

#include <cmath>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/metrics.hpp>

#include "text/words.hpp"

using namespace wengert;

namespace {

using Sentences = std::vector<std::vector<std::string>>;

void check_close(double actual, double expected) {
    CAPTURE(actual);
    CAPTURE(expected);
    CHECK(std::abs(actual - expected) < 1e-12);
}

}  // namespace

TEST_CASE("BLEU against numbers worked out by hand") {
    const Bleu bleu = corpus_bleu(Sentences{words("the cat big sat on the mat")},
                                  Sentences{words("the cat that we saw sat on the mat")});
    check_close(bleu.precisions[0], 6.0 / 7);  // all but "big"
    check_close(bleu.precisions[1], 4.0 / 6);  // the cat, sat on, on the, the mat
    check_close(bleu.precisions[2], 2.0 / 5);  // sat on the, on the mat
    check_close(bleu.precisions[3], 1.0 / 4);  // sat on the mat
    CHECK(bleu.hypothesis_length == 7);
    CHECK(bleu.reference_length == 9);
    check_close(bleu.brevity_penalty, std::exp(-2.0 / 7));
    check_close(bleu.score, 100 * std::exp(-2.0 / 7) * std::pow(24.0 / 420, 0.25));
}

TEST_CASE("an n-gram counts at most as often as in the reference") {
    // The example of Papineni et al. (2002), section 2.1.
    const Bleu bleu =
        corpus_bleu(Sentences{words("the the the the the the the")}, Sentences{words("the cat is on the mat")});
    check_close(bleu.precisions[0], 2.0 / 7);
    CHECK(bleu.precisions[1] == 0);
    CHECK(bleu.brevity_penalty == 1);
    CHECK(bleu.score == 0);
}

TEST_CASE("counts and lengths are summed over the corpus, not scores averaged") {
    const Sentences hypotheses = {words("a b c d e"), words("x y"), words("p q r s")};
    const Sentences references = {words("a b c d f"), words("x z y"), words("p q r s")};
    const Bleu bleu = corpus_bleu(hypotheses, references);
    check_close(bleu.precisions[0], (4.0 + 2 + 4) / (5 + 2 + 4));
    check_close(bleu.precisions[1], (3.0 + 0 + 3) / (4 + 1 + 3));
    check_close(bleu.precisions[2], (2.0 + 0 + 2) / (3 + 0 + 2));
    check_close(bleu.precisions[3], (1.0 + 0 + 1) / (2 + 0 + 1));
    check_close(bleu.brevity_penalty, std::exp(1 - 12.0 / 11));
    check_close(bleu.score, 100 * std::exp(-1.0 / 11) * std::pow(10.0 / 11 * 6 / 8 * 4 / 5 * 2 / 3, 0.25));
}

TEST_CASE("an n-gram counts only against its own reference") {
    CHECK(corpus_bleu(Sentences{words("a"), words("b")}, Sentences{words("b"), words("a")}).precisions[0] == 0);
}

TEST_CASE("equal texts score 100, a longer hypothesis is not punished for its length") {
    const Sentences text = {words("a b c d"), words("e")};
    CHECK(corpus_bleu(text, text).score == doctest::Approx(100).epsilon(1e-14));
    CHECK(corpus_bleu(Sentences{words("a b c d e")}, Sentences{words("a b c d")}).brevity_penalty == 1);
}

TEST_CASE("there is no smoothing") {
    const Bleu bleu = corpus_bleu(Sentences{words("a b c")}, Sentences{words("a b c")});
    CHECK(bleu.precisions == std::array<double, 4>{1, 1, 1, 0});
    CHECK(bleu.score == 0);
    const Bleu silent = corpus_bleu(Sentences{{}}, Sentences{words("a")});
    CHECK(silent.score == 0);
    CHECK(silent.brevity_penalty == 0);
    CHECK(silent.reference_length == 1);
}

TEST_CASE("exact match is the fraction of equal sentences") {
    const Sentences hypotheses = {words("a b"), words("a"), words("a b c"), {}};
    const Sentences references = {words("a b"), words("b"), words("a b"), {}};
    CHECK(exact_match(hypotheses, references) == 0.5);
}

TEST_CASE("no sentences, or not as many on both sides, is refused") {
    CHECK_THROWS_WITH_AS(corpus_bleu(Sentences{}, Sentences{}), "corpus_bleu: no sentences", ValueError);
    CHECK_THROWS_WITH_AS(exact_match(Sentences{}, Sentences{}), "exact_match: no sentences", ValueError);
    CHECK_THROWS_WITH_AS(corpus_bleu(Sentences{{}}, Sentences{}), "corpus_bleu: 1 hypotheses, but 0 references",
                         ValueError);
    CHECK_THROWS_WITH_AS(exact_match(Sentences{}, Sentences{{}}), "exact_match: 0 hypotheses, but 1 references",
                         ValueError);
}
