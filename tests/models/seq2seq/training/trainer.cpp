#include <doctest/doctest.h>

#include <limits>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/autograd/tensor/memory_limit.hpp>
#include <wengert/models/seq2seq/evaluation.hpp>
#include <wengert/models/seq2seq/training/trainer.hpp>
#include <wengert/nn/streams.hpp>

#include "../small_translator.hpp"

using namespace wengert;

namespace {

constexpr TrainingOptions brisk{.batch = 4, .epochs = 60, .learning_rate = 1e-2, .schedule = Schedule::constant};

std::vector<double> losses(const TrainingOptions& options, double dropout = 0) {
    Translator translator = small_translator({.embedding = 12, .hidden = 24, .layers = 2, .dropout = dropout});
    std::vector<double> result;
    train(translator, small_corpus(), options, [&](const TrainingStep& s) { result.push_back(s.loss); });
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
        train(translator, corpus, brisk, [&](const TrainingStep& s) { last = s.epoch_loss; });
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
    const Batches batches(small_corpus(), translator.source.vocabulary, translator.target.vocabulary,
                          {.batch_size = 8, .seed = 7});
    const BatchTensors batch = to_tensors(batches.assemble(batches.epoch(1).front()));
    const auto loss_with = [&](std::uint64_t stream) {
        Generator noise(7, stream);
        return translator.system->loss(batch.source, batch.lengths, batch.target, &noise).item();
    };
    CHECK(loss_with(streams::noise) == trained);
    CHECK(loss_with(streams::weights) != trained);
}

TEST_CASE("a step tells where it stands, and what its epoch has been so far") {
    Translator translator = small_translator();
    const Corpus corpus = small_corpus();
    std::int64_t labels = 0;
    for (const Sentence& sentence : corpus.target) labels += static_cast<std::int64_t>(sentence.size()) + 1;
    std::vector<TrainingStep> steps;
    train(translator, corpus, {.batch = 3, .epochs = 2}, [&](const TrainingStep& s) { steps.push_back(s); });
    REQUIRE(steps.size() == 6);
    for (std::size_t i = 0; i < steps.size(); ++i) {
        CHECK(steps[i].step == static_cast<std::int64_t>(i) + 1);
        CHECK(steps[i].steps == 6);
        CHECK(steps[i].epoch == (i < 3 ? 1 : 2));
        CHECK(steps[i].epochs == 2);
        CHECK(steps[i].ends_epoch == (i % 3 == 2));
        CHECK(steps[i].gradient_norm > 0);
        CHECK(steps[i].learning_rate > 0);
    }
    CHECK(steps[2].epoch_tokens == labels);
    CHECK(steps[5].step == 6);
    double sum = 0;
    for (std::size_t i = 3; i < 6; ++i) sum += steps[i].loss * static_cast<double>(steps[i].tokens);
    CHECK(steps[5].epoch_loss == doctest::Approx(sum / static_cast<double>(labels)));
}

TEST_CASE("max_steps ends training in the middle of an epoch, which counts") {
    Translator translator = small_translator();
    std::vector<std::int64_t> epoch_ends;
    train(translator, small_corpus(), {.batch = 2, .epochs = 9, .max_steps = 6}, [&](const TrainingStep& s) {
        if (s.ends_epoch) epoch_ends.push_back(s.step);
    });
    CHECK(epoch_ends == std::vector<std::int64_t>{4, 6});
    CHECK(translator.steps == 6);
}

TEST_CASE("a training goes on from its state bit for bit, wherever it stood") {
    const Corpus corpus = small_corpus();
    const SystemOptions sizes{.embedding = 12, .hidden = 24, .layers = 2, .dropout = 0.3};
    const TrainingOptions options{
        .batch = 3, .epochs = 3, .schedule = Schedule::plateau, .scheduled_sampling = 0.2, .accumulate = 2, .ema = 0.9};
    const auto run = [&](std::int64_t stop) {
        std::vector<double> losses;
        Translator first = small_translator(sizes);
        Trainer before(first, corpus, options);
        const auto note = [&](const TrainingStep& s) {
            losses.insert(losses.end(), {s.loss, s.epoch_loss, s.gradient_norm, s.learning_rate});
        };
        // Validations that become worse, so that the learning rate falls.
        const auto go_on = [&](Trainer& trainer) {
            note(trainer.step());
            trainer.validated(-static_cast<double>(trainer.step_count()));
        };
        while (before.step_count() < stop) go_on(before);
        // Another process would have read the parameters and the state from files.
        NamedTensors state;
        for (const auto& [name, value] : before.state()) state.emplace_back(name, value.clone());
        Translator second = small_translator(sizes, 99);
        assign(second.system->named_parameters(), first.system->named_parameters());
        Trainer after(second, corpus, options);
        after.load_state(state);
        while (!after.is_done()) go_on(after);
        const auto averaged = after.averaged();
        for (const Tensor& p : second.system->parameters()) losses.push_back(sum(p).item());
        return losses;
    };
    const std::vector<double> whole = run(0);
    CHECK(whole.size() > 4 * 6);
    CHECK(whole[4 * 5 + 3] < 0.3 * whole[3]);
    for (std::int64_t stop = 1; stop <= 6; ++stop) CHECK(run(stop) == whole);
}

TEST_CASE("a training does not go on with other sentences") {
    Corpus corpus = small_corpus();
    Translator translator = small_translator();
    const NamedTensors state = Trainer(translator, corpus, {.batch = 3}).state();
    std::swap(corpus.target[0], corpus.target[1]);
    Trainer other(translator, corpus, {.batch = 3});
    CHECK_THROWS_WITH_AS(other.load_state(state),
                         "training: the state is of a training with other sentences, or other vocabularies",
                         ValueError);
}

TEST_CASE("the gradients of several batches are those of one that has all their sentences") {
    const auto losses_with = [](std::int64_t batch, std::int64_t accumulate) {
        return losses({.batch = batch, .epochs = 3, .accumulate = accumulate});
    };
    const std::vector<double> one = losses_with(8, 1), parts = losses_with(2, 4);
    REQUIRE(one.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) CHECK(parts[i] == doctest::Approx(one[i]).epsilon(1e-4));
}

TEST_CASE("the learning rate falls to nothing behind the last step, or stays") {
    const auto moves = [](Schedule schedule) {
        Translator translator = small_translator();
        std::vector<Tensor> parameters = translator.system->parameters();
        std::vector<double> result;
        std::vector<double> before = parameters[0].to_vector<double>();
        train(translator, small_corpus(), {.batch = 8, .epochs = 50, .learning_rate = 1e-4, .schedule = schedule},
              [&](const TrainingStep&) {
                  const std::vector<double> after = parameters[0].to_vector<double>();
                  double largest = 0;
                  for (std::size_t i = 0; i < after.size(); ++i)
                      largest = std::max(largest, std::abs(after[i] - before[i]));
                  result.push_back(largest);
                  before = after;
              });
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
    CHECK_THROWS_WITH_AS(train(translator, corpus, {.epochs = 0}),
                         "training: epochs and max_steps are both 0, and one of them must say when it ends",
                         ValueError);
    CHECK_THROWS_WITH_AS(train(translator, corpus, {.max_steps = -1}),
                         "training: max_steps is -1, outside [0, 1000000000]", ValueError);
    CHECK_THROWS_AS(train(translator, corpus, {.clip = -1}), ValueError);
    CHECK_THROWS_AS(train(translator, corpus, {.batch = 0}), ValueError);
    CHECK_THROWS_AS(train(translator, corpus, {.learning_rate = -1}), ValueError);
    CHECK_THROWS_AS(train(translator, Corpus{}, {}), ValueError);
    CHECK(translator.steps == 0);
}

TEST_CASE("a loss that is not finite ends training") {
    Translator translator = small_translator();
    parameter_of(translator, "decoder.output.bias").fill(std::numeric_limits<double>::quiet_NaN());
    CHECK_THROWS_WITH_AS(train(translator, small_corpus(), {}),
                         doctest::Contains("training: the loss is nan at epoch 1, step 1"), NonFiniteError);
}

TEST_CASE("a training beyond the memory limit says which scopes hold what, and goes on when there is more") {
    const Corpus corpus = small_corpus();
    Translator translator = small_translator({.embedding = 64, .hidden = 256, .layers = 2});
    Trainer trainer(translator, corpus, brisk);
    trainer.step();
    release_cached_memory();
    set_memory_limit(system_bytes() + (std::size_t{1} << 20));
    std::string text;
    try {
        for (int i = 0; i < 4; ++i) trainer.step();
    } catch (const std::exception& error) {
        text = error.what();
    }
    set_memory_limit(0);
    CAPTURE(text);
    CHECK(text.find("there is no memory for a tensor [") != text.npos);
    CHECK(text.find("\nfor backward, a batch of [4, ") != text.npos);
    CHECK(text.find("encoder.gru.l0 ") != text.npos);
    const std::int64_t steps = trainer.step_count();
    CHECK(trainer.step().step == steps + 1);
}
