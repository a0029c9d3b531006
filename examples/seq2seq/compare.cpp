#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <wengert/models/line_chart.hpp>
#include <wengert/models/seq2seq/checkpoint.hpp>
#include <wengert/models/seq2seq/scoring/bleu_by_length.hpp>
#include <wengert/models/seq2seq/scoring/bootstrap.hpp>
#include <wengert/models/text/lines.hpp>

#include "measurement.hpp"

namespace wengert::program {
namespace {

/// What a training's log.jsonl says; nothing if there is none, as beside a single checkpoint.
struct TrainingLog {
    double minutes = 0, peak_mib = 0;    ///< of training, without validation
    std::vector<LineChart::Point> bleu;  ///< of validation sentences, over the minutes

    static std::optional<TrainingLog> of(std::filesystem::path model) {
        // best and latest stand beside the log.
        if (!std::filesystem::exists(model / "log.jsonl")) model = model.parent_path();
        const std::filesystem::path file = model / "log.jsonl";
        if (!std::filesystem::exists(file)) return {};
        TrainingLog log;
        LineReader lines(file);
        for (std::string line; lines.next(line);) {
            const auto record = nlohmann::json::parse(line, nullptr, false);
            if (!record.is_object()) throw FileError(fmt::format("{}: is no JSON object", lines.where()));
            log.minutes += record.value("seconds", 0.0) / 60;
            log.peak_mib = std::max(log.peak_mib, record.value("peak_memory_mib", 0.0));
            if (record.contains("validation_bleu")) log.bleu.push_back({log.minutes, record.at("validation_bleu")});
        }
        return log;
    }
};

/// "out/bahdanau" of out/bahdanau/best: what tells it from the others.
std::string name_of(const std::filesystem::path& model) {
    const std::filesystem::path name = model.has_filename() ? model : model.parent_path();
    const bool is_link = name.filename() == "best" || name.filename() == "latest";
    return (is_link ? name.parent_path() : name).filename().string();
}

std::vector<std::int64_t> source_words(const Corpus& corpus) {
    const Tokenizer words{TokenizerOptions{}};
    std::vector<std::int64_t> lengths;
    for (const std::string& line : corpus.source_text)
        lengths.push_back(static_cast<std::int64_t>(words.tokenize(line).size()));
    return lengths;
}

LineChart::Line length_line(const std::string& name, const Evaluation& e, const std::vector<std::int64_t>& lengths) {
    LineChart::Line line{name, {}};
    for (const LengthBand& band : bleu_by_length(e.translations, {&e.references, 1}, lengths, e.bleu_options))
        line.points.push_back({band.mean_length, band.bleu,
                               fmt::format("{}: {:.1f} for {} sentences of {} to {} words", name, band.bleu, band.lines,
                                           band.least, band.most)});
    return line;
}

/// A model's line of the table.
struct Row {
    std::string name, system;
    double million_parameters = 0;
    Evaluation greedy = {}, found = {};  ///< by the search that was asked for
    LineChart::Line by_length = {};
};

Row measure(const CompareArguments& arguments, const std::filesystem::path& model, const Translator& translator) {
    const Corpus corpus = measured_corpus(arguments.data, translator);
    EvaluationOptions options = evaluation_options(arguments, translator);
    Row row{.name = name_of(model), .system = std::string(translator.system->name())};
    for (const Tensor& x : translator.system->parameters())
        row.million_parameters += static_cast<double>(x.numel()) / 1e6;
    options.search.beam = options.search.n_best = 1;
    row.greedy = row.found = wengert::evaluate(translator, corpus, options);
    options.search = arguments.search;
    if (arguments.search.beam > 1) row.found = wengert::evaluate(translator, corpus, options);
    row.by_length = length_line(row.name, row.found, source_words(corpus));
    return row;
}

}  // namespace

void compare(const CompareArguments& arguments) {
    std::vector<Translator> translators;
    std::vector<std::optional<TrainingLog>> logs;
    for (const std::filesystem::path& model : arguments.models) {
        translators.push_back(load_checkpoint(model));
        logs.push_back(TrainingLog::of(model));
    }
    if (!arguments.curves.empty() &&
        std::ranges::none_of(logs, [](const auto& log) { return log && !log->bleu.empty(); }))
        throw ValueError("--curves: no model has a log.jsonl with BLEU of validation sentences beside it");

    const bool has_beam = arguments.search.beam > 1;
    const std::string search = has_beam ? fmt::format("BLEU, beam {}", arguments.search.beam) : "BLEU, greedy";
    fmt::print(
        "| model | system | parameters | BLEU, greedy |{} p | chrF | perplexity | minutes | MiB | sentences/s |\n",
        has_beam ? fmt::format(" {} |", search) : "");
    fmt::print("| --- | --- | ---: | ---: |{} ---: | ---: | ---: | ---: | ---: | ---: |\n", has_beam ? " ---: |" : "");
    std::fflush(stdout);

    LineChart curves{"BLEU of validation sentences", "minutes of training", "BLEU, greedy"};
    LineChart lengths{"BLEU by the length of the source", "words of the source", search};
    Evaluation first;
    Generator generator(12345);  // the seed of sacrebleu
    std::optional<Resamples> samples;
    for (std::size_t i = 0; i < arguments.models.size(); ++i) {
        const Row row = measure(arguments, arguments.models[i], translators[i]);
        const Evaluation& e = row.found;
        std::string p = "";
        if (!samples) {
            first = e;
            samples = resample_lines(e.references.size(), generator);
        } else {
            if (first.references != e.references)
                throw ValueError(fmt::format("compare: {} and {} leave out different sentence pairs",
                                             arguments.models[0].string(), arguments.models[i].string()));
            p = fmt::format("{:.3f}", paired_bootstrap(first.translations, e.translations, {&e.references, 1}, *samples,
                                                       e.bleu_options)
                                          .p_value);
        }
        const std::optional<TrainingLog>& log = logs[i];
        fmt::print("| {} | {} | {:.1f} M | {:.1f} |{} {} | {:.1f} | {:.2f} | {} | {} | {:.0f} |\n", row.name,
                   row.system, row.million_parameters, row.greedy.bleu.score,
                   has_beam ? fmt::format(" {:.1f} |", e.bleu.score) : "", p, e.chrf.score, e.perplexity,
                   log ? fmt::format("{:.0f}", log->minutes) : "", log ? fmt::format("{:.0f}", log->peak_mib) : "",
                   row.greedy.sentences_per_second);
        std::fflush(stdout);
        if (log && !log->bleu.empty()) curves.lines.push_back({row.name, log->bleu});
        lengths.lines.push_back(row.by_length);
    }
    fmt::print("\nBLEU: {}; chrF: {}; p: of paired bootstrap resampling, beside the first model\n",
               first.bleu_signature, first.chrf_signature);
    if (!arguments.curves.empty()) write_svg(curves, arguments.curves);
    if (!arguments.lengths.empty()) write_svg(lengths, arguments.lengths);
}

void average(const AverageArguments& arguments) {
    save_checkpoint(average_checkpoints(arguments.models), arguments.out);
}

}  // namespace wengert::program
