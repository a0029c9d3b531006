#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>
#include <wengert/models/seq2seq/training/trainer.hpp>
#include <wengert/models/text/corpus.hpp>

#include "training_run.hpp"
#include "verbs.hpp"

/// report.html of a training's directory, and the records that its curves and its translations are of.
namespace wengert::program {

/// What steps.jsonl has: the means of so many steps a record, always of the same steps, whatever a clock says. A
/// training that goes on amid them has the mean of the rest.
class StepMeans {
  public:
    explicit StepMeans(std::int64_t steps);
    /// The record that this step completes, if it does.
    std::optional<nlohmann::ordered_json> add(const TrainingStep& step);
    /// Time since the last step was spent on something else.
    void restart() { seen_ = Clock::now(); }

  private:
    using Clock = std::chrono::steady_clock;

    const std::int64_t interval_;
    Clock::time_point seen_ = Clock::now();
    double seconds_ = 0, loss_sum_ = 0, norm_sum_ = 0;
    std::int64_t steps_ = 0, tokens_ = 0;
};

/// A few sentences of unlike lengths, always the same of a corpus: sorted by the length of the source, the one in the
/// middle of each quarter.
Corpus sample_sentences(const Corpus& corpus);

/// How they are translated, greedily, as samples.jsonl has it: sources, references, translations and attention.
nlohmann::ordered_json translated_samples(const Translator& translator, const Corpus& sentences);

/// "loss 1.6012, exact match 4.5 %, BLEU 35.8, chrF 55.7": of validation sentences, from a record of log.jsonl.
std::string scores_of(const nlohmann::ordered_json& record);

/// Where a training stands when its report is written.
struct TrainingState {
    std::int64_t step = 0, steps = 0;
    std::string ended = {};  ///< in words, how it did; empty: it runs
};

/// Keeps report.html current.
class ReportFile {
  public:
    /// `facts` are names and values that no file of the directory has.
    ReportFile(const RunDirectory& directory, std::string title, Metric metric,
               std::vector<std::pair<std::string, std::string>> facts);

    /// Writes the report from what the directory has now. Throws FileError if it cannot, or if a log is none.
    void write(const TrainingState& state);
    /// The same, unless that was done so lately that it would take time from training. What is new is written sooner.
    void refresh(const TrainingState& state, bool is_new);

  private:
    using Clock = std::chrono::steady_clock;

    const RunDirectory& directory_;
    const std::string title_;
    const Metric metric_;
    const std::vector<std::pair<std::string, std::string>> facts_;
    Clock::time_point written_{};
    Clock::duration took_{};
};

}  // namespace wengert::program
