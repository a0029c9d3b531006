#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <wengert/autograd/observe/picture_file.hpp>
#include <wengert/models/seq2seq/attention_map.hpp>
#include <wengert/models/seq2seq/checkpoint.hpp>

#include "model_names.hpp"
#include "output_file.hpp"
#include "verbs.hpp"

namespace wengert::program {
namespace {

/// An ensemble that translates sentences one by one.
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

    /// The translations of a sentence that is not empty, the best first. `trace`, if there is one, gets how they were
    /// found.
    std::vector<Translation> translate(const Sentence& source, SearchTrace* trace = nullptr) {
        const std::vector<std::int64_t> ids = source_ids(source, translators_[0].source.vocabulary);
        auto all = wengert::translate(ensemble_, collate({&ids, 1}), options_, trace, {&prefix_, 1}).front();
        ++options_.search_seed;  // each line draws other numbers
        return all;
    }

    AttentionMap map_of(const Sentence& source, const Translation& translation, const std::string& title) const {
        return attention_map(source, translation, title, names_);
    }
    BeamTree tree_of(const SearchTrace& trace, const std::string& title) const {
        return beam_tree(trace.trees.front(), translators_[0].target.vocabulary, title);
    }

  private:
    std::vector<Translator> translators_;
    std::vector<const Translator*> ensemble_;
    SearchOptions options_;
    std::vector<std::string> names_;  // of the models
    Sentence prefix_;
};

/// The next line of standard input, which may end in CR LF. Throws FileError if it cannot be read.
bool next_line(std::string& line) {
    const bool is_there = static_cast<bool>(std::getline(std::cin, line));
    if (std::cin.bad()) throw FileError("standard input cannot be read");
    if (line.ends_with('\r')) line.pop_back();
    return is_there;
}

/// At once: who reads the line may wait for it before writing the next.
void print(const std::string& line) {
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fputc('\n', stdout);
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

}  // namespace

void translate(const TranslateArguments& arguments) {
    require_writable("--attention", arguments.attention, {".svg", ".html", ".json"});
    require_writable("--beam-tree", arguments.beam_tree, {".svg", ".json"});
    Session session(arguments.models, arguments.search, arguments.prefix);
    if (!arguments.attention.empty() && !session.has_attention())
        throw ValueError("--attention: the system of this model has none");
    std::vector<AttentionMap> maps;
    std::vector<BeamTree> trees;
    const bool shows_tree = arguments.search.beam > 1 && arguments.attention.extension() == ".html";
    const bool draws = !arguments.attention.empty() || !arguments.beam_tree.empty();
    const auto one = [&](const std::string& text) {
        const Sentence source = session.tokenize(text);
        if (source.empty()) return print("");  // an empty text has an empty translation
        SearchTrace trace;
        const std::vector<Translation> all = session.translate(source, draws ? &trace : nullptr);
        for (const Translation& translation : all) {
            const Translation shown =
                arguments.replace_unknown ? wengert::replace_unknown(translation, source) : translation;
            const std::string line = session.text_of(shown.tokens);
            print(arguments.search.n_best > 1 ? fmt::format("{:.4f}\t{}", translation.score, line) : line);
        }
        if (!arguments.attention.empty()) maps.push_back(session.map_of(source, all.front(), text));
        if (shows_tree || !arguments.beam_tree.empty()) trees.push_back(session.tree_of(trace, text));
    };
    for (const std::string& text : arguments.texts) one(text);
    if (arguments.texts.empty()) {
        std::int64_t number = 1;
        for (std::string line; next_line(line); ++number) {
            try {
                one(line);
            } catch (const ValueError& error) {
                throw ValueError(fmt::format("standard input:{}: {}", number, error.what()));
            }
        }
    }
    if (arguments.attention.extension() == ".svg") write_svg(maps, arguments.attention);
    if (arguments.attention.extension() == ".html")
        write_html(maps, arguments.attention, shows_tree ? trees : std::vector<BeamTree>());
    if (arguments.attention.extension() == ".json") write_picture(to_json(maps), arguments.attention);
    if (arguments.beam_tree.extension() == ".svg") write_svg(trees, arguments.beam_tree);
    if (arguments.beam_tree.extension() == ".json") write_picture(to_json(trees), arguments.beam_tree);
}

void interactive(const InteractiveArguments& arguments) {
    Session session(arguments.models, arguments.search);
    const auto prompt = [is_terminal = ::isatty(STDIN_FILENO) == 1] {
        if (is_terminal) fmt::print(stderr, "> ");
    };
    prompt();
    for (std::string line; next_line(line); prompt()) {
        try {
            const Sentence source = session.tokenize(line);
            if (source.empty()) continue;
            for (const Translation& translation : session.translate(source)) {
                print(session.text_of(translation.tokens));
                print(fmt::format("    {:.2f}  {}", translation.log_probability, aligned(translation, source)));
            }
        } catch (const ValueError& error) {
            fmt::print(stderr, "{}\n", error.what());
        }
    }
}

}  // namespace wengert::program
