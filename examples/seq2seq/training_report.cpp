#include "training_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <wengert/models/seq2seq/training/report.hpp>

#include "progress.hpp"

namespace wengert::program {
namespace {

using nlohmann::ordered_json;
using Record = ordered_json;

constexpr std::int64_t most_points = 500;
constexpr std::size_t most_shown = 50;

/// A number of a record; none if it has none, or one that is not finite, which JSON cannot say.
std::optional<double> number_of(const Record& record, const std::string& name) {
    const auto found = record.find(name);
    if (found == record.end() || !found->is_number()) return std::nullopt;
    return found->get<double>();
}

/// The records of a log, each of an epoch and a step.
std::vector<Record> records_of(const std::filesystem::path& directory, Log log) {
    std::vector<Record> records = read_log(directory, log);
    for (std::size_t i = 0; i < records.size(); ++i)
        for (const char* const name : {"epoch", "step"})
            if (!records[i].contains(name) || !records[i][name].is_number_integer())
                throw FileError(fmt::format("{}: record {} has no epoch or no step",
                                            (directory / name_of(log_names, log)).string(), i + 1));
    return records;
}

/// A line over the steps. Of very many points neighbours are drawn as their mean.
LineChart::Line line_of(const std::string& name, const std::vector<Record>& records, const std::string& key,
                        double scale = 1) {
    std::vector<LineChart::Point> points;
    for (const Record& record : records)
        if (const auto value = number_of(record, key)) points.push_back({record.at("step"), scale * *value});
    const std::size_t together = (points.size() + most_points - 1) / std::size_t{most_points};
    LineChart::Line line{name, {}};
    for (std::size_t begin = 0; begin < points.size(); begin += together) {
        const std::size_t end = std::min(begin + together, points.size());
        double sum = 0;
        for (std::size_t i = begin; i < end; ++i) sum += points[i].y;
        line.points.push_back({points[end - 1].x, sum / static_cast<double>(end - begin)});
    }
    return line;
}

std::vector<LineChart> charts_of(const std::vector<Record>& validations, const std::vector<Record>& steps) {
    // A directory of before has no steps.jsonl, and log.jsonl says almost the same, more rarely.
    const auto of_training = [&](const std::string& name, const std::string& key) {
        LineChart::Line line = line_of(name, steps.empty() ? validations : steps, key);
        line.has_marks = steps.empty();
        return line;
    };
    return {{"Loss",
             "step",
             "nats a token",
             {of_training("training", "loss"), line_of("validation", validations, "validation_loss")}},
            {"Scores of validation sentences, greedy",
             "step",
             "score",
             {line_of("BLEU", validations, "validation_bleu"), line_of("chrF", validations, "validation_chrf"),
              line_of("exact match, %", validations, "validation_exact_match", 100)}},
            {"Learning rate", "step", "rate", {of_training("rate", "learning_rate")}},
            {"Norm of the gradients, before clipping", "step", "norm", {of_training("norm", "gradient_norm")}},
            {"Speed of training", "step", "target tokens a second", {of_training("tokens/s", "tokens_per_second")}},
            {"Memory, the most so far", "step", "MiB", {of_training("memory", "peak_memory_mib")}}};
}

std::string name_of(const Record& record) {
    return fmt::format("epoch {}, step {}", record["epoch"].get<std::int64_t>(), record["step"].get<std::int64_t>());
}

TrainingReport::Sample sample_of(const Record& entry) {
    TrainingReport::Sample sample{entry.at("source"), entry.at("reference"), entry.at("translation")};
    if (!entry.contains("attention")) return sample;
    const Record& attention = entry["attention"];
    AttentionMap map{attention.at("source"), attention.at("target"), {}, ""};
    std::vector<double> weights;
    for (const std::vector<double> row : attention.at("weights")) weights.insert(weights.end(), row.begin(), row.end());
    map.weights = tensor(weights, {std::ssize(map.target), std::ssize(map.source)});
    sample.attention = std::move(map);
    return sample;
}

/// Translations at the first validation, the last, and so many between that the page stays small.
std::vector<TrainingReport::Validation> shown_validations(const std::filesystem::path& directory) try {
    const std::vector<Record> records = records_of(directory, Log::samples);
    std::vector<TrainingReport::Validation> shown;
    const std::size_t count = std::min(records.size(), most_shown);
    for (std::size_t i = 0; i < count; ++i) {
        const Record& record = records[count == 1 ? 0 : i * (records.size() - 1) / (count - 1)];
        TrainingReport::Validation validation{record.at("step"), name_of(record), {}};
        for (const Record& entry : record.at("samples")) validation.samples.push_back(sample_of(entry));
        shown.push_back(std::move(validation));
    }
    return shown;
} catch (const nlohmann::json::exception& error) {
    throw FileError(fmt::format("{}: is not of a training: {}", (directory / name_of(log_names, Log::samples)).string(),
                                error.what()));
}

/// The validation whose checkpoint is `best`; null if there is none.
const Record* best_of(const std::vector<Record>& validations, Metric metric) {
    std::string key = fmt::format("validation_{}", name_of(metric_names, metric));
    std::ranges::replace(key, '-', '_');
    const double sign = metric == Metric::loss || metric == Metric::perplexity ? -1 : 1;
    const Record* best = nullptr;
    for (const Record& record : validations)
        if (const auto value = number_of(record, key);
            value && (!best || sign * *value > sign * *number_of(*best, key)))
            best = &record;
    return best;
}

}  // namespace

StepMeans::StepMeans(std::int64_t steps) : interval_(std::clamp<std::int64_t>(steps / most_points, 1, 100)) {}

std::optional<ordered_json> StepMeans::add(const TrainingStep& step) {
    const Clock::time_point now = Clock::now();
    seconds_ += std::chrono::duration<double>(now - seen_).count();
    seen_ = now;
    loss_sum_ += step.loss * static_cast<double>(step.tokens);
    norm_sum_ += step.gradient_norm;
    tokens_ += step.tokens;
    ++steps_;
    if (step.step % interval_ != 0 && step.step != step.steps) return std::nullopt;
    ordered_json record{{"epoch", step.epoch},
                        {"step", step.step},
                        {"loss", loss_sum_ / static_cast<double>(tokens_)},
                        {"learning_rate", step.learning_rate},
                        {"gradient_norm", norm_sum_ / static_cast<double>(steps_)},
                        {"tokens_per_second", static_cast<double>(tokens_) / seconds_},
                        {"seconds", seconds_},
                        {"peak_memory_mib", peak_memory_mib()}};
    seconds_ = loss_sum_ = norm_sum_ = 0;
    steps_ = tokens_ = 0;
    return record;
}

Corpus sample_sentences(const Corpus& corpus) {
    std::vector<std::size_t> order(corpus.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t pair) { return corpus.source[pair].size(); });
    const std::size_t count = std::min<std::size_t>(4, order.size());
    std::vector<std::size_t> chosen;
    for (std::size_t quarter = 0; quarter < count; ++quarter)
        chosen.push_back(order[(2 * quarter + 1) * order.size() / (2 * count)]);
    return corpus.filtered([&](std::size_t pair) { return std::ranges::count(chosen, pair) > 0; });
}

ordered_json translated_samples(const Translator& translator, const Corpus& sentences) {
    std::vector<std::vector<std::int64_t>> ids;
    for (const Sentence& source : sentences.source) ids.push_back(source_ids(source, translator.source.vocabulary));
    ordered_json samples = ordered_json::array();
    const std::vector<Translation> translations = translate(translator, collate(ids));
    for (std::size_t i = 0; i < translations.size(); ++i) {
        const Translation& translation = translations[i];
        ordered_json entry{{"source", sentences.source_text[i]},
                           {"reference", sentences.target_text[i]},
                           {"translation", translator.target.tokenizer.detokenize(translation.tokens)}};
        if (translation.weights.defined()) {
            const AttentionMap map = attention_map(sentences.source[i], translation);
            ordered_json weights = ordered_json::array();
            for (std::int64_t t = 0; t < map.weights.dim(0); ++t) {
                std::vector<double> row = select(map.weights, 0, t).to_vector<double>();
                for (double& weight : row) weight = std::round(1000 * weight) / 1000;
                weights.push_back(std::move(row));
            }
            entry["attention"] = {{"source", map.source}, {"target", map.target}, {"weights", std::move(weights)}};
        }
        samples.push_back(std::move(entry));
    }
    return samples;
}

std::string scores_of(const ordered_json& record) {
    const auto value = [&](const char* name) { return number_of(record, name).value_or(std::nan("")); };
    return fmt::format("loss {:.4f}, exact match {:.1f} %, BLEU {:.1f}, chrF {:.1f}", value("validation_loss"),
                       100 * value("validation_exact_match"), value("validation_bleu"), value("validation_chrf"));
}

ReportFile::ReportFile(const RunDirectory& directory, std::string title, Metric metric,
                       std::vector<std::pair<std::string, std::string>> facts)
    : directory_(directory), title_(std::move(title)), metric_(metric), facts_(std::move(facts)) {}

void ReportFile::write(const TrainingState& state) {
    const Clock::time_point begin = Clock::now();
    const std::filesystem::path& path = directory_.path();
    const std::vector<Record> validations = records_of(path, Log::validations), steps = records_of(path, Log::steps);
    TrainingReport report{
        .title = title_,
        .state = state.ended,
        .step = state.step,
        .steps = state.steps,
        .is_running = state.ended.empty(),
        .written = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
                       .count(),
        .facts = facts_,
        .charts = charts_of(validations, steps),
        .validations = shown_validations(path),
        .texts = {{"command line", directory_.read("commands.txt")}, {"configuration", directory_.read("train.toml")}}};
    double seconds = 0;
    for (const Record& record : steps) seconds += number_of(record, "seconds").value_or(0);
    if (report.is_running) report.state = fmt::format("step {} of {}", state.step, state.steps);
    if (report.is_running && steps.size() > 1) {
        const Record &first = steps.front(), &last = steps.back();
        const double trained = last["step"].get<double>() - first["step"].get<double>();
        const double each = (seconds - number_of(first, "seconds").value_or(0)) / std::max(trained, 1.0);
        report.state = fmt::format("epoch {}, {}, {} left", last["epoch"].get<std::int64_t>(), report.state,
                                   duration(each * static_cast<double>(state.steps - state.step)));
    }
    if (seconds > 0) report.facts.emplace_back("time", duration(seconds) + ", validations apart");
    if (const Record* const best = best_of(validations, metric_)) {
        const Record& last = validations.back();
        report.facts.emplace_back("last validation", fmt::format("{}: {}", name_of(last), scores_of(last)));
        report.facts.emplace_back(fmt::format("best, by {}", name_of(metric_names, metric_)),
                                  fmt::format("{}: {}", name_of(*best), scores_of(*best)));
    }
    directory_.write("report.html", to_html(report));
    written_ = Clock::now();
    took_ = written_ - begin;
}

void ReportFile::refresh(const TrainingState& state, bool is_new) {
    const Clock::duration since = Clock::now() - written_;
    if (since >= (is_new ? 20 * took_ : std::max<Clock::duration>(std::chrono::seconds(15), 100 * took_))) write(state);
}

}  // namespace wengert::program
