// Covers models/seq2seq/systems/target_words.hpp
// Covers models/seq2seq/systems/stacked.hpp
// Covers models/seq2seq/systems/cho.hpp
// Covers models/seq2seq/systems/conditional.hpp
// Covers models/seq2seq/systems/transformer.hpp
// Covers models/seq2seq/systems/cell_stack.hpp
// Covers models/seq2seq/systems/recurrent.hpp
#include <doctest/doctest.h>

#include <set>
#include <wengert/models/seq2seq/evaluation.hpp>
#include <wengert/models/seq2seq/system.hpp>
#include <wengert/models/seq2seq/systems/cell_stack.hpp>
#include <wengert/models/seq2seq/training/trainer.hpp>

#include "../../nn/close.hpp"
#include "small_seq2seq.hpp"
#include "small_translator.hpp"

using namespace wengert;

namespace {

SystemOptions small_options(std::string_view name) {
    SystemOptions options{.embedding = 24, .hidden = 24, .layers = 1, .window = 2, .heads = 2};
    options.bidirectional = name != "luong-dot";
    return options;
}

Translator small_translator_of(std::string_view name, const SystemOptions& options) {
    const Corpus corpus = small_corpus();
    Generator generator(1);
    return {{Tokenizer(), Vocabulary::build(corpus.source)},
            {Tokenizer(), Vocabulary::build(corpus.target)},
            10,
            name,
            options,
            generator};
}

}  // namespace

TEST_CASE("system: each learns eight sentences by heart, and translates them with any beam") {
    const Corpus corpus = small_corpus();
    std::set<std::string_view> names;
    for (const SystemEntry& entry : all_systems()) {
        CAPTURE(entry.name);
        CHECK(names.insert(entry.name).second);
        Translator translator = small_translator_of(entry.name, small_options(entry.name));
        CHECK(translator.system->name() == entry.name);
        train(translator, corpus,
              {.batch = 4, .epochs = 100, .learning_rate = 1e-2, .warmup = 10, .label_smoothing = 0.05});
        for (const int beam : {1, 3}) CHECK(evaluate(translator, corpus, {.search = {.beam = beam}}).exact_match == 1);
    }
}

TEST_CASE("system: noise changes the loss, and the same noise gives the same loss") {
    const SmallBatch batch;
    for (const SystemEntry& entry : all_systems()) {
        CAPTURE(entry.name);
        for (const bool variational : {false, true}) {
            SystemOptions options = small_options(entry.name);
            options.dropout = options.context_dropout = options.output_dropout = options.word_dropout =
                options.recurrent_dropout = 0.3;
            options.variational = variational;
            Generator generator(1);
            const auto system = make_system(entry.name, options, generator);
            const auto loss = [&](std::uint64_t seed) {
                Generator noise(seed);
                return system->loss(batch.source, batch.lengths, batch.target, &noise).item();
            };
            CHECK(loss(1) == loss(1));
            CHECK(loss(1) != loss(2));
            CHECK(system->loss(batch.source, batch.lengths, batch.target).item() ==
                  system->loss(batch.source, batch.lengths, batch.target).item());
        }
    }
}

namespace {

/// Gives one option another value: options.describe(Changed{"window"}).
struct Changed {
    std::string_view name;

    template <class T>
    void operator()(const OptionText& text, T& value, const Bounds<T>&) const {
        if (text.name != name) return;
        if constexpr (std::same_as<T, double>)
            value = 0.6;
        else
            value = value == 0 ? T{5} : static_cast<T>(2 * value);
    }
    void operator()(const OptionText& text, bool& value) const {
        if (text.name == name) value = !value;
    }
    template <class Enum, std::size_t n>
    void operator()(const OptionText& text, Enum& value, const std::array<Choice<Enum>, n>& choices) const {
        if (text.name == name) value = (value == choices.back().value ? choices.front() : choices.back()).value;
    }
};

/// Parameters and loss, by which one can tell systems apart; empty if there is no such system.
std::string fingerprint(const SystemEntry& entry, const SystemOptions& options) {
    const SmallBatch batch;
    Generator generator(1), noise(2);
    try {
        const auto system = entry.make(entry.name, options, generator);
        std::string text;
        for (const auto& [name, parameter] : system->named_parameters()) {
            Generator values(std::hash<std::string>()(name));  // the same whatever was drawn before
            write(uniform(parameter.shape(), -1, 1, values), {parameter});
            text += name + to_string(parameter.shape());
        }
        return fmt::format("{} {:.9}", text, system->loss(batch.source, batch.lengths, batch.target, &noise).item());
    } catch (const ValueError&) {
        return "";
    }
}

}  // namespace

TEST_CASE("system: the table says which options a system does not read, and these are refused") {
    for (const SystemEntry& entry : all_systems()) {
        CAPTURE(entry.name);
        SystemOptions base{.source_vocabulary = 12,
                           .target_vocabulary = 12,
                           .embedding = 8,
                           .hidden = 8,
                           .layers = 2,
                           .bidirectional = entry.name != "luong-dot",
                           .dropout = 0.3,
                           .readout = Readout::deep,
                           .context_dropout = 0.3,
                           .window = 1,
                           .heads = 2};
        const std::string plain = fingerprint(entry, base);
        for (const auto& [name, value] : option_texts(base)) {
            CAPTURE(name);
            SystemOptions changed = base, alone;
            changed.describe(Changed{name});
            const std::string other = fingerprint(entry, changed);
            const bool is_read = !other.empty() && other != plain;
            CHECK(is_read == (std::ranges::find(entry.unread, name) == entry.unread.end()));
            alone.describe(Changed{name});
            if (is_read)
                CHECK_NOTHROW(require_read_options(entry.name, alone));
            else
                CHECK_THROWS_AS(require_read_options(entry.name, alone), ValueError);
        }
        for (const std::string_view name : entry.unread) {
            CAPTURE(name);
            OptionList options = option_texts(base);
            std::ranges::copy(option_texts(TrainingOptions()), std::back_inserter(options));
            CHECK(std::ranges::count(options, name, &OptionList::value_type::first) == 1);
        }
    }
    CHECK_THROWS_WITH_AS(require_read_options("transformer", TrainingOptions{.scheduled_sampling = 0.1}),
                         "transformer: scheduled_sampling is 0.1, but this system does not read it", ValueError);
    CHECK_THROWS_WITH_AS(require_read_options("transformer", SystemOptions{.cell = CellKind::lstm}),
                         "transformer: cell is lstm, but this system does not read it", ValueError);
}

TEST_CASE("system: with all that options add, every parameter has a part in the loss") {
    const SmallBatch batch;
    for (const SystemEntry& entry : all_systems()) {
        for (const CellKind cell : {CellKind::gru, CellKind::lstm, CellKind::rnn}) {
            CAPTURE(entry.name);
            CAPTURE(name_of(cell_names, cell));
            SystemOptions options = small_options(entry.name);
            options.layers = 2;
            options.cell = cell;
            options.gru_reset = GruReset::before_product;
            options.readout = Readout::deep;
            options.residual = options.layer_norm = true;
            Generator generator(1);
            const auto system = make_system(entry.name, options, generator);
            Tape tape;
            const std::vector<Tensor> parameters = system->parameters();
            const auto gradients = tape.gradient(system->loss(batch.source, batch.lengths, batch.target), parameters);
            for (std::size_t i = 0; i < parameters.size(); ++i) {
                CAPTURE(parameters[i].name());
                // A score's bias shifts all scores alike, and the key's is none.
                const double size = sum(abs(gradients[i])).item();
                const bool is_shift = parameters[i].name().find("in_proj_bias") != std::string::npos;
                CHECK((size > 0 || is_shift));
            }
        }
    }
}

TEST_CASE("system: residual connections leave the states of the cells as they are") {
    SystemOptions options = small_options("sutskever");
    options.layers = 2;
    Generator generator(1), same(1);
    const CellStack plain(options, 0, generator);
    options.residual = true;
    const CellStack residual(options, 0, same);
    const Tensor projection = uniform({2, 72}, -1, 1, generator);
    const std::vector<CellState> zero{{zeros({2, 24}), {}}, {zeros({2, 24}), {}}};
    StepDropout none;
    const auto a = plain(projection, {}, zero, none), b = residual(projection, {}, zero, none);
    for (std::size_t i = 0; i < 2; ++i) CHECK(difference(a.states[i].h, b.states[i].h, 0) == "");
    CHECK(difference(b.top, a.states[0].h + a.states[1].h, 0) == "");
}

TEST_CASE("system: tables that are tied are one, and a size that forbids it is an error") {
    Generator generator(1);
    SystemOptions options = small_options("conditional");
    options.source_vocabulary = options.target_vocabulary = 9;
    options.tying = Tying::all;
    const auto system = make_system("conditional", options, generator);
    const NamedTensors named = system->named_parameters();
    const auto at = [&](std::string_view name) {
        return std::ranges::find(named, name, &NamedTensors::value_type::first)->second;
    };
    CHECK(at("encoder.embedding.weight").same_as(at("decoder.output.weight")));
    CHECK(at("decoder.embedding.weight").same_as(at("decoder.output.weight")));
    CHECK(system->parameters().size() == named.size() - 2);
    options.source_vocabulary = 10;
    CHECK_THROWS_WITH_AS(make_system("conditional", options, generator), doctest::Contains("needs a joint"),
                         ValueError);
    options.source_vocabulary = 9, options.embedding = 12, options.readout = Readout::state;
    CHECK_THROWS_WITH_AS(make_system("conditional", options, generator), doctest::Contains("the two are equal with"),
                         ValueError);
}

TEST_CASE("system: a name that there is not is an error that names those that there are") {
    Generator generator(1);
    CHECK_THROWS_WITH_AS(make_system("bahdnau", {}, generator),
                         doctest::Contains("there is no system \"bahdnau\", only bahdanau, sutskever, "), ValueError);
}

TEST_CASE("select_rows: rows as often as they are asked for, and only those that there are") {
    const Tensor x = tensor({1, 2, 3, 4, 5, 6}, {3, 2}), ids = tensor(std::vector<std::int64_t>{7, 8, 9});
    CHECK(select_rows(transpose(x), std::vector<std::int64_t>{1, 0, 1}).to_vector<double>() ==
          std::vector<double>{2, 4, 6, 1, 3, 5, 2, 4, 6});
    CHECK(select_rows(ids, std::vector<std::int64_t>{2, 2}).to_vector<std::int64_t>() ==
          std::vector<std::int64_t>{9, 9});
    CHECK_THROWS_AS(select_rows(x, std::vector<std::int64_t>{3}), ValueError);
    CHECK_THROWS_AS(select_rows(scalar(1), std::vector<std::int64_t>{0}), ShapeError);
}
