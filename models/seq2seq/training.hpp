#pragma once

#include <cstdint>
#include <functional>
#include <wengert/models/seq2seq/translator.hpp>
#include <wengert/models/text/corpus.hpp>

namespace wengert {

/// How the learning rate changes over the training: not at all, or linearly to 0 behind the last step.
enum class Schedule { constant, linear };

struct TrainingOptions {
    std::int64_t batch = 64;
    std::int64_t epochs = 10;
    std::int64_t max_steps = 0;   ///< ends training earlier; 0: it does not
    double learning_rate = 5e-4;  ///< Adam's, at the first step
    Schedule schedule = Schedule::linear;
    double clip = 1;         ///< the most that the norm of all gradients together may be; 0: no limit
    std::uint64_t seed = 1;  ///< of the batches and of dropout, which draw from streams of their own
};

/// What one step did.
struct TrainingStep {
    std::int64_t epoch, epochs;  ///< counted from 1
    std::int64_t step, steps;    ///< over all epochs, counted from 1
    double loss;                 ///< of the batch, before the step
    std::int64_t tokens;         ///< of the targets, with </s>
};

/// What one epoch did.
struct TrainingEpoch {
    std::int64_t epoch, step;
    double loss;  ///< the mean over the tokens, each as its step met it
    std::int64_t tokens;
    double seconds;
};

/// Who is told of it as it happens. An epoch that max_steps ends counts.
struct TrainingObserver {
    std::function<void(const TrainingStep&)> on_step = {};
    std::function<void(const TrainingEpoch&)> on_epoch = {};
};

/// Trains the translator's model with teacher forcing. The same seed, data and number of threads give the same losses,
/// bit for bit. Throws ValueError for options outside their domain and an empty corpus, NonFiniteError if the loss is
/// not finite; what an observer throws is passed on.
void train(Translator& translator, const Corpus& corpus, const TrainingOptions& options = {},
           const TrainingObserver& observer = {});

}  // namespace wengert
