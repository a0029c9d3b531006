// Trains a translator, translates with it, measures it, draws it and proves its gradients:
// see `seq2seq --help` and `seq2seq VERB --help`.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <new>

#include "verbs.hpp"

namespace wengert::program {
namespace {

constexpr int failure = 1, misuse = 2;

const CLI::Range count(1, 1'000'000);
/// 0 as well as more, or more only, but no NaN.
const CLI::Range not_negative(0.0, 1e300), positive(1e-300, 1e300);

/// --data FILE | --source F --target F, with a prefix before each name.
void add_corpus(CLI::App& verb, CorpusFiles& files, const std::string& prefix, const std::string& pairs_name,
                const std::string& what) {
    const std::string group = what;
    CLI::Option* const pairs = verb.add_option("--" + pairs_name, files.pairs,
                                               "Tab-separated pairs: source, target; further columns are ignored");
    CLI::Option* const source = verb.add_option("--" + prefix + "source", files.source, "Source sentences, one a line");
    CLI::Option* const target =
        verb.add_option("--" + prefix + "target", files.target, "Their translations, line by line");
    for (CLI::Option* const option : {pairs, source, target})
        option->type_name("FILE")->check(CLI::ExistingFile)->group(group);
    source->needs(target)->excludes(pairs);
    target->needs(source)->excludes(pairs);
}

void add_train(CLI::App& app, TrainArguments& a) {
    CLI::App& verb = *app.add_subcommand("train", "Train a translator");
    verb.footer(
        "After each epoch DIR has the model so far, and DIR/log.jsonl one JSON line more: epoch, step, loss, tokens "
        "per "
        "second,\nseconds, and of validation sentences the loss and, for the first 1000, the exact match and BLEU of "
        "greedy translations.");
    verb.add_option("--model", a.model, "Where the model goes; made if need be")->type_name("DIR")->required();
    add_corpus(verb, a.data, "", "data", "Training sentences (none: the built-in corpus, English to Chinese)");
    add_corpus(verb, a.validation, "validation-", "validation-data",
               "Validation sentences (none: the held-out part of the built-in corpus, if that is trained on)");

    const std::string model = "The model";
    verb.add_option("--hidden", a.sizes.hidden, "Features of a state")->check(count)->group(model);
    verb.add_option("--embedding", a.sizes.embedding, "Features of a token")->check(count)->group(model);
    verb.add_option("--layers", a.sizes.layers, "GRU layers of the encoder")->check(CLI::Range(1, 1000))->group(model);
    verb.add_flag("--bidirectional", a.sizes.bidirectional, "The encoder reads in both directions")->group(model);
    verb.add_option("--dropout", a.sizes.dropout, "Probability")->check(CLI::Range(0.0, 0.999))->group(model);
    verb.add_option("--max-length", a.max_length, "Tokens of a side; longer pairs are left out")
        ->check(count)
        ->group(model);
    verb.add_option("--vocabulary", a.vocabulary, "Tokens of a side, the most frequent ones")
        ->check(CLI::Range(5, 1'000'000))
        ->group(model);

    const std::string training = "The training";
    verb.add_option("--batch", a.training.batch, "Sentences of a step")->check(count)->group(training);
    CLI::Option* const epochs =
        verb.add_option("--epochs", a.training.epochs, "Passes over the corpus")->check(count)->group(training);
    verb.add_option("--max-steps", a.training.max_steps, "Ends training; without --epochs, they do not")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000}))
        ->group(training);
    verb.add_option("--learning-rate", a.training.learning_rate, "Adam's")->check(positive)->group(training);
    verb.add_option("--clip", a.training.clip, "The most that the gradients' norm may be; 0: no limit")
        ->check(not_negative)
        ->group(training);
    verb.add_option("--seed", a.training.seed, "Of the parameters, the batches and dropout")->group(training);
    verb.add_option("--threads", a.threads, "Default: OMP_NUM_THREADS, or one for each processor")
        ->check(CLI::Range(1, 4096))
        ->default_str("")
        ->group(training);
    verb.callback([&a, epochs] {
        if (epochs->empty() && a.training.max_steps > 0) a.training.epochs = a.training.max_steps;
        train(a);
    });
}

void add_translate(CLI::App& app, TranslateArguments& a) {
    CLI::App& verb = *app.add_subcommand("translate", "Translate sentences");
    verb.footer(
        "Translations go to standard output, one a line; an empty line stays empty. A word that the model does not "
        "know "
        "is <unk>.");
    verb.add_option("--model", a.model, "What train has written")->type_name("DIR")->required();
    verb.add_option("--attention", a.attention, "Also draws what each word looked at, sentence below sentence")
        ->type_name("FILE.svg");
    verb.add_option("TEXT", a.texts, "Sentences, each in quotation marks; none: the lines of standard input");
    verb.callback([&a] { translate(a); });
}

void add_evaluate(CLI::App& app, EvaluateArguments& a) {
    CLI::App& verb = *app.add_subcommand("evaluate", "Measure a translator on sentence pairs");
    verb.footer(
        "Prints one JSON line: loss (mean cross entropy of a token), perplexity, exact_match (0 to 1) and bleu "
        "(BLEU-4, "
        "0 to\n100) of greedy translations on tokens, and how many sentences and tokens it translates in a second.");
    verb.add_option("--model", a.model, "What train has written")->type_name("DIR")->required();
    add_corpus(verb, a.data, "", "data", "Sentences (none: the held-out part of the built-in corpus)");
    verb.callback([&a] { evaluate(a); });
}

void add_graph(CLI::App& app, GraphArguments& a) {
    CLI::App& verb = *app.add_subcommand("graph", "Draw the tape of one training step");
    verb.add_option("--model", a.model, "What train has written; none: a small model with random parameters")
        ->type_name("DIR");
    verb.add_option("--out", a.out, "The picture: FILE.svg, FILE.png or FILE.dot")->type_name("FILE")->required();
    verb.add_option("--unfold", a.unfold, "Time steps that are drawn one by one; the others are drawn as one")
        ->check(CLI::Range(0, 1'000'000));
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
    app.require_subcommand(1);
    app.option_defaults()->always_capture_default();
    TrainArguments train_arguments;
    TranslateArguments translate_arguments;
    EvaluateArguments evaluate_arguments;
    GraphArguments graph_arguments;
    bool has_passed = true;
    add_train(app, train_arguments);
    add_translate(app, translate_arguments);
    add_evaluate(app, evaluate_arguments);
    add_graph(app, graph_arguments);
    add_gradcheck(app, has_passed);
    try {
        app.parse(argc, argv);
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
    return is_written ? code : wengert::program::fail(wengert::program::failure, "standard output cannot be written");
}
