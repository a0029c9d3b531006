#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <iostream>
#include <system_error>
#include <wengert/autograd/observe/picture_file.hpp>
#include <wengert/models/seq2seq/attention_map.hpp>
#include <wengert/models/seq2seq/checkpoint.hpp>

#include "verbs.hpp"

namespace wengert::program {
namespace {

/// Looks before the work, so that it is not in vain.
void require_writable_map(const std::filesystem::path& file) {
    if (file.extension() != ".svg" && file.extension() != ".json")
        throw ValueError(fmt::format("--attention {}: the name must end in .svg or .json", file.string()));
    const std::filesystem::path directory = file.has_parent_path() ? file.parent_path() : ".";
    const bool exists = ::access(file.c_str(), F_OK) == 0;
    if (::access(exists ? file.c_str() : directory.c_str(), W_OK) != 0)
        throw FileError(
            fmt::format("{}: cannot be written: {}", file.string(), std::generic_category().message(errno)));
}

/// Translates texts one by one, and keeps the attention of each if it is to be written.
class Session {
  public:
    explicit Session(const TranslateArguments& arguments)
        : options_(arguments.search), replaces_unknown_(arguments.replace_unknown), attention_(arguments.attention) {
        for (const std::filesystem::path& model : arguments.models) translators_.push_back(load_checkpoint(model));
        for (const Translator& translator : translators_) ensemble_.push_back(&translator);
        if (!attention_.empty()) require_writable_map(attention_);
    }

    /// Prints the translation at once: who reads it may wait for it before writing the next line. An empty text has an
    /// empty translation.
    void translate(const std::string& text) {
        const Language& language = translators_[0].source;
        const Sentence source = language.tokenizer.tokenize(text);
        if (source.empty()) {
            print("");
        } else {
            const std::vector<std::int64_t> ids = source_ids(source, language.vocabulary);
            const auto all = wengert::translate(ensemble_, collate({&ids, 1}), options_).front();
            ++options_.search_seed;  // each line draws other numbers
            for (const Translation& one : all) {
                const Translation shown = replaces_unknown_ ? wengert::replace_unknown(one, source) : one;
                const std::string line = translators_[0].target.tokenizer.detokenize(shown.tokens);
                print(options_.n_best > 1 ? fmt::format("{:.4f}\t{}", one.score, line) : line);
            }
            if (!attention_.empty()) maps_.push_back(attention_map(source, all.front(), text));
        }
        if (std::fflush(stdout) != 0) throw FileError("standard output cannot be written");
    }

    void write_attention() const {
        if (attention_.extension() == ".svg") write_svg(maps_, attention_);
        if (attention_.extension() == ".json") write_picture(to_json(maps_), attention_);
    }

  private:
    static void print(const std::string& line) {
        std::fwrite(line.data(), 1, line.size(), stdout);
        std::fputc('\n', stdout);
    }

    std::vector<Translator> translators_;
    std::vector<const Translator*> ensemble_;
    SearchOptions options_;
    const bool replaces_unknown_;
    const std::filesystem::path attention_;
    std::vector<AttentionMap> maps_;
};

}  // namespace

void translate(const TranslateArguments& arguments) {
    Session session(arguments);
    for (const std::string& text : arguments.texts) session.translate(text);
    if (arguments.texts.empty()) {
        std::int64_t number = 0;
        for (std::string line; std::getline(std::cin, line);) {
            ++number;
            if (line.ends_with('\r')) line.pop_back();
            try {
                session.translate(line);
            } catch (const ValueError& error) {
                throw ValueError(fmt::format("standard input:{}: {}", number, error.what()));
            }
        }
        if (std::cin.bad()) throw FileError("standard input cannot be read");
    }
    session.write_attention();
}

}  // namespace wengert::program
