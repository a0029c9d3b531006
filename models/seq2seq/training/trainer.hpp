#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <wengert/models/seq2seq/training/training_options.hpp>
#include <wengert/models/seq2seq/translator.hpp>
#include <wengert/models/text/batches.hpp>
#include <wengert/nn/averages.hpp>
#include <wengert/nn/optimizers.hpp>
#include <wengert/nn/overlapped_reduction.hpp>
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

/// The loss is beyond what a training comes back from.
struct DivergenceError : Error {
    using Error::Error;
};

/// A training as a value: what it has done so far is a state, from which another goes on bit for bit, if it has the
/// same options, data and numbers of threads and ranks.
///
/// Several ranks train one model together, each with a Trainer of its own. Then N ranks with batches of B sentences do
/// what one does with batches of N x B: a step has the same sentences, of which a rank has every N-th. Its gradient is
/// the mean over the tokens of all.
class Trainer {
  public:
    /// So many steps after one another the ranks compare where they stand.
    static constexpr std::int64_t comparison_interval = 100;

    /// The corpus is encoded with the translator's vocabularies and need not outlive this; the translator and `ranks`
    /// must. Throws ValueError for options outside their domain and an empty corpus, and RankError unless all ranks
    /// have the same options and sentences. Collective, as step() and load_state() are.
    Trainer(Translator& translator, const Corpus& corpus, const TrainingOptions& options,
            Communicator& ranks = single_process());

    /// How many steps the training has, over all epochs.
    std::int64_t steps() const { return steps_; }
    /// How many of them an epoch has.
    std::int64_t steps_per_epoch() const { return steps_per_epoch_; }
    /// How many steps have been taken.
    std::int64_t step_count() const { return step_; }
    /// Whether all steps have been taken.
    bool is_done() const { return step_ >= steps_; }

    /// One update of the parameters with teacher forcing. Throws NonFiniteError if the loss or a gradient is not
    /// finite, DivergenceError if the loss is over 100 nats a token, and OutOfMemoryError; and RankError if another
    /// rank throws that, or if, before the first step or after each comparison_interval, the parameters and the state
    /// of the ranks are not the same, bit for bit. Whatever it throws, the training is then as the step before left it,
    /// and the step can be done again.
    TrainingStep step();

    /// For who saves, so that hopeless weights do not take the place of good ones: throws DivergenceError if the last
    /// step left weights by which the loss of its own sentences is not finite, or over 100 nats a token.
    void require_sound() const;

    /// What a validation measured, where more is better: a plateau of it lets the learning rate fall.
    void validated(double value);
    /// While what it returns lives, the parameters have the values of their moving average; null if none is kept.
    std::unique_ptr<EmaScope> averaged() const;

    /// All but the parameters, and these too if they are averaged: the optimizer, the random streams by position, the
    /// place in the data, and what was counted since the epoch began.
    NamedTensors state() const;
    /// Throws ValueError unless the state is of a training like this one. The number of ranks may be another: a step
    /// goes on to have the sentences that it had, and they are shared among those ranks that there are.
    void load_state(const NamedTensors& state);

  private:
    /// What the batches of a step come to: on a rank, then on all.
    struct StepSum {
        double loss = 0;                // the part of the mean
        std::uint64_t noise = 0;        // the furthest that a stream of noise has come
        std::vector<Tensor> gradients;  // of all
    };

    void begin_with(std::int64_t ranks);
    void load_own(const NamedTensors& state);
    void require_same_training() const;
    void require_same_place() const;
    StepSum own_sum(std::span<const std::vector<std::size_t>> batches, std::int64_t tokens,
                    OverlappedReduction& reduction);
    void add_ranks(StepSum& sum) const;
    double gradients_of(const BatchTensors& batch, Generator& noise,
                        const std::function<void(std::size_t, Tensor)>& take);
    NamedTensors own_state() const;

    Translator& translator_;
    Communicator& ranks_;
    const TrainingOptions options_;
    Batches batches_;
    const std::int64_t fingerprint_;
    std::int64_t ranks_at_begin_ = 0, shards_ = 0;  // a step's sentences are so many times the batch; parts of a batch
    std::int64_t steps_per_epoch_ = 0, steps_ = 0;
    const std::vector<Tensor> parameters_;
    const std::unique_ptr<Optimizer> optimizer_;
    LearningRateSchedule schedule_;
    Plateau plateau_;
    std::optional<Ema> ema_;
    std::uint64_t noise_ = 0;  // where each shard's stream stands
    std::int64_t step_ = 0, epoch_ = 0;
    std::vector<std::vector<std::size_t>> order_;  // of the epoch
    std::size_t place_ = 0;                        // in it, of the next batch
    double loss_sum_ = 0;                          // since the epoch began
    std::int64_t tokens_ = 0;
    bool is_first_ = true, is_compared_ = false;
};

/// Trains to the end; `on_step` is told of each step. Throws what Trainer's constructor and step() throw, and what
/// on_step throws.
void train(Translator& translator, const Corpus& corpus, const TrainingOptions& options = {},
           const std::function<void(const TrainingStep&)>& on_step = {});

}  // namespace wengert
