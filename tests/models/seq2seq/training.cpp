#include <doctest/doctest.h>

#include <limits>
#include <wengert/models/seq2seq/evaluation.hpp>
#include <wengert/models/seq2seq/training.hpp>
#include <wengert/nn/streams.hpp>

#include "small_translator.hpp"

using namespace wengert;

namespace {

constexpr TrainingOptions brisk{.batch = 4, .epochs = 60, .learning_rate = 1e-2, .schedule = Schedule::constant};

std::vector<double> losses(const TrainingOptions& options, double dropout = 0) {
    Translator translator = small_translator({.embedding = 12, .hidden = 24, .layers = 2, .dropout = dropout});
    std::vector<double> result;
    train(translator, small_corpus(), options, {.on_step = [&](const TrainingStep& s) { result.push_back(s.loss); }});
    return result;
}

}  // namespace

TEST_CASE("a tiny model learns eight sentences by heart") {
    for (const bool bidirectional : {false, true}) {
        CAPTURE(bidirectional);
        Translator translator =
            small_translator({.embedding = 12, .hidden = 24, .layers = 1, .bidirectional = bidirectional});
        const Corpus corpus = small_corpus();
        const double before = evaluate_loss(translator, corpus);
        double last = 0;
        train(translator, corpus, brisk, {.on_epoch = [&](const TrainingEpoch& e) { last = e.loss; }});
        CHECK(before > 2);
        CHECK(last < 0.1);
        CHECK(evaluate(translator, corpus).exact_match == 1);
        CHECK(translator.steps == 120);
    }
}

TEST_CASE("the same seed gives the same losses, bit for bit") {
    TrainingOptions options{.batch = 3, .epochs = 4};
    for (const double dropout : {0.0, 0.3}) {
        CAPTURE(dropout);
        options.seed = 7;
        const std::vector<double> first = losses(options, dropout);
        CHECK(first.size() == 12);
        CHECK(losses(options, dropout) == first);
        options.seed = 8;
        CHECK(losses(options, dropout) != first);
    }
}

TEST_CASE("dropout draws from a stream of its own, not from that of the initial values") {
    const TrainingOptions options{.batch = 8, .max_steps = 1, .seed = 7};
    const double trained = losses(options, 0.3).front();
    const Translator translator = small_translator({.embedding = 12, .hidden = 24, .layers = 2, .dropout = 0.3});
    const Batches batches(small_corpus(), translator.source, translator.target, {.batch_size = 8, .seed = 7});
    const BatchTensors batch = to_tensors(batches.assemble(batches.epoch(1).front()));
    const auto loss_with = [&](std::uint64_t stream) {
        Generator noise(7, stream);
        return translator.model.loss(batch.source, batch.lengths, batch.target, &noise).item();
    };
    CHECK(loss_with(streams::noise) == trained);
    CHECK(loss_with(streams::weights) != trained);
}

TEST_CASE("observers are told of every step and epoch") {
    Translator translator = small_translator();
    const Corpus corpus = small_corpus();
    std::int64_t labels = 0;
    for (const Sentence& sentence : corpus.target) labels += static_cast<std::int64_t>(sentence.size()) + 1;
    std::vector<TrainingStep> steps;
    std::vector<TrainingEpoch> epochs;
    const TrainingObserver observer{[&](const TrainingStep& s) { steps.push_back(s); },
                                    [&](const TrainingEpoch& e) { epochs.push_back(e); }};
    train(translator, corpus, {.batch = 3, .epochs = 2}, observer);
    REQUIRE(steps.size() == 6);
    REQUIRE(epochs.size() == 2);
    for (std::size_t i = 0; i < steps.size(); ++i) {
        CHECK(steps[i].step == static_cast<std::int64_t>(i) + 1);
        CHECK(steps[i].steps == 6);
        CHECK(steps[i].epoch == (i < 3 ? 1 : 2));
        CHECK(steps[i].epochs == 2);
    }
    CHECK(epochs[0].tokens == labels);
    CHECK(epochs[1].step == 6);
    double sum = 0;
    for (std::size_t i = 3; i < 6; ++i) sum += steps[i].loss * static_cast<double>(steps[i].tokens);
    CHECK(epochs[1].loss == doctest::Approx(sum / static_cast<double>(labels)));
}

TEST_CASE("max_steps ends training in the middle of an epoch, which counts") {
    Translator translator = small_translator();
    std::vector<std::int64_t> epoch_ends;
    train(translator, small_corpus(), {.batch = 2, .epochs = 9, .max_steps = 6},
          {.on_epoch = [&](const TrainingEpoch& e) { epoch_ends.push_back(e.step); }});
    CHECK(epoch_ends == std::vector<std::int64_t>{4, 6});
    CHECK(translator.steps == 6);
}

TEST_CASE("the learning rate falls to nothing behind the last step, or stays") {
    const auto moves = [](Schedule schedule) {
        Translator translator = small_translator();
        std::vector<Tensor> parameters = wengert::parameters(translator.model);
        std::vector<double> result;
        std::vector<double> before = parameters[0].to_vector<double>();
        train(translator, small_corpus(), {.batch = 8, .epochs = 50, .learning_rate = 1e-4, .schedule = schedule},
              {.on_step = [&](const TrainingStep&) {
                  const std::vector<double> after = parameters[0].to_vector<double>();
                  double largest = 0;
                  for (std::size_t i = 0; i < after.size(); ++i)
                      largest = std::max(largest, std::abs(after[i] - before[i]));
                  result.push_back(largest);
                  before = after;
              }});
        return result;
    };
    const std::vector<double> linear = moves(Schedule::linear), constant = moves(Schedule::constant);
    REQUIRE(linear.size() == 50);
    CHECK(linear[0] == constant[0]);
    CHECK(linear[49] < 0.05 * linear[0]);
    CHECK(constant[49] > 0.3 * constant[0]);
}

TEST_CASE("the gradients' norm is limited") {
    const std::vector<double> limited = losses({.batch = 8, .epochs = 3, .clip = 1e-9});
    const std::vector<double> unlimited = losses({.batch = 8, .epochs = 3, .clip = 0});
    CHECK(limited[0] == unlimited[0]);
    // Adam divides by the gradient's size, but what is far below its epsilon hardly moves anything.
    CHECK(limited[0] - limited[2] < 0.2 * (unlimited[0] - unlimited[2]));
}

TEST_CASE("training refuses what cannot be trained with") {
    Translator translator = small_translator();
    const Corpus corpus = small_corpus();
    CHECK_THROWS_WITH_AS(train(translator, corpus, {.epochs = 0}), "training: the number of epochs is 0", ValueError);
    CHECK_THROWS_WITH_AS(train(translator, corpus, {.max_steps = -1}), "training: the number of steps is -1",
                         ValueError);
    CHECK_THROWS_AS(train(translator, corpus, {.clip = -1}), ValueError);
    CHECK_THROWS_AS(train(translator, corpus, {.batch = 0}), ValueError);
    CHECK_THROWS_AS(train(translator, corpus, {.learning_rate = -1}), ValueError);
    CHECK_THROWS_AS(train(translator, Corpus{}, {}), ValueError);
    CHECK(translator.steps == 0);
}

TEST_CASE("a loss that is not finite ends training") {
    Translator translator = small_translator();
    translator.model.decoder.output.bias.fill(std::numeric_limits<double>::quiet_NaN());
    CHECK_THROWS_WITH_AS(train(translator, small_corpus(), {}),
                         doctest::Contains("training: the loss is nan at epoch 1, step 1"), NonFiniteError);
}
