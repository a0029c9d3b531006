#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/seq2seq/scoring/bleu.hpp>

#include "score_fixture.hpp"

using namespace wengert;
using score_fixture::check_close;
using score_fixture::Lines;

namespace {

constexpr BleuOptions plain{.tokenizer = BleuTokenizer::none, .smoothing = BleuSmoothing::none};

Bleu score(const Lines& hypotheses, const Lines& reference, const BleuOptions& options = plain) {
    return corpus_bleu(hypotheses, std::vector<Lines>{reference}, options);
}

}  // namespace

TEST_CASE("BLEU is sacrebleu's, for every option, in full and as printed") {
    CHECK(score_fixture::fixture().at("sacrebleu") == sacrebleu_version);
    score_fixture::check_scores("bleu", score_fixture::bleu_options, corpus_bleu, sentence_bleu);
}

TEST_CASE("BLEU against numbers worked out by hand") {
    const Bleu bleu = score({"the cat big sat on the mat"}, {"the cat that we saw sat on the mat"});
    check_close(bleu.precisions[0], 600.0 / 7);  // all but "big"
    check_close(bleu.precisions[1], 400.0 / 6);  // the cat, sat on, on the, the mat
    check_close(bleu.precisions[2], 200.0 / 5);  // sat on the, on the mat
    check_close(bleu.precisions[3], 100.0 / 4);  // sat on the mat
    CHECK(bleu.counts.hypothesis_length == 7);
    CHECK(bleu.counts.reference_length == 9);
    CHECK(bleu.counts.matched == std::array<std::int64_t, 4>{6, 4, 2, 1});
    CHECK(bleu.counts.total == std::array<std::int64_t, 4>{7, 6, 5, 4});
    check_close(bleu.brevity_penalty, std::exp(-2.0 / 7));
    check_close(bleu.score, 100 * std::exp(-2.0 / 7) * std::pow(24.0 / 420, 0.25));
    CHECK(to_string(bleu) == "BLEU = 36.74 85.7/66.7/40.0/25.0 (BP = 0.751 ratio = 0.778 hyp_len = 7 ref_len = 9)");
}

TEST_CASE("a BLEU n-gram counts at most as often as in the reference that has most of it") {
    // The example of Papineni et al. (2002), section 2.1.
    const std::vector<Lines> references = {{"the cat is on the mat"}, {"there is a cat on the mat"}};
    const Bleu bleu = corpus_bleu(Lines{"the the the the the the the"}, references, plain);
    check_close(bleu.precisions[0], 200.0 / 7);
    CHECK(bleu.precisions[1] == 0);
    CHECK(bleu.brevity_penalty == 1);
    CHECK(bleu.score == 0);
}

TEST_CASE("BLEU sums counts and lengths over the corpus, and an n-gram counts only against its own reference") {
    const Bleu bleu = score({"a b c d e", "x y", "p q r s"}, {"a b c d f", "x z y", "p q r s"});
    check_close(bleu.brevity_penalty, std::exp(1 - 12.0 / 11));
    check_close(bleu.score, 100 * std::exp(-1.0 / 11) * std::pow(10.0 / 11 * 6 / 8 * 4 / 5 * 2 / 3, 0.25));
    CHECK(score({"a", "b"}, {"b", "a"}).precisions[0] == 0);
}

TEST_CASE("sentence_bleu leaves out by default what a short line cannot reach") {
    const Lines reference = {"a b c"};
    check_close(sentence_bleu("a b c", reference).score, 100);
    CHECK(sentence_bleu("a b c", reference, {}).score == 0);
}

TEST_CASE("bleu_score of summed bleu_counts is corpus_bleu") {
    const Lines hypotheses = {"One two three.", "Four five six seven!"};
    const std::vector<Lines> references = {{"One two, three.", "Four five six seven!"}};
    BleuCounts sum;
    for (const BleuCounts& line : bleu_counts(hypotheses, references)) sum += line;
    CHECK(bleu_score(sum).score == corpus_bleu(hypotheses, references).score);
}

TEST_CASE("the signature of BLEU says the value of a smoothing that has one") {
    CHECK(signature(BleuOptions{}) == "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0");
    CHECK(signature(BleuOptions{.smoothing = BleuSmoothing::add_k, .smooth_value = 0.125, .lowercase = true}, 3) ==
          "nrefs:3|case:lc|eff:no|tok:13a|smooth:add-k[0.12]|version:2.6.0");
}

TEST_CASE("BLEU refuses what it cannot score") {
    const Lines one = {"a"}, two = {"a", "b"};
    CHECK_THROWS_WITH_AS(corpus_bleu(Lines{}, std::vector<Lines>{one}), "bleu: there are no hypotheses", ValueError);
    CHECK_THROWS_WITH_AS(corpus_bleu(one, std::vector<Lines>{}), "bleu: there are no references", ValueError);
    CHECK_THROWS_WITH_AS(sentence_bleu("a", Lines{}), "bleu: there are no references", ValueError);
    CHECK_THROWS_WITH_AS(signature(BleuOptions{}, 0), "bleu: there are no references", ValueError);
    CHECK_THROWS_WITH_AS(corpus_bleu(two, std::vector<Lines>{two, one}),
                         "bleu: 2 hypotheses, but 1 lines of reference 2", ValueError);
    CHECK_THROWS_WITH_AS(corpus_bleu(Lines{"a", "b\xFF"}, std::vector<Lines>{two}),
                         "bleu: hypothesis 2: invalid UTF-8 at byte 1", ValueError);
    BleuOptions options{.smooth_value = -1};
    CHECK_THROWS_WITH_AS(corpus_bleu(one, std::vector<Lines>{one}, options),
                         "bleu: smooth_value is -1, but must be finite and 0 or more", ValueError);
    options.smooth_value = std::numeric_limits<double>::quiet_NaN();
    CHECK_THROWS_AS(bleu_score({}, options), ValueError);
}
