#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <wengert/models/seq2seq/training/trainer.hpp>

#include "../../../thread_ranks.hpp"
#include "../small_translator.hpp"

using namespace wengert;

namespace {

/// What a training came to: of each step the loss, the tokens and the norm, then every element of the parameters.
using Course = std::vector<double>;

constexpr SystemOptions noisy{.embedding = 6, .hidden = 8, .layers = 2, .dropout = 0.3},
    quiet{.embedding = 6, .hidden = 8, .layers = 1};

Translator translator_in(Dtype dtype, const SystemOptions& sizes) {
    Translator translator = small_translator(sizes);
    if (dtype == Dtype::float64) translator.system = translator.system->to(dtype);
    return translator;
}

Course finished(Trainer& trainer, const Translator& translator, std::int64_t last) {
    Course course;
    while (trainer.step_count() < last) {
        const TrainingStep step = trainer.step();
        course.insert(course.end(), {step.loss, static_cast<double>(step.tokens), step.gradient_norm, step.epoch_loss});
    }
    for (const Tensor& p : translator.system->parameters()) {
        const std::vector<double> values = p.to_vector<double>();
        course.insert(course.end(), values.begin(), values.end());
    }
    return course;
}

/// A training on so many ranks, which must all come to the same. It goes on from `from` if that is given, and leaves
/// its parameters and its state in `to`.
Course course_of(int size, Dtype dtype, const SystemOptions& sizes, const TrainingOptions& options, std::int64_t last,
                 const NamedTensors* from = nullptr, NamedTensors* to = nullptr) {
    std::vector<Course> courses(static_cast<std::size_t>(size));
    ThreadRanks(size).run([&](Communicator& ranks) {
        Translator translator = translator_in(dtype, sizes);
        Trainer trainer(translator, small_corpus(), options, ranks);
        if (from != nullptr) {
            NamedTensors state = *from, parameters;
            for (const Tensor& p : translator.system->parameters()) {
                parameters.push_back(state.front());
                state.erase(state.begin());
                CHECK(parameters.back().first == p.name());
            }
            assign(translator.system->named_parameters(), parameters);
            trainer.load_state(state);
        }
        courses[static_cast<std::size_t>(ranks.rank())] = finished(trainer, translator, last);
        if (to == nullptr || ranks.rank() != 0) return;
        for (const Tensor& p : translator.system->parameters()) to->emplace_back(p.name(), p.clone());
        for (const auto& [name, value] : trainer.state()) to->emplace_back(name, value.clone());
    });
    for (const Course& course : courses) CHECK(course == courses[0]);
    return courses[0];
}

void check_near(const Course& a, const Course& b, double relative) {
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(std::abs(a[i] - b[i]) <= relative * (std::abs(b[i]) + 1e-3));
}

}  // namespace

TEST_CASE("ranks: what N come to, one process that has their N shares comes to bit for bit") {
    const TrainingOptions options{.batch = 1, .epochs = 3, .scheduled_sampling = 0.2, .accumulate = 2, .ema = 0.9};
    for (const Dtype dtype : {Dtype::float32, Dtype::float64})
        for (const int size : {2, 3}) {
            CAPTURE(size);
            NamedTensors begun;
            course_of(size, dtype, noisy, options, 0, nullptr, &begun);
            const Course together = course_of(size, dtype, noisy, options, 4);
            CHECK(course_of(1, dtype, noisy, options, 4, &begun) == together);
        }
}

TEST_CASE("ranks: N of batch B come to what one of batch N x B comes to, but for rounding") {
    for (const auto& [dtype, relative] : {std::pair{Dtype::float64, 1e-9}, std::pair{Dtype::float32, 3e-3}}) {
        const auto options = [](std::int64_t batch) {
            return TrainingOptions{.batch = batch, .epochs = 4, .learning_rate = 1e-3, .clip = 0.5};
        };
        const Course one = course_of(1, dtype, quiet, options(4), 8);
        check_near(course_of(2, dtype, quiet, options(2), 8), one, relative);
        check_near(course_of(4, dtype, quiet, options(1), 8), one, relative);
        // By tokens: the batches of a step are as many times as large.
        const auto by_tokens = [&](std::int64_t tokens) {
            TrainingOptions result = options(1);
            result.batch_tokens = tokens;
            return result;
        };
        check_near(course_of(2, dtype, quiet, by_tokens(10), 6), course_of(1, dtype, quiet, by_tokens(20), 6),
                   relative);
    }
}

TEST_CASE("ranks: gradients that travel as bfloat16 are near those that do not, with the same bits on all ranks") {
    TrainingOptions options{.batch = 2, .epochs = 4, .optimizer = OptimizerKind::sgd, .learning_rate = 0.1};
    const Course exact = course_of(2, Dtype::float32, quiet, options, 8);
    options.wire = Wire::bfloat16;
    const Course rounded = course_of(2, Dtype::float32, quiet, options, 8);  // which compares the ranks' courses
    CHECK(rounded != exact);
    for (std::size_t i = 0; i < exact.size(); ++i)  // a step moves by 0.1 x 1 x 2^-7 more or less, at most
        CHECK(std::abs(rounded[i] - exact[i]) <= 8 * 0.1 * 0x1p-7 * (1 + std::abs(exact[i])));
}

TEST_CASE("ranks: one that has no sentence of a batch waits") {
    // Of 8 sentences the second batch of 5 has 3.
    const auto options = [](std::int64_t batch) { return TrainingOptions{.batch = batch, .epochs = 2}; };
    check_near(course_of(5, Dtype::float64, quiet, options(1), 4), course_of(1, Dtype::float64, quiet, options(5), 4),
               1e-9);
}

TEST_CASE("ranks: a training goes on bit for bit on as many, and on others with the same sentences") {
    const TrainingOptions options{.batch = 1, .epochs = 4, .schedule = Schedule::cosine};
    NamedTensors state;
    const Course first = course_of(4, Dtype::float64, quiet, options, 3, nullptr, &state),
                 whole = course_of(4, Dtype::float64, quiet, options, 8);
    const Course rest(whole.begin() + 4 * 3, whole.end());
    CHECK(course_of(4, Dtype::float64, quiet, options, 8, &state) == rest);
    for (const int size : {1, 2, 3, 5}) {
        CAPTURE(size);
        check_near(course_of(size, Dtype::float64, quiet, options, 8, &state), rest, 1e-9);
    }
    // And once more, from what it came to on other ranks.
    NamedTensors later;
    course_of(3, Dtype::float64, quiet, options, 5, &state, &later);
    check_near(course_of(2, Dtype::float64, quiet, options, 8, &later), Course(rest.begin() + 4 * 2, rest.end()), 1e-9);
    // Another batch is another training.
    Translator translator = translator_in(Dtype::float64, quiet);
    Trainer other(translator, small_corpus(), {.batch = 4, .epochs = 4});
    const std::int64_t steps = other.steps();
    NamedTensors own(state.begin() + std::ssize(translator.system->parameters()), state.end());
    CHECK_THROWS_WITH_AS(other.load_state(own), "training: the state is of a training with batch 1, not 4", ValueError);
    CHECK(other.steps() == steps);
    for (auto& [name, value] : own)
        if (name == "data.ranks") value = tensor(std::vector<std::int64_t>{0}, {});
    CHECK_THROWS_WITH_AS(other.load_state(own), "training: the state is of a training on 0 ranks", ValueError);
}

TEST_CASE("ranks: an error of one fails on all, who can do the step again") {
    std::vector<std::string> errors(3);
    std::vector<double> losses(3);
    ThreadRanks(3).run([&](Communicator& ranks) {
        Translator translator = translator_in(Dtype::float32, quiet);
        Trainer trainer(translator, small_corpus(), {.batch = 3, .epochs = 2}, ranks);
        // A token of one sentence is NaN: one rank has it.
        const Tensor table = parameter_of(translator, "decoder.embedding.weight"), before = table.clone();
        Tensor row = select(table, 0, translator.target.vocabulary.encode(words("昨天"))[0]);
        row.fill(std::numeric_limits<double>::quiet_NaN());
        const auto rank = static_cast<std::size_t>(ranks.rank());
        try {
            trainer.step();
        } catch (const RankError& error) {
            errors[rank] = error.what();
        } catch (const NonFiniteError&) {
            errors[rank] = "its own";
        }
        Tensor(table).copy_from(before);
        losses[rank] = trainer.step().loss;
        CHECK(trainer.step_count() == 1);
    });
    const auto own = std::ranges::find(errors, "its own");
    REQUIRE(own != errors.end());
    const std::string text =
        "rank " + std::to_string(own - errors.begin()) + ": training: the loss is nan at epoch 1, step 1";
    for (std::size_t rank = 0; rank < 3; ++rank) {
        CHECK((errors[rank] == "its own") == (errors.begin() + static_cast<std::ptrdiff_t>(rank) == own));
        if (errors[rank] != "its own") CHECK(errors[rank].starts_with(text));
        CHECK(losses[rank] == losses[0]);
    }
    CHECK(std::isfinite(losses[0]));
}

TEST_CASE("ranks: parameters that come apart are an error that names the rank and the tensor") {
    std::vector<std::string> errors(3);
    std::vector<std::int64_t> steps(3);
    ThreadRanks(3).run([&](Communicator& ranks) {
        Translator translator = translator_in(Dtype::float32, quiet);
        Trainer trainer(translator, small_corpus(), {.batch = 3, .epochs = 0, .max_steps = 1000}, ranks);
        const auto rank = static_cast<std::size_t>(ranks.rank());
        try {
            while (!trainer.is_done()) {
                trainer.step();
                if (rank == 2 && trainer.step_count() == 40)
                    parameter_of(translator, "decoder.output.bias").mutable_data<float>()[0] += 1e-7F;
            }
        } catch (const RankError& error) {
            errors[rank] = error.what();
        }
        steps[rank] = trainer.step_count();
    });
    for (std::size_t rank = 0; rank < 3; ++rank) {
        CAPTURE(errors[rank]);
        CHECK(steps[rank] == Trainer::comparison_interval);
        CHECK(errors[rank].starts_with("training: after step 100, \""));
        CHECK(errors[rank].ends_with("\" of rank 2 is not that of rank 0"));
    }
}

TEST_CASE("ranks: other options, sentences or parameters are refused before the first step") {
    std::vector<std::string> errors(2);
    const auto attempt = [&](const auto& work) {
        ThreadRanks(2).run([&](Communicator& ranks) {
            std::string& text = errors[static_cast<std::size_t>(ranks.rank())];
            text.clear();
            try {
                work(ranks);
            } catch (const RankError& error) {
                text = error.what();
            }
        });
        CHECK(errors[0] == errors[1]);
        return errors[0];
    };
    const std::string other = "training: rank 1 has other options, sentences or vocabularies than rank 0";
    CHECK(attempt([](Communicator& ranks) {
              Translator translator = small_translator();
              Trainer(translator, small_corpus(), {.learning_rate = ranks.rank() == 1 ? 1e-3 : 2e-3}, ranks);
          }) == other);
    CHECK(attempt([](Communicator& ranks) {
              Translator translator = small_translator();
              Corpus corpus = small_corpus();
              if (ranks.rank() == 1) std::swap(corpus.target[0], corpus.target[1]);
              Trainer(translator, corpus, {}, ranks);
          }) == other);
    CHECK(attempt([](Communicator& ranks) {
              Translator translator = small_translator(quiet, ranks.rank() == 1 ? 2 : 1);
              Trainer(translator, small_corpus(), {}, ranks).step();
          }).starts_with("training: after step 0, \""));
}
