#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <span>
#include <utility>
#include <wengert/autograd/observe/picture_file.hpp>
#include <wengert/models/seq2seq/attention_map.hpp>
#include <wengert/models/seq2seq/checkpoint.hpp>

#include "input_lines.hpp"
#include "model_names.hpp"
#include "output_file.hpp"
#include "verbs.hpp"

namespace wengert::program {
namespace {

/// An ensemble that translates sentences.
class Session {
  public:
    Session(const std::vector<std::filesystem::path>& models, const SearchOptions& options,
            const std::string& prefix = {})
        : options_(options), names_(names_of(models)) {
        for (const std::filesystem::path& model : models) translators_.push_back(load_checkpoint(model));
        try {
            prefix_ = translators_[0].target.tokenizer.tokenize(prefix);
        } catch (const ValueError& error) {
            throw ValueError(fmt::format("--prefix: {}", error.what()));
        }
        for (const Translator& translator : translators_) ensemble_.push_back(&translator);
    }
    Session(const Session&) = delete;  // ensemble_ leads into translators_
    Session& operator=(const Session&) = delete;

    bool has_attention() const { return std::ranges::any_of(translators_, wengert::has_attention); }
    Sentence tokenize(const std::string& text) const { return translators_[0].source.tokenizer.tokenize(text); }
    std::string text_of(const Sentence& target) const { return translators_[0].target.tokenizer.detokenize(target); }

    /// The translations of each sentence, of which none is empty, the best first. `trace`, if there is one, gets how
    /// they were found.
    std::vector<std::vector<Translation>> translate(std::span<const Sentence> sources, SearchTrace* trace = nullptr) {
        std::vector<std::vector<std::int64_t>> ids;
        for (const Sentence& source : sources) ids.push_back(source_ids(source, translators_[0].source.vocabulary));
        const std::vector<Sentence> prefixes(sources.size(), prefix_);
        return wengert::translate(ensemble_, collate(ids), options_, trace, prefixes);
    }

    /// From here on draws at random are others, for the same sentences too.
    void draw_anew() { ++options_.search_seed; }

    AttentionMap map_of(const Sentence& source, const Translation& translation, const std::string& title) const {
        return attention_map(source, translation, title, names_);
    }
    BeamTree tree_of(const SearchTree& tree, const std::string& title) const {
        return beam_tree(tree, translators_[0].target.vocabulary, title);
    }

  private:
    std::vector<Translator> translators_;
    std::vector<const Translator*> ensemble_;
    SearchOptions options_;
    std::vector<std::string> names_;  // of the models
    Sentence prefix_;
};

void print(const std::string& line) {
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fputc('\n', stdout);
}

/// Who reads what is printed may wait for it before writing the next line.
void flush_output() {
    if (std::fflush(stdout) != 0) throw FileError("standard output cannot be written");
}

/// "a (ein) man (mann)": each word with the source word that it looked at most; without attention the words alone.
std::string aligned(const Translation& translation, const Sentence& source) {
    std::string line;
    for (std::size_t t = 0; t < translation.tokens.size(); ++t) {
        line += (t > 0 ? " " : "") + translation.tokens[t];
        if (!translation.weights.defined()) continue;
        const std::vector<double> row =
            select(translation.weights, 0, static_cast<std::int64_t>(t)).to_vector<double>();
        const auto at = static_cast<std::size_t>(std::ranges::max_element(row) - row.begin());
        line += fmt::format(" ({})", at < source.size() ? source[at] : "</s>");
    }
    return line;
}

/// Translates texts, some at once, in their order.
class TextTranslation {
  public:
    explicit TextTranslation(const TranslateArguments& arguments)
        : arguments_(arguments),
          batch_(static_cast<std::size_t>(arguments.batch)),
          shows_tree_(arguments.search.beam > 1 && arguments.attention.extension() == ".html"),
          session_(arguments.models, arguments.search, arguments.prefix) {
        const std::pair<const char*, bool> reads_attention[]{
            {"--attention", !arguments.attention.empty()},
            {"--replace-unknown", arguments.replace_unknown},
            {"--coverage-penalty", arguments.search.coverage_penalty > 0}};
        for (const auto& [flag, is_given] : reads_attention)
            if (is_given && !session_.has_attention())
                throw ValueError(std::string(flag) + ": the system of this model has no attention");
    }

    /// Errors of the text begin with `where`.
    void add(const std::string& text, const std::string& where = "") {
        Waiting one{text, where, {}};
        try {
            one.source = session_.tokenize(text);
        } catch (const ValueError& error) {
            flush();
            throw ValueError(where + error.what());
        }
        waiting_.push_back(std::move(one));
        if (waiting_.size() >= batch_) flush();
    }

    /// Prints the translations of what waits.
    void flush() {
        const std::vector<Waiting> texts = std::exchange(waiting_, {});
        SearchTrace trace;
        std::vector<std::vector<Translation>> found;
        try {
            found = search(texts, trace);
        } catch (const ValueError& error) {
            if (texts.size() == 1) throw ValueError(texts[0].where + error.what());
            for (const Waiting& text : texts) {  // one of them is at fault
                waiting_ = {text};
                flush();
            }
            return;
        }
        std::size_t row = 0;
        for (const Waiting& text : texts) {
            if (text.source.empty()) {
                print("");  // an empty text has an empty translation
                continue;
            }
            show(text, found[row], draws() ? trace.trees[row] : SearchTree());
            ++row;
        }
        flush_output();
    }

    void write_pictures() const {
        const std::filesystem::path &attention = arguments_.attention, &tree = arguments_.beam_tree;
        if (attention.extension() == ".svg") write_svg(maps_, attention);
        if (attention.extension() == ".html")
            write_html(maps_, attention, shows_tree_ ? trees_ : std::vector<BeamTree>());
        if (attention.extension() == ".json") write_picture(to_json(maps_), attention);
        if (tree.extension() == ".svg") write_svg(trees_, tree);
        if (tree.extension() == ".json") write_picture(to_json(trees_), tree);
    }

  private:
    struct Waiting {
        std::string text, where;
        Sentence source;
    };

    bool draws() const { return !arguments_.attention.empty() || !arguments_.beam_tree.empty(); }

    /// The translations of those that are not empty.
    std::vector<std::vector<Translation>> search(const std::vector<Waiting>& texts, SearchTrace& trace) {
        std::vector<Sentence> sources;
        for (const Waiting& text : texts)
            if (!text.source.empty()) sources.push_back(text.source);
        if (sources.empty()) return {};
        return session_.translate(sources, draws() ? &trace : nullptr);
    }

    void show(const Waiting& text, const std::vector<Translation>& all, const SearchTree& tree) {
        for (const Translation& translation : all) {
            const Translation shown =
                arguments_.replace_unknown ? wengert::replace_unknown(translation, text.source) : translation;
            const std::string line = session_.text_of(shown.tokens);
            print(arguments_.search.n_best > 1 ? fmt::format("{:.4f}\t{}", translation.score, line) : line);
        }
        if (!arguments_.attention.empty()) maps_.push_back(session_.map_of(text.source, all.front(), text.text));
        if (shows_tree_ || !arguments_.beam_tree.empty()) trees_.push_back(session_.tree_of(tree, text.text));
    }

    const TranslateArguments& arguments_;
    const std::size_t batch_;
    const bool shows_tree_;
    Session session_;
    std::vector<Waiting> waiting_;
    std::vector<AttentionMap> maps_;
    std::vector<BeamTree> trees_;
};

}  // namespace

void translate(const TranslateArguments& arguments) {
    require_writable("--attention", arguments.attention, {".svg", ".html", ".json"});
    require_writable("--beam-tree", arguments.beam_tree, {".svg", ".json"});
    TextTranslation translation(arguments);
    for (const std::string& text : arguments.texts) translation.add(text);
    InputLines input;
    std::int64_t number = 0;
    for (std::string line; arguments.texts.empty() && input.next(line);) {
        translation.add(line, fmt::format("standard input:{}: ", ++number));
        if (!input.is_ready()) translation.flush();
    }
    translation.flush();
    translation.write_pictures();
}

void interactive(const InteractiveArguments& arguments) {
    Session session(arguments.models, arguments.search);
    const auto prompt = [is_terminal = ::isatty(STDIN_FILENO) == 1] {
        if (is_terminal) fmt::print(stderr, "> ");
    };
    prompt();
    InputLines input;
    for (std::string line; input.next(line); prompt()) {
        try {
            const Sentence source = session.tokenize(line);
            if (source.empty()) continue;
            const auto translations = session.translate({&source, 1});
            for (const Translation& translation : translations.front()) {
                print(session.text_of(translation.tokens));
                print(fmt::format("    {:.2f}  {}", translation.log_probability, aligned(translation, source)));
            }
            session.draw_anew();
            flush_output();
        } catch (const ValueError& error) {
            fmt::print(stderr, "{}\n", error.what());
        }
    }
}

}  // namespace wengert::program
