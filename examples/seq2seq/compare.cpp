#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <wengert/models/line_chart.hpp>
#include <wengert/models/seq2seq/checkpoint.hpp>
#include <wengert/models/seq2seq/scoring/bleu_by_length.hpp>
#include <wengert/models/seq2seq/scoring/bootstrap.hpp>

#include "measurement.hpp"
#include "model_names.hpp"
#include "output_file.hpp"
#include "training_run.hpp"

namespace wengert::program {
namespace {

/// What the log of a model's training says up to the model's last step.
struct TrainingLog {
    double minutes = 0, peak_mib = 0;    ///< of training, without validation; 0 if there is no log
    std::vector<LineChart::Point> bleu;  ///< of validation sentences, over the minutes

    TrainingLog(std::filesystem::path model, std::int64_t steps) {
        if (!model.has_filename()) model = model.parent_path();
        auto records = read_log(model);
        // A checkpoint, and best and latest, stand beside the log.
        if (records.empty()) records = read_log(std::filesystem::absolute(model).parent_path());
        try {
            for (const nlohmann::ordered_json& record : records) {
                if (record.at("step") > steps) break;
                minutes += record.at("seconds").get<double>() / 60;
                peak_mib = std::max(peak_mib, record.at("peak_memory_mib").get<double>());
                if (record.contains("validation_bleu")) bleu.push_back({minutes, record.at("validation_bleu")});
            }
        } catch (const nlohmann::json::exception& error) {
            throw FileError(fmt::format("{}: is not the log of a training: {}", model.string(), error.what()));
        }
    }
};

std::vector<std::int64_t> source_words(const Corpus& corpus) {
    const Tokenizer words{TokenizerOptions{}};
    std::vector<std::int64_t> lengths;
    for (const std::string& line : corpus.source_text)
        lengths.push_back(static_cast<std::int64_t>(words.tokenize(line).size()));
    return lengths;
}

LineChart::Line length_line(const std::string& name, const Evaluation& e, const std::vector<std::int64_t>& lengths) {
    LineChart::Line line{name, {}};
    for (const LengthBand& band : bleu_by_length(e.translations, e.references, lengths, e.bleu_options))
        line.points.push_back({band.mean_length, band.bleu,
                               fmt::format("{}: {:.1f} for {} sentences of {} to {} words", name, band.bleu, band.lines,
                                           band.least, band.most)});
    return line;
}

/// A model's line of the table.
struct Row {
    std::string name, system;
    double million_parameters = 0;
    Evaluation greedy = {}, found = {};  ///< found: by the search that was asked for
    LineChart::Line by_length = {};
};

bool is_greedy(const SearchOptions& search) { return search.beam == 1 && !search.sample; }

Row measure(const CompareArguments& arguments, const std::string& name, const Translator& translator) {
    const Corpus corpus = measured_corpus(arguments.data, translator);
    EvaluationOptions options = evaluation_options(arguments, translator, corpus);
    Row row{.name = name, .system = std::string(translator.system->name())};
    for (const Tensor& x : translator.system->parameters())
        row.million_parameters += static_cast<double>(x.numel()) / 1e6;
    options.search.beam = options.search.n_best = 1;
    options.search.sample = false;
    row.greedy = row.found = wengert::evaluate(translator, corpus, options);
    options.search = arguments.search;
    if (!is_greedy(options.search)) row.found = wengert::evaluate(translator, corpus, options);
    row.by_length = length_line(row.name, row.found, source_words(corpus));
    return row;
}

/// Scores compare only if they are of the same kind, of the same sentences.
void require_comparable(const Row& first, const Row& other) {
    const Evaluation &a = first.found, &b = other.found;
    if (a.bleu_signature != b.bleu_signature)
        throw ValueError(fmt::format("compare: {} is scored by {}, and {} by {}", first.name, a.bleu_signature,
                                     other.name, b.bleu_signature));
    if (a.references != b.references)
        throw ValueError(fmt::format("compare: {} and {} leave out different sentence pairs", first.name, other.name));
}

/// How probable such a difference in BLEU is if both are equally good.
double chance(const Evaluation& a, const Evaluation& b, const Resamples& samples) {
    if (a.translations == b.translations) return 1;  // no sample differs, which the bootstrap takes for certainty
    return paired_bootstrap(a.translations, b.translations, b.references, samples, b.bleu_options).p_value;
}

}  // namespace

void compare(const CompareArguments& arguments) {
    require_writable("--curves", arguments.curves, {".svg"});
    require_writable("--lengths", arguments.lengths, {".svg"});
    std::vector<Translator> translators;
    std::vector<TrainingLog> logs;
    for (const std::filesystem::path& model : arguments.models) {
        translators.push_back(load_checkpoint(model));
        logs.emplace_back(model, translators.back().steps);
    }
    if (!arguments.curves.empty() && std::ranges::all_of(logs, [](const auto& log) { return log.bleu.empty(); }))
        throw ValueError("--curves: no model has a log.jsonl with BLEU of validation sentences beside it");

    const SearchOptions& asked = arguments.search;
    const std::string search = is_greedy(asked) ? "BLEU, greedy"
                               : asked.sample   ? "BLEU, sampled"
                                                : fmt::format("BLEU, beam {}", asked.beam);
    const std::string column = is_greedy(asked) ? "" : fmt::format(" {} |", search);
    fmt::print(
        "| model | system | parameters | BLEU, greedy |{} p | chrF | perplexity | minutes | MiB | sentences/s |\n",
        column);
    fmt::print("| --- | --- | ---: | ---: |{} ---: | ---: | ---: | ---: | ---: | ---: |\n",
               column.empty() ? "" : " ---: |");
    std::fflush(stdout);

    LineChart curves{"BLEU of validation sentences", "minutes of training", "BLEU, greedy"};
    LineChart lengths{"BLEU by the length of the source", "words of the source", search};
    const std::vector<std::string> names = names_of(arguments.models);
    Row first;
    Generator generator(12345);  // the seed of sacrebleu
    Resamples samples;
    for (std::size_t i = 0; i < arguments.models.size(); ++i) {
        const Row row = measure(arguments, names[i], translators[i]);
        const Evaluation& e = row.found;
        std::string p = "";
        if (i == 0) {
            first = row;
            samples = resample_lines(e.translations.size(), generator);
        } else {
            require_comparable(first, row);
            p = fmt::format("{:.3f}", chance(first.found, e, samples));
        }
        const bool is_logged = logs[i].minutes > 0;
        fmt::print("| {} | {} | {:.3g} M | {:.1f} |{} {} | {:.1f} | {:.2f} | {} | {} | {:.0f} |\n", row.name,
                   row.system, row.million_parameters, row.greedy.bleu.score,
                   is_greedy(asked) ? "" : fmt::format(" {:.1f} |", e.bleu.score), p, e.chrf.score, e.perplexity,
                   is_logged ? fmt::format("{:.0f}", logs[i].minutes) : "",
                   is_logged ? fmt::format("{:.0f}", logs[i].peak_mib) : "", row.greedy.sentences_per_second);
        std::fflush(stdout);
        if (!logs[i].bleu.empty()) curves.lines.push_back({row.name, logs[i].bleu});
        lengths.lines.push_back(row.by_length);
    }
    fmt::print("\nBLEU: {}; chrF: {}; p: of paired bootstrap resampling, beside the first model\n",
               first.found.bleu_signature, first.found.chrf_signature);
    if (!arguments.curves.empty()) write_svg(curves, arguments.curves);
    if (!arguments.lengths.empty()) write_svg(lengths, arguments.lengths);
}

}  // namespace wengert::program
