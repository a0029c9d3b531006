#include <doctest/doctest.h>

#include <cmath>
#include <wengert/models/seq2seq/evaluation.hpp>
#include <wengert/models/seq2seq/training/trainer.hpp>

#include "small_translator.hpp"

using namespace wengert;

TEST_CASE("the loss is the mean over tokens, however the corpus is cut into batches") {
    const Translator translator = small_translator();
    const Corpus corpus = small_corpus();
    double sum = 0;
    std::int64_t labels = 0;
    for (std::size_t i = 0; i < corpus.size(); ++i) {
        const std::vector<std::int64_t> source = source_ids(corpus.source[i], translator.source.vocabulary),
                                        target = target_ids(corpus.target[i], translator.target.vocabulary);
        const BatchTensors one = to_tensors(collate({&source, 1}, {&target, 1}));
        sum += translator.system->loss(one.source, one.lengths, one.target).item() * static_cast<double>(one.labels);
        labels += one.labels;
    }
    const double expected = sum / static_cast<double>(labels);
    for (const std::int64_t batch : {1, 3, 8, 100}) {
        CAPTURE(batch);
        CHECK(evaluate_loss(translator, corpus, batch) == doctest::Approx(expected).epsilon(1e-5));
        const Evaluation evaluation = evaluate(translator, corpus, {.batch = batch});
        CHECK(evaluation.loss == doctest::Approx(expected).epsilon(1e-5));
        CHECK(evaluation.perplexity == doctest::Approx(std::exp(expected)).epsilon(1e-4));
    }
}

TEST_CASE("what is drawn at random does not depend on how the corpus is cut into batches") {
    const Translator translator = small_translator();
    const auto drawn = [&](std::int64_t batch) {
        return evaluate(translator, small_corpus(), {.batch = batch, .search = {.sample = true}}).translations;
    };
    CHECK(drawn(1) == drawn(3));
    CHECK(drawn(1) == drawn(100));
}

TEST_CASE("translations are compared with their own references") {
    Translator translator = small_translator();
    Corpus corpus = small_corpus();
    train(translator, corpus, {.batch = 4, .epochs = 60, .learning_rate = 1e-2});
    const Evaluation perfect = evaluate(translator, corpus, {.batch = 3});
    CHECK(perfect.exact_match == 1);
    CHECK(perfect.bleu.score == doctest::Approx(100));
    CHECK(perfect.sentences_per_second > 0);
    CHECK(perfect.tokens_per_second > perfect.sentences_per_second);

    corpus.target[0].front() = "词";  // which the model has never seen
    corpus.target_text[0] = "词 追 杰瑞 。";
    std::swap(corpus.target[1], corpus.target[2]);
    std::swap(corpus.target_text[1], corpus.target_text[2]);
    const Evaluation spoilt = evaluate(translator, corpus, {.batch = 3});
    CHECK(spoilt.exact_match == 5.0 / 8);
    CHECK(spoilt.bleu.score < 90);
    CHECK(spoilt.loss > perfect.loss);
}

TEST_CASE("further references count for scores, and their number stands in the signatures") {
    const Translator translator = small_translator();
    Corpus corpus = small_corpus();
    const Evaluation alone = evaluate(translator, corpus);
    corpus.further_references = {alone.translations};  // a perfect reference beside the others
    const Evaluation both = evaluate(translator, corpus);
    CHECK(both.bleu.score == doctest::Approx(100));
    CHECK(both.chrf.score == doctest::Approx(100));
    CHECK(both.bleu_signature.starts_with("nrefs:2|"));
    CHECK(both.chrf_signature.starts_with("nrefs:2|"));
    CHECK(both.references.size() == 2);
    CHECK(both.loss == alone.loss);
    CHECK(both.exact_match == alone.exact_match);
    corpus.further_references[0].pop_back();
    CHECK_THROWS_AS(evaluate(translator, corpus), ValueError);
}

TEST_CASE("an empty corpus cannot be evaluated") {
    CHECK_THROWS_AS(evaluate(small_translator(), Corpus{}), ValueError);
    CHECK_THROWS_AS(evaluate_loss(small_translator(), Corpus{}), ValueError);
}
