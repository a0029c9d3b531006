#include "command_line.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <sstream>
#include <wengert/models/seq2seq/system.hpp>
#include <wengert/version.hpp>

#include "command_words.hpp"
#include "configuration_file.hpp"
#include "gradient_checks.hpp"
#include "measurement.hpp"
#include "misuse.hpp"
#include "option_flags.hpp"
#include "presets.hpp"
#include "resources.hpp"
#include "verbs.hpp"

namespace wengert::program {
namespace {

/// --data FILE | --source F --target F, with a prefix before each name.
CLI::Option* add_corpus(CLI::App& verb, CorpusFiles& files, const std::string& prefix, const std::string& pairs_name,
                        const std::string& group) {
    CLI::Option* const pairs = verb.add_option("--" + pairs_name, files.pairs,
                                               "Tab-separated pairs: source, target; more columns are ignored");
    CLI::Option* const source = verb.add_option("--" + prefix + "source", files.source, "Source sentences, one a line");
    CLI::Option* const target =
        verb.add_option("--" + prefix + "target", files.targets, "Their translations, line by line")->expected(1);
    for (CLI::Option* const option : {pairs, source, target})
        option->type_name("FILE")
            ->default_str("")
            ->check(CLI::Validator(CLI::ExistingFile).description(""))
            ->group(group);
    source->needs(target)->excludes(pairs);
    target->needs(source)->excludes(pairs);
    if (!prefix.empty()) return target;
    add_number(verb, "--hold-out", files.hold_out, Bounds<std::int64_t>{2, 1'000'000},
               "One in N sources, by a hash of its text, is not trained on: it validates, and is measured")
        ->default_str("")
        ->group(group);
    return target;
}

/// --system NAME, with the names of the table.
CLI::Option* add_system(CLI::App& verb, std::string& system, const std::string& group) {
    std::vector<std::string> names;
    for (const SystemEntry& entry : all_systems()) names.emplace_back(entry.name);
    return verb
        .add_option("--system", system, "The kind of model, one of: " + fmt::format("{}", fmt::join(names, ", ")))
        ->type_name("NAME")
        ->check(CLI::IsMember(names).description(""))
        ->take_last()
        ->group(group);
}

/// All options of a verb as a configuration file, those left out that have no value, and --epochs, whose value may
/// follow from another's.
std::string configuration_of(const CLI::App& verb) {
    std::istringstream lines(verb.config_to_str(true, false));
    std::string kept = "[" + verb.get_name() + "]\n";
    for (std::string line; std::getline(lines, line);)
        if (!line.ends_with("=\"\"") && !line.starts_with("epochs=")) kept += line + '\n';
    return kept;
}

void add_train(CLI::App& app, TrainArguments& a, Resources& resources, int& code) {
    CLI::App& verb = *app.add_subcommand("train", "Train a translator");
    std::string systems = "Systems:\n";
    for (const SystemEntry& entry : all_systems()) systems += fmt::format("  {:<14} {}\n", entry.name, entry.meaning);
    verb.footer(
        systems +
        "\nAt each validation DIR gets the model so far, and DIR/log.jsonl one JSON line more: epoch, step, loss,\n"
        "learning rate, gradient norm, of validation sentences the loss and, for the first 1000, the exact match,\n"
        "BLEU and chrF of greedy translations, and tokens per second, seconds and memory. DIR/latest is the last\n"
        "model and DIR/best the best; DIR/train.toml has all options, as --config reads them; DIR/report.html shows "
        "the\n"
        "training in a browser, while it runs and after: curves, translations of a few sentences. SIGINT, SIGTERM, "
        "SIGHUP\n"
        "and SIGUSR1 save and end the training; --resume goes on with it, with the options that DIR has, unless others "
        "are\n"
        "given. Under mpirun -np N, or with --ranks N, N processes train one model, with --batch sentences each.");
    verb.add_option("--model", a.model, "Where the model goes; made if need be")->type_name("DIR")->required();
    CLI::Option* const resume =
        verb.add_flag("--resume", a.resume, "Goes on with the training in DIR")->configurable(false);
    verb.add_flag("--force", a.force, "Replaces the model that is in DIR")->configurable(false)->excludes(resume);
    add_corpus(verb, a.data, "", "data", "Training sentences (none: the built-in corpus, English to Chinese)");
    add_corpus(verb, a.validation, "validation-", "validation-data",
               "Validation sentences (none: the held-out part of the built-in corpus, if that is trained on)");

    std::string presets_help = "Options that belong together, of which others may be given beside:";
    for (const Preset& preset : presets) presets_help += fmt::format(" {} ({});", preset.name, preset.meaning);
    presets_help.back() = '.';
    // Its flags were put in its place before: see expand_preset().
    verb.add_option_function<std::string>(
            "--preset", [](const std::string&) {}, presets_help)
        ->type_name("NAME")
        ->default_str("")
        ->configurable(false);

    const std::string model = "The model", training = "The training";
    add_system(verb, a.system, model);
    a.sizes.describe(OptionFlags{verb, model});
    a.text.describe(OptionFlags{verb, "The text"});
    const auto add_pieces = [&verb](const std::string& name, std::filesystem::path& file, const std::string& what) {
        verb.add_option(name, file, what)->type_name("FILE")->default_str("")->group("The text");
    };
    add_pieces("--subword-model", a.subword_model, "Tokens are the pieces of this model of sentencepiece");
    add_pieces("--target-subword-model", a.target_subword_model, "The target's, where they are others");
    a.training.describe(OptionFlags{verb, training});
    a.run.describe(OptionFlags{verb, training});
    add_resources(verb, resources, training);
    CLI::Option* const ranks =
        add_number(verb, "--ranks", a.launch.ranks, Bounds<std::int64_t>{0, 100'000},
                   "Starts so many processes by mpirun, which train one model; 0: this one trains")
            ->configurable(false)
            ->group(training);
    verb.add_flag("--restart-on-failure", a.launch.restart_on_failure,
                  "If a rank is lost, the others go on from the last checkpoint")
        ->configurable(false)
        ->needs(ranks)
        ->group(training);
    verb.add_flag(rank_flag, a.launch.is_rank)->configurable(false)->group("");
    CLI::Option *const epochs = verb.get_option("--epochs"), *const max_steps = verb.get_option("--max-steps");
    verb.callback([&verb, &a, &resources, &code, epochs, max_steps] {
        // Who gives a number of steps alone means just that.
        if (epochs->empty() && !max_steps->empty() && a.training.max_steps > 0) a.training.epochs = 0;
        a.configuration = configuration_of(verb) + fmt::format("epochs={}\n", a.training.epochs);
        compute_with(resources, [&a, &code] { code = train(a); });
    });
}

void add_search(CLI::App& verb, SearchOptions& search) {
    search.describe(OptionFlags{verb, "The search"});
    const auto flag = [&verb](std::string_view name) { return verb.get_option(flag_of({name, {}})); };
    for (const auto& [name, needed] : SearchOptions::needs) flag(name)->needs(flag(needed));
}

constexpr const char* ensemble =
    "What train has written: its latest model, or DIR/best; several of equal vocabularies are an ensemble";

void add_models(CLI::App& verb, std::vector<std::filesystem::path>& models, const std::string& meaning) {
    verb.add_option("--model", models, meaning)->type_name("DIR")->default_str("")->allow_extra_args(false)->required();
}

void add_translate(CLI::App& app, TranslateArguments& a, Resources& resources) {
    CLI::App& verb = *app.add_subcommand("translate", "Translate sentences");
    verb.footer(
        "Translations go to standard output, one a line; an empty line stays empty. A word that the model does\n"
        "not know is <unk>. A line that is not UTF-8 ends the program with its number.");
    add_models(verb, a.models, ensemble);
    verb.add_option("--attention", a.attention,
                    "Also writes what each word looked at, as a picture, a page for browsers or numbers")
        ->type_name("FILE.svg|FILE.html|FILE.json");
    add_search(verb, a.search);
    verb.add_option(
            "--beam-tree", a.beam_tree,
            "Also writes the hypotheses that --beam followed, as a picture or numbers; a page of --attention has them")
        ->type_name("FILE.svg|FILE.json")
        ->needs(verb.get_option("--beam"))
        ->group("The search");
    verb.add_option("--prefix", a.prefix, "Begins each translation, in whole words; the model writes what follows")
        ->type_name("TEXT")
        ->default_str("")
        ->group("The search");
    verb.add_flag("--replace-unknown", a.replace_unknown, "Writes the source word that <unk> looked at most")
        ->group("The search");
    add_number(verb, "--batch", a.batch, Bounds<std::int64_t>{1, 10'000},
               "Sentences that are translated at once, as far as they are there");
    add_resources(verb, resources);
    verb.add_option("TEXT", a.texts, "Sentences, each in quotation marks; none: the lines of standard input")
        ->default_str("");
    verb.callback([&a, &resources] { compute_with(resources, [&a] { translate(a); }); });
}

void add_interactive(CLI::App& app, InteractiveArguments& a, Resources& resources) {
    CLI::App& verb = *app.add_subcommand("interactive", "Translate what is typed, and say how it came about");
    verb.footer(
        "Under each translation stands its log probability, and its tokens with the source token that each looked\n"
        "at most. A line that cannot be translated is reported and the next one read; the end of the input ends it.");
    add_models(verb, a.models, ensemble);
    add_search(verb, a.search);
    add_resources(verb, resources);
    verb.callback([&a, &resources] { compute_with(resources, [&a] { interactive(a); }); });
}

void add_serve(CLI::App& app, ServeArguments& a, Resources& resources) {
    CLI::App& verb = *app.add_subcommand("serve", "Translate for a browser and for programs, by HTTP");
    verb.footer(
        R"(GET / is a page to translate on and to look at attention. POST /translate takes {"text": ["..."]} and, if
they are given, "model", "attention", "replace_unknown", "prefix" and options of the search by their names;
GET /models says which there are, GET /health that the server is there. Flags of the search count where a request
says nothing. --threads requests are translated at once, each by one thread. SIGINT and SIGTERM end the server when
what runs is done.)");
    add_models(verb, a.models, "What train has written: its latest model, or DIR/best; give it once for each");
    verb.add_option("--host", a.host, "The address to listen at; 0.0.0.0: all of this machine")->type_name("ADDRESS");
    add_number(verb, "--port", a.port, Bounds<int>{0, 65'535}, "The port to listen at; 0: any that is free");
    a.limits.describe(OptionFlags{verb, "What is allowed"});
    add_search(verb, a.search);
    add_resources(verb, resources);
    verb.callback([&a, &resources] { compute_with(resources, [&a] { serve(a); }); });
}

/// The flags of scores, which are sacrebleu's.
void add_scoring(CLI::App& verb, Measurement& measurement) {
    const std::string group = "The scores";
    verb.add_option("--tokenize", measurement.tokenize,
                    "BLEU's tokens: 13a, char, zh, intl, none; usual: 13a, or zh for Chinese")
        ->type_name("NAME")
        ->group(group);
    add_choice(verb, "--smooth-method", measurement.smooth_method, bleu_smoothing_names,
               "What stands for a precision of BLEU that is 0")
        ->group(group);
    add_number(verb, "--smooth-value", measurement.smooth_value, Bounds<double>{0, 1e6},
               "Of floor and add-k (default: 0.1 and 1)")
        ->default_str("")
        ->group(group);
    verb.add_flag("--lowercase", measurement.lowercase,
                  "Both sides are scored in lower case, as they are without it if the model knows no capitals")
        ->group(group);
}

void add_measurement(CLI::App& verb, Measurement& a, Resources& resources) {
    add_corpus(verb, a.data, "", "data", "Sentence pairs (none: the held-out part of the built-in corpus)")
        ->description("Their translations, line by line; several files are several references")
        ->expected(1, std::numeric_limits<int>::max())
        ->allow_extra_args(false);
    add_search(verb, a.search);
    add_scoring(verb, a);
    add_resources(verb, resources);
}

void add_evaluate(CLI::App& app, EvaluateArguments& a, Resources& resources) {
    CLI::App& verb = *app.add_subcommand("evaluate", "Measure a translator on sentence pairs");
    verb.footer(
        "Prints one JSON line: loss (mean cross entropy of a token), perplexity, exact_match (0 to 1), bleu and chrf\n"
        "(0 to 100) with their signatures, as sacrebleu has them, and how many sentences and tokens it translates\n"
        "in a second.");
    add_models(verb, a.models, ensemble);
    add_measurement(verb, a, resources);
    verb.add_option("--out", a.out, "Gets the translations, one for each line that was read; empty: it gave no pair")
        ->type_name("FILE");
    verb.callback([&a, &resources] { compute_with(resources, [&a] { evaluate(a); }); });
}

void add_compare(CLI::App& app, CompareArguments& a, Resources& resources) {
    CLI::App& verb = *app.add_subcommand("compare", "Measure several translators beside one another");
    verb.footer(
        "Prints a table in Markdown: BLEU of greedy search and, with --beam, of beam search; p, the probability of "
        "such\n"
        "a difference from the first model's BLEU if both are equally good (paired bootstrap); chrF, perplexity,\n"
        "minutes and memory of the training, and how many sentences greedy search translates in a second.");
    add_models(verb, a.models, "What train has written: its latest model, or DIR/best; give it once for each");
    add_measurement(verb, a, resources);
    verb.add_option("--curves", a.curves, "A picture: BLEU of validation sentences over the training")
        ->type_name("FILE.svg");
    verb.add_option("--lengths", a.lengths, "A picture: BLEU by the length of the source")->type_name("FILE.svg");
    verb.callback([&a, &resources] { compute_with(resources, [&a] { compare(a); }); });
}

void add_average(CLI::App& app, AverageArguments& a) {
    CLI::App& verb = *app.add_subcommand("average", "Make a model of the mean of several checkpoints' weights");
    verb.footer("As a rule of one training: `train --keep 5`, then --model DIR/checkpoint-1000 --model ... .");
    add_models(verb, a.models, "A checkpoint; give it once for each");
    verb.add_option("--out", a.out, "Where the model goes; made if need be")->type_name("DIR")->required();
    verb.callback([&a] { average(a); });
}

void add_export(CLI::App& app, ExportArguments& a) {
    CLI::App& verb = *app.add_subcommand("export", "Write a model for another library to run");
    verb.footer(
        "DIR gets encoder.onnx, step.onnx (one step of the decoder) and greedy.onnx (the whole translation, with the\n"
        "loop), for any number of sentences of any length, and the vocabularies. docs/onnx.md says what goes in and "
        "out.");
    verb.add_option("--model", a.model, "What train has written: its latest model, or DIR/best")
        ->type_name("DIR")
        ->default_str("")
        ->required();
    verb.add_option("--onnx", a.onnx, "Where the files go; made if need be")
        ->type_name("DIR")
        ->default_str("")
        ->required();
    verb.callback([&a] { export_model(a); });
}

void add_score(CLI::App& app, ScoreArguments& a, Resources& resources) {
    CLI::App& verb = *app.add_subcommand("score", "Print how probable given translations are");
    verb.footer(
        "One line for each that was read: the log probability of the target, in nats; nan of one that gave no pair.");
    verb.add_option("--model", a.model, "What train has written")->type_name("DIR")->required();
    add_corpus(verb, a.data, "", "data", "Sentence pairs (none: the held-out part of the built-in corpus)");
    verb.add_flag("--words", a.words, "Each token's follows, and that of </s>");
    add_resources(verb, resources);
    verb.callback([&a, &resources] { compute_with(resources, [&a] { score(a); }); });
}

void add_graph(CLI::App& app, GraphArguments& a) {
    CLI::App& verb = *app.add_subcommand("graph", "Draw the tape of one training step");
    CLI::Option* const model =
        verb.add_option("--model", a.model, "What train has written; none: a small model with random parameters")
            ->type_name("DIR");
    add_system(verb, a.system, "Options")->excludes(model);
    verb.add_option("--out", a.out, "The picture: FILE.svg, .png, .pdf, .dot, or FILE.html, a page to look around in")
        ->type_name("FILE")
        ->required();
    constexpr Bounds<std::int64_t> words{1, 10'000};
    add_number(verb, "--source-length", a.source_length, words, "Words of the longest of the 4 source sentences");
    add_number(verb, "--target-length", a.target_length, words, "Words of the target sentences");
    add_number(verb, "--unfold", a.unfold, Bounds<int>{0, 1'000'000},
               "Time steps that are drawn one by one, the others as one (default: 0, in a page all)")
        ->default_str("");
    add_number(verb, "--depth", a.depth, Bounds<int>{0, 1'000},
               "In how many others a box may stand; deeper ones are closed (default: as deep as is easily seen)")
        ->default_str("");
    static constexpr std::array colors{Choice<GraphColor>{"op", GraphColor::op},
                                       Choice<GraphColor>{"time", GraphColor::time},
                                       Choice<GraphColor>{"memory", GraphColor::memory}};
    add_choice(verb, "--color", a.options.color, colors,
               "The family of an op, or shades of its milliseconds or of the bytes that it keeps");
    static constexpr std::array directions{Choice<GraphDirection>{"automatic", GraphDirection::automatic},
                                           Choice<GraphDirection>{"down", GraphDirection::down},
                                           Choice<GraphDirection>{"right", GraphDirection::right}};
    add_choice(verb, "--direction", a.options.direction, directions,
               "Where arrows lead; automatic: whichever fills a page better");
    verb.add_flag("--backward", a.options.backward,
                  "Draws the backward pass, too: a mirrored column of each op's rule");
    verb.add_flag("--profile", a.profile, "Runs the step forward and backward, and says the milliseconds of each op");
    verb.add_option("--title", a.options.title, "Stands above the picture")->type_name("TEXT");
    verb.callback([&a] { graph(a); });
}

void add_gradcheck(CLI::App& app, int& code) {
    CLI::App& verb =
        *app.add_subcommand("gradcheck", "Compare gradients with differences, as the program gradcheck does");
    verb.footer("Prints a table, in float64: op, layer or node, order, worst error, verdict.");
    verb.callback([&code] { code = run_gradient_checks() ? 0 : 1; });
}

}  // namespace

int run_command(const std::vector<std::string>& line) {
    CLI::App app("Neural translation with the systems of the literature of attention.", program_invocation_short_name);
    app.set_version_flag("--version", fmt::format("{} (Wengert) {}", program_invocation_short_name, WENGERT_VERSION));
    app.set_help_all_flag("--help-all", "Print the help of every verb and exit");
    std::vector<std::string> words(line.begin() + 1, line.end());
    app.require_subcommand(0, 1);
    app.fallthrough();
    app.allow_config_extras(CLI::config_extras_mode::error);
    app.config_formatter(std::make_shared<ConfigurationFile>());
    app.set_config("--config", "", "A file of options, as train writes it: [train], hidden=256, ...");
    app.option_defaults()->always_capture_default();
    Resources resources;
    TrainArguments train_arguments;
    train_arguments.command = line;
    std::erase(train_arguments.command, rank_flag);
    TranslateArguments translate_arguments;
    InteractiveArguments interactive_arguments;
    ServeArguments serve_arguments;
    EvaluateArguments evaluate_arguments;
    CompareArguments compare_arguments;
    AverageArguments average_arguments;
    ExportArguments export_arguments;
    ScoreArguments score_arguments;
    GraphArguments graph_arguments;
    int code = 0;
    add_train(app, train_arguments, resources, code);
    add_translate(app, translate_arguments, resources);
    add_interactive(app, interactive_arguments, resources);
    add_serve(app, serve_arguments, resources);
    add_evaluate(app, evaluate_arguments, resources);
    add_compare(app, compare_arguments, resources);
    add_average(app, average_arguments);
    add_export(app, export_arguments);
    add_score(app, score_arguments, resources);
    add_graph(app, graph_arguments);
    add_gradcheck(app, code);
    app.add_subcommand("options", "Print the tables of docs/options.md")->callback(print_options);
    try {
        words = expand_preset(std::move(words));
        app.parse(with_configuration(words));
        if (app.get_subcommands().empty()) throw CLI::RequiredError("A verb");
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) return app.exit(error);  // --help
        throw Misuse(explain(error, app, words));
    }
    return code;
}

}  // namespace wengert::program
