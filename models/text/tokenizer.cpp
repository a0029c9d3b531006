#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>
#include <wengert/autograd/tensor/atomic_file.hpp>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/text/internal/sentencepiece.hpp>
#include <wengert/models/text/internal/splitter.hpp>
#include <wengert/models/text/internal/subwords.hpp>
#include <wengert/models/text/tokenizer.hpp>
#include <wengert/models/text/unicode.hpp>

namespace wengert {

namespace {

constexpr std::array<std::pair<std::string_view, char>, 8> moses_escapes = {{{"&apos;", '\''},
                                                                             {"&quot;", '"'},
                                                                             {"&amp;", '&'},
                                                                             {"&lt;", '<'},
                                                                             {"&gt;", '>'},
                                                                             {"&#124;", '|'},
                                                                             {"&#91;", '['},
                                                                             {"&#93;", ']'}}};

/// The first step of every mode. Throws ValueError.
std::string normal_form(std::string_view text, bool lowercase) {
    if (const auto byte = find_invalid_utf8(text))
        throw ValueError(fmt::format("text: invalid UTF-8 at byte {}", *byte));
    if (const auto byte = find_control_character(text)) {
        throw ValueError(fmt::format("text: control character at byte {}", *byte));
    }
    return normalize(undo_moses_escapes(text), lowercase);
}

constexpr std::array<std::string_view, 4> mode_names = {"words", "characters", "subwords", "spaces"};

}  // namespace

std::string undo_moses_escapes(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const auto escape =
            std::ranges::find_if(moses_escapes, [&](const auto& e) { return text.starts_with(e.first); });
        if (escape != moses_escapes.end()) {
            result += escape->second;
            text.remove_prefix(escape->first.size());
        } else {
            result += text.front();
            text.remove_prefix(1);
        }
    }
    return result;
}

void to_json(nlohmann::json& json, const TokenizerOptions& options) {
    json = {{"mode", mode_names[static_cast<std::size_t>(options.mode)]}, {"lowercase", options.lowercase}};
}

void from_json(const nlohmann::json& json, TokenizerOptions& options) {
    try {
        const auto mode = json.at("mode").get<std::string>();
        const auto name = std::ranges::find(mode_names, mode);
        if (name == mode_names.end()) {
            throw ValueError(
                fmt::format("tokenizer settings: mode is \"{}\", not \"words\", \"characters\", "
                            "\"subwords\" or \"spaces\"",
                            mode));
        }
        options.mode = static_cast<TokenizerMode>(name - mode_names.begin());
        options.lowercase = json.at("lowercase").get<bool>();
    } catch (const nlohmann::json::exception& error) {
        throw ValueError(fmt::format("tokenizer settings: {}", error.what()));
    }
}

Tokenizer::Tokenizer(TokenizerOptions options) : Tokenizer(options, nullptr) {
    if (options.mode == TokenizerMode::subwords)
        throw ValueError("tokenizer: subwords have to be learned; Tokenizer::train does, Tokenizer::load reads them");
    splitter_ = options.mode == TokenizerMode::words        ? word_splitter()
                : options.mode == TokenizerMode::characters ? character_splitter()
                                                            : space_splitter();
}

Tokenizer::Tokenizer(const TokenizerOptions& options, std::shared_ptr<const Splitter> splitter)
    : options_(options), splitter_(std::move(splitter)) {}

bool Tokenizer::has_subwords() { return subwords::is_built(); }

Tokenizer Tokenizer::train(std::span<const std::string> lines, const SubwordOptions& options) {
    std::vector<std::string> texts;
    texts.reserve(lines.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
        try {
            texts.push_back(normal_form(lines[i], options.lowercase));
        } catch (const ValueError& error) {
            throw ValueError(fmt::format("subwords: line {} of the text to learn from: {}", i + 1, error.what()));
        }
    }
    return {{.mode = TokenizerMode::subwords, .lowercase = options.lowercase}, train_subwords(texts, options)};
}

Tokenizer Tokenizer::load(const TokenizerOptions& options, const std::filesystem::path& path) {
    if (options.mode != TokenizerMode::subwords) return Tokenizer(options);
    return {options, load_subwords(path, options.lowercase)};
}

Tokenizer Tokenizer::from_sentencepiece(const std::filesystem::path& path, bool lowercase) {
    return {{.mode = TokenizerMode::subwords, .lowercase = lowercase}, read_sentencepiece(path, lowercase)};
}

bool Tokenizer::has_state() const { return !splitter_->state().empty(); }

void Tokenizer::save(const std::filesystem::path& path) const {
    if (!has_state()) return;
    AtomicFile file(path);
    file.write(std::as_bytes(std::span(splitter_->state())));
    file.commit();
}

Sentence Tokenizer::tokenize(std::string_view text) const {
    return splitter_->split(normal_form(text, options_.lowercase));
}

Sentence Tokenizer::tokenize(std::string_view text, const Sampling& sampling, Generator& generator) const {
    return splitter_->sample(normal_form(text, options_.lowercase), sampling, generator);
}

std::string Tokenizer::detokenize(std::span<const std::string> tokens) const { return splitter_->join(tokens); }

Sentence Tokenizer::pieces() const { return splitter_->pieces(); }

}  // namespace wengert
