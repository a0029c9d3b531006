/// A language model of characters: a GRU or an LSTM reads the built-in corpus' English sentences, one after another,
/// and then writes some of its own. The text is cut into pieces for backpropagation, but the state goes on.
#include <fmt/format.h>

#include <numbers>
#include <wengert/models/line_chart.hpp>
#include <wengert/nn/nn.hpp>

#include "corpus/english_chinese.hpp"
#include "flags.hpp"

using namespace wengert;

/// Characters and their ids, which are places in a string.
struct Alphabet {
    std::string characters;

    explicit Alphabet(const std::string& text) {
        for (const char c : text)
            if (characters.find(c) == characters.npos) characters += c;
    }
    std::int64_t size() const { return static_cast<std::int64_t>(characters.size()); }
    /// The text as equal rows that follow each other, int64 [rows, ..]; what is over at the end is left out.
    Tensor encode(const std::string& text, std::int64_t rows) const {
        const std::int64_t length = static_cast<std::int64_t>(text.size()) / rows;
        std::vector<std::int64_t> ids;
        for (const char c : text.substr(0, static_cast<std::size_t>(rows * length)))
            ids.push_back(static_cast<std::int64_t>(characters.find(c)));
        return tensor(ids, {rows, length});
    }
};

/// The state without its past: where backpropagation ends.
static Tensor cut(const Tensor& state) { return stop_gradient(state); }
static LstmState cut(const LstmState& state) { return {stop_gradient(state.h), stop_gradient(state.c)}; }

template <class Stack>
struct LanguageModel {
    Embedding embedding;
    Stack stack;
    Linear output;
    using State = typename Stack::State;

    LanguageModel(std::int64_t characters, Generator& generator)
        : embedding(characters, 32, generator), stack(32, 160, generator), output(160, characters, generator) {
        name_parameters(*this);
    }

    /// ids int64 [B, T] -> logits of what follows [B, T, characters]; goes on from the state, and leaves its own there
    Tensor operator()(const Tensor& ids, State& state) const {
        const auto result = stack(embedding(ids), {}, state);
        state = cut(result.state);
        return output(result.outputs);
    }

    void visit(auto&& f) {
        f("embedding", embedding);
        f("stack", stack);
        f("output", output);
    }
};

/// In bits a character.
template <class Model>
double entropy(const Model& model, const Tensor& ids) {
    const Pause pause;  // what is only looked at need not be recorded
    typename Model::State state;
    const std::int64_t last = ids.dim(1) - 1;
    return cross_entropy(model(slice(ids, 1, 0, last), state), slice(ids, 1, 1, last + 1)).item() / std::numbers::ln2;
}

/// A text of so many characters. The lower the temperature, the likelier what it writes; at 1 as likely as it was read.
template <class Model>
std::string write(const Model& model, const Alphabet& alphabet, int length, double temperature, Generator& generator) {
    typename Model::State state;
    Tensor id = alphabet.encode("\n", 1);  // a sentence begins after a line's end
    std::string text;
    while (static_cast<int>(text.size()) < length) {
        const Tensor logits = select(model(id, state), 1, 0);
        id = multinomial(softmax(logits / temperature), 1, generator);
        text += alphabet.characters[static_cast<std::size_t>(id.item<std::int64_t>())];
    }
    return text;
}

struct Flags {
    std::string cell = "gru";
    int steps = 600;
    std::uint64_t seed = 1;
    double temperature = 0.5;
};

template <class Stack>
void run(const Flags& flags) {
    constexpr std::int64_t rows = 32, piece = 32;
    const auto text_of = [](const std::vector<SentencePair>& pairs) {
        std::string text;
        for (const SentencePair& pair : pairs) text += pair.source + '\n';
        return text;
    };
    const BuiltinCorpus corpus = english_chinese_corpus();
    const std::string text = text_of(corpus.training);
    const Alphabet alphabet(text);
    const Tensor training = alphabet.encode(text, rows), held_out = alphabet.encode(text_of(corpus.held_out), 200);

    Generator generator(flags.seed);
    LanguageModel<Stack> model(alphabet.size(), generator);
    Adam optimizer(parameters(model), {.learning_rate = 4e-3});
    fmt::print("{} characters of {} kinds, {} parameters\n", text.size(), alphabet.size(), parameter_count(model));

    LineChart::Line read{"read now", {}}, new_text{"held out", {}};
    typename Stack::State state;
    for (std::int64_t step = 1, begin = 0; step <= flags.steps; ++step, begin += piece) {
        if (begin + piece >= training.dim(1)) {  // once more from the beginning
            begin = 0;
            state = {};
        }
        Tape tape;
        const Tensor loss = cross_entropy(model(slice(training, 1, begin, begin + piece), state),
                                          slice(training, 1, begin + 1, begin + piece + 1));
        std::vector<Tensor> gradients = tape.gradient(loss, parameters(model));
        clip_gradient_norm(gradients, 1);
        optimizer.step(gradients);
        if (step % 50 == 0 || step == flags.steps) {
            read.points.push_back({static_cast<double>(step), loss.item() / std::numbers::ln2});
            new_text.points.push_back({static_cast<double>(step), entropy(model, held_out)});
            fmt::print("step {:4}  bits a character: {:.3f} of the text, {:.3f} of held-out text\n", step,
                       read.points.back().y, new_text.points.back().y);
        }
    }
    fmt::print("bits a character of held-out text: {:.3f}\n\nat temperature {}:\n{}\n\n", entropy(model, held_out),
               flags.temperature, write(model, alphabet, 400, flags.temperature, generator));
    write_svg({.title = "A language model of characters, " + flags.cell,
               .x_label = "step",
               .y_label = "bits a character",
               .lines = {read, new_text}},
              "char_lm.svg");
    fmt::print("the bits are drawn in char_lm.svg\n");
}

int main(int argc, char** argv) {
    Flags flags;
    read_flags(argc, argv, "Trains a language model of characters on the built-in corpus, and lets it write.",
               {{"--cell", &flags.cell, "Of the recurrent layer", 0, 0, {"gru", "lstm"}},
                {"--steps", &flags.steps, "Steps of training", 1, 1'000'000},
                {"--seed", &flags.seed, "Of first weights and of what is written", 0, 1'000'000},
                {"--temperature", &flags.temperature, "What logits are divided by", 0.01, 100}});
    flags.cell == "lstm" ? run<Lstm>(flags) : run<Gru>(flags);
}
