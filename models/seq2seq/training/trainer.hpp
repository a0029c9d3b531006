#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <wengert/models/seq2seq/training/training_options.hpp>
#include <wengert/models/seq2seq/translator.hpp>
#include <wengert/models/text/batches.hpp>
#include <wengert/nn/averages.hpp>
#include <wengert/nn/optimizers.hpp>
#include <wengert/nn/schedules.hpp>

namespace WENGERT_EXPORT wengert {

/// What one step did.
struct TrainingStep {
    std::int64_t epoch, epochs;  ///< counted from 1
    std::int64_t step, steps;    ///< over all epochs, counted from 1
    double loss;                 ///< of the batch, before the step
    std::int64_t tokens;         ///< of the targets, with </s>
    double gradient_norm;        ///< before clipping; 0 if there is no limit
    double learning_rate;        ///< with which the step was taken
    bool ends_epoch;             ///< whether the next step begins another epoch
    double epoch_loss;           ///< the mean over the epoch's tokens so far, each as its step met it
    std::int64_t epoch_tokens;   ///< of the epoch's targets so far, with </s>
};

/// A training as a value: what it has done so far is a state, from which another goes on bit for bit, if it has the
/// same options, data and number of threads.
class Trainer {
  public:
    /// The corpus is encoded with the translator's vocabularies and need not outlive this; the translator must. Throws
    /// ValueError for options outside their domain and an empty corpus.
    Trainer(Translator& translator, const Corpus& corpus, const TrainingOptions& options);

    /// How many steps the training has, over all epochs.
    std::int64_t steps() const { return steps_; }
    /// How many of them an epoch has.
    std::int64_t steps_per_epoch() const { return steps_per_epoch_; }
    /// How many steps have been taken.
    std::int64_t step_count() const { return step_; }
    /// Whether all steps have been taken.
    bool is_done() const { return step_ >= steps_; }

    /// One update of the parameters with teacher forcing. Throws NonFiniteError if the loss or a gradient is not
    /// finite, and OutOfMemoryError. Whatever it throws, the training is then as the step before left it, and the step
    /// can be done again.
    TrainingStep step();

    /// What a validation measured, where more is better: a plateau of it lets the learning rate fall.
    void validated(double value);
    /// While what it returns lives, the parameters have the values of their moving average; null if none is kept.
    std::unique_ptr<EmaScope> averaged() const;

    /// All but the parameters, and these too if they are averaged: the optimizer, the random streams by position, the
    /// place in the data, and what was counted since the epoch began.
    NamedTensors state() const;
    /// Throws ValueError unless the state is of a training like this one.
    void load_state(const NamedTensors& state);

    /// Called between the gradients of a step and their clipping, for those who share the work: it may replace them by
    /// the mean over processes.
    std::function<void(std::vector<Tensor>&)> reduce = {};

  private:
    std::vector<Tensor> gradients(double& loss, std::int64_t& tokens);
    std::vector<Tensor> gradients_of(const BatchTensors& batch, double& loss);
    NamedTensors own_state() const;

    Translator& translator_;
    const TrainingOptions options_;
    const Batches batches_;
    const std::int64_t fingerprint_;
    const std::int64_t steps_per_epoch_;
    const std::int64_t steps_;
    const std::vector<Tensor> parameters_;
    const std::unique_ptr<Optimizer> optimizer_;
    const LearningRateSchedule schedule_;
    Plateau plateau_;
    std::optional<Ema> ema_;
    Generator noise_;
    std::int64_t step_ = 0, epoch_ = 0;
    std::vector<std::vector<std::size_t>> order_;  // of the epoch
    std::size_t place_ = 0;                        // in it, of the next batch
    double loss_sum_ = 0;                          // since the epoch began
    std::int64_t tokens_ = 0;
    bool is_first_ = true;
};

/// Trains to the end; `on_step` is told of each step. What it throws is passed on.
void train(Translator& translator, const Corpus& corpus, const TrainingOptions& options = {},
           const std::function<void(const TrainingStep&)>& on_step = {});

}  // namespace wengert
