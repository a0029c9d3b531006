// Trains a translator, translates with it, measures it, draws it and proves its gradients:
// see `seq2seq --help` and `seq2seq VERB --help`.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdio>
#include <limits>
#include <new>
#include <wengert/ops/products/precision.hpp>
#include <wengert/ops/products/threads.hpp>

#include "verbs.hpp"

namespace wengert::program {
namespace {

constexpr int failure = 1, misuse = 2;

constexpr std::int64_t most = 1'000'000;

/// A number's option, whose range is checked but not part of the help.
template <class T>
CLI::Option* add_number(CLI::App& verb, const std::string& name, T& value, T least, T greatest,
                        const std::string& what) {
    const auto refuse = [=](const std::string& text) {
        T number{};
        const char* const end = text.data() + text.size();
        const auto [rest, error] = std::from_chars(text.data(), end, number);
        if (error == std::errc() && rest == end && number >= least && number <= greatest) return std::string();
        return fmt::format("{} is not {} from {} to {}", text, std::is_integral_v<T> ? "a whole number" : "a number",
                           least, greatest);
    };
    CLI::Option* const option = verb.add_option(name, value, what);
    return option->type_name(std::is_integral_v<T> ? "N" : "X")->check(refuse);
}

/// An option that is one of some names, the first by default.
template <class T>
CLI::Option* add_choice(CLI::App& verb, const std::string& name, T& value,
                        const std::vector<std::pair<std::string, T>>& choices, const std::string& what) {
    value = choices.front().second;
    std::vector<std::string> names;
    for (const auto& [key, choice] : choices) names.push_back(key);
    const auto choose = [&value, choices](const std::string& text) {
        value = std::ranges::find(choices, text, &std::pair<std::string, T>::first)->second;
    };
    return verb.add_option_function<std::string>(name, choose, what)
        ->type_name("NAME")
        ->check(CLI::IsMember(names).description(""))
        ->default_str(names.front());
}

/// What a verb computes with.
struct Resources {
    int threads = 0;  ///< 0: as OpenMP decides
    Precision precision = Precision::float32;
};

void add_resources(CLI::App& verb, Resources& r, const std::string& group = "Options") {
    add_number(verb, "--threads", r.threads, 1, 4096, "Default: OMP_NUM_THREADS, or one for each processor")
        ->default_str("")
        ->group(group);
    add_choice(verb, "--precision", r.precision, {{"float32", Precision::float32}, {"bfloat16", Precision::bfloat16}},
               "Of large products' operands: float32 or bfloat16; models stay float32")
        ->group(group);
}

template <class F>
void compute_with(const Resources& resources, const F& verb) {
    if (resources.threads > 0) set_thread_count(resources.threads);
    const std::string_view idle = bfloat16_is_idle();  // asked in any case: it refuses a wrong WENGERT_GEMM at once
    const bool is_in_vain = resources.precision == Precision::bfloat16 && !idle.empty();
    if (is_in_vain) fmt::print(stderr, "--precision bfloat16 brings nothing here, all stays float32: {}\n", idle);
    const ProductPrecision precision(is_in_vain ? Precision::float32 : resources.precision);
    verb();
}

/// --data FILE | --source F --target F, with a prefix before each name.
void add_corpus(CLI::App& verb, CorpusFiles& files, const std::string& prefix, const std::string& pairs_name,
                const std::string& group) {
    CLI::Option* const pairs = verb.add_option("--" + pairs_name, files.pairs,
                                               "Tab-separated pairs: source, target; more columns are ignored");
    CLI::Option* const source = verb.add_option("--" + prefix + "source", files.source, "Source sentences, one a line");
    CLI::Option* const target =
        verb.add_option("--" + prefix + "target", files.target, "Their translations, line by line");
    for (CLI::Option* const option : {pairs, source, target})
        option->type_name("FILE")->check(CLI::Validator(CLI::ExistingFile).description(""))->group(group);
    source->needs(target)->excludes(pairs);
    target->needs(source)->excludes(pairs);
}

void add_train(CLI::App& app, TrainArguments& a, Resources& resources) {
    CLI::App& verb = *app.add_subcommand("train", "Train a translator");
    verb.footer(
        "Training begins anew. After each epoch DIR has the model so far, in place of any other, and DIR/log.jsonl one "
        "JSON line more: epoch, step, loss,\n"
        "tokens per second, seconds, and of validation sentences the loss and, for the first 1000, the exact\n"
        "match and BLEU of greedy translations.");
    verb.add_option("--model", a.model, "Where the model goes; made if need be")->type_name("DIR")->required();
    add_corpus(verb, a.data, "", "data", "Training sentences (none: the built-in corpus, English to Chinese)");
    add_corpus(verb, a.validation, "validation-", "validation-data",
               "Validation sentences (none: the held-out part of the built-in corpus, if that is trained on)");

    const std::string model = "The model";
    add_number(verb, "--hidden", a.sizes.hidden, std::int64_t{1}, most, "Features of a state")->group(model);
    add_number(verb, "--embedding", a.sizes.embedding, std::int64_t{1}, most, "Features of a token")->group(model);
    add_number(verb, "--layers", a.sizes.layers, 1, 1000, "GRU layers of the encoder")->group(model);
    verb.add_flag("--bidirectional", a.sizes.bidirectional, "The encoder reads in both directions")->group(model);
    add_number(verb, "--dropout", a.sizes.dropout, 0.0, 0.999, "Probability")->group(model);
    add_number(verb, "--max-length", a.max_length, std::int64_t{1}, most, "Tokens of a side; longer pairs are left out")
        ->group(model);
    add_number(verb, "--vocabulary", a.vocabulary, std::int64_t{5}, most, "Tokens of a side, the most frequent ones")
        ->group(model);

    const std::string training = "The training";
    add_number(verb, "--batch", a.training.batch, std::int64_t{1}, most, "Sentences of a step")->group(training);
    CLI::Option* const epochs =
        add_number(verb, "--epochs", a.training.epochs, std::int64_t{1}, most, "Passes over the corpus")
            ->group(training);
    CLI::Option* const max_steps = add_number(verb, "--max-steps", a.training.max_steps, std::int64_t{1}, 1000 * most,
                                              "Ends training earlier; without --epochs, it ends training alone")
                                       ->group(training);
    add_number(verb, "--learning-rate", a.training.learning_rate, 1e-12, 1e12, "Adam's, at the first step")
        ->group(training);
    add_choice(verb, "--schedule", a.training.schedule,
               {{"linear", Schedule::linear}, {"constant", Schedule::constant}},
               "How the learning rate goes on: linear (falls to 0) or constant")
        ->group(training);
    add_number(verb, "--clip", a.training.clip, 0.0, 1e12, "The most that the gradients' norm may be; 0: no limit")
        ->group(training);
    // Read with a sign, for CLI11 would take -1 for 2^64 - 1.
    add_number(verb, "--seed", a.seed, std::int64_t{0}, std::numeric_limits<std::int64_t>::max(),
               "Of the parameters, the batches and dropout")
        ->group(training);
    add_resources(verb, resources, training);
    max_steps->default_str("");
    verb.callback([&a, &resources, epochs] {
        if (epochs->empty() && a.training.max_steps > 0) a.training.epochs = a.training.max_steps;
        a.training.seed = static_cast<std::uint64_t>(a.seed);
        compute_with(resources, [&a] { train(a); });
    });
}

void add_translate(CLI::App& app, TranslateArguments& a, Resources& resources) {
    CLI::App& verb = *app.add_subcommand("translate", "Translate sentences");
    verb.footer(
        "Translations go to standard output, one a line; an empty line stays empty. A word that the model does\n"
        "not know is <unk>. A line that is not UTF-8 ends the program with its number.");
    verb.add_option("--model", a.model, "What train has written")->type_name("DIR")->required();
    verb.add_option("--attention", a.attention, "Also draws what each word looked at, sentence below sentence")
        ->type_name("FILE.svg");
    add_resources(verb, resources);
    verb.add_option("TEXT", a.texts, "Sentences, each in quotation marks; none: the lines of standard input")
        ->default_str("");
    verb.callback([&a, &resources] { compute_with(resources, [&a] { translate(a); }); });
}

void add_evaluate(CLI::App& app, EvaluateArguments& a, Resources& resources) {
    CLI::App& verb = *app.add_subcommand("evaluate", "Measure a translator on sentence pairs");
    verb.footer(
        "Prints one JSON line: loss (mean cross entropy of a token), perplexity, exact_match (0 to 1) and bleu\n"
        "(BLEU-4, 0 to 100) of greedy translations on tokens, and how many sentences and tokens it translates\n"
        "in a second.");
    verb.add_option("--model", a.model, "What train has written")->type_name("DIR")->required();
    add_corpus(verb, a.data, "", "data", "Sentence pairs (none: the held-out part of the built-in corpus)");
    add_resources(verb, resources);
    verb.callback([&a, &resources] { compute_with(resources, [&a] { evaluate(a); }); });
}

void add_graph(CLI::App& app, GraphArguments& a) {
    CLI::App& verb = *app.add_subcommand("graph", "Draw the tape of one training step");
    verb.add_option("--model", a.model, "What train has written; none: a small model with random parameters")
        ->type_name("DIR");
    verb.add_option("--out", a.out, "The picture: FILE.svg, FILE.png or FILE.dot")->type_name("FILE")->required();
    add_number(verb, "--unfold", a.unfold, 0, 1'000'000, "Time steps that are drawn one by one, the others as one");
    verb.callback([&a] { graph(a); });
}

void add_gradcheck(CLI::App& app, bool& has_passed) {
    CLI::App& verb = *app.add_subcommand("gradcheck", "Compare every op's and layer's gradients with differences");
    verb.footer("Prints a table, in float64: op or layer, order, worst error, verdict.");
    verb.callback([&has_passed] { has_passed = gradcheck(); });
}

/// An error in one line: what, where and the line of the program stand behind one another.
std::string one_line(std::string_view text) {
    std::string line;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view part = text.substr(0, end);
        part.remove_prefix(std::min(part.find_first_not_of(" \t\r"), part.size()));
        if (!line.empty() && !part.empty()) line += "; ";
        line += part;
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
    }
    return line;
}

int fail(int code, std::string_view text) {
    fmt::print(stderr, "seq2seq: {}\n", one_line(text));
    return code;
}

int run(int argc, char** argv) {
    CLI::App app("Neural translation: a GRU encoder, Bahdanau attention and a GRU decoder.", "seq2seq");
    app.require_subcommand(0, 1);
    app.option_defaults()->always_capture_default();
    Resources resources;
    TrainArguments train_arguments;
    TranslateArguments translate_arguments;
    EvaluateArguments evaluate_arguments;
    GraphArguments graph_arguments;
    bool has_passed = true;
    add_train(app, train_arguments, resources);
    add_translate(app, translate_arguments, resources);
    add_evaluate(app, evaluate_arguments, resources);
    add_graph(app, graph_arguments);
    add_gradcheck(app, has_passed);
    try {
        app.parse(argc, argv);
        if (app.get_subcommands().empty()) throw CLI::RequiredError("A verb");
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) return app.exit(error);  // --help
        return fail(misuse, fmt::format("{} (--help shows the usage)", error.what()));
    } catch (const std::bad_alloc&) {
        return fail(failure, "out of memory");
    } catch (const std::exception& error) {
        return fail(failure, error.what());
    }
    return has_passed ? 0 : failure;
}

}  // namespace
}  // namespace wengert::program

int main(int argc, char** argv) {
    const int code = wengert::program::run(argc, argv);
    const bool is_written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
    if (code != 0 || is_written) return code;
    return wengert::program::fail(wengert::program::failure, "standard output cannot be written");
}
