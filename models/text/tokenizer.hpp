#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wengert {

/// The tokens of one sentence.
using Sentence = std::vector<std::string>;

enum class TokenizerMode { words, characters };

/// How text becomes tokens. Saved beside a model, so that text is split in use as it was in training.
struct TokenizerOptions {
    TokenizerMode mode = TokenizerMode::words;
    bool lowercase = true;

    bool operator==(const TokenizerOptions&) const = default;
};

/// As {"mode": "words" | "characters", "lowercase": bool}.
void to_json(nlohmann::json& json, const TokenizerOptions& options);
/// Throws ValueError for a missing or unknown setting.
void from_json(const nlohmann::json& json, TokenizerOptions& options);

/// Splits text into tokens and writes tokens as text again, for any mix of languages and without a model.
///
/// First, in both modes, the escapes that Moses leaves in published corpora (`&apos;` `&quot;` `&amp;` `&lt;` `&gt;`
/// `&#124;` `&#91;` `&#93;`) are undone, and the text is brought to Unicode normalisation form C and lower case.
///
/// `words`: white space separates tokens, and
///  - a character of a script written without spaces (Han, kana, Bopomofo) is a token: 我们 -> 我 们;
///  - punctuation marks and symbols are tokens: "Hi (Tom)!" -> hi ( tom ) !
///  - but a mark inside a word or number belongs to it: an apostrophe (don't, l'homme; ’ is written '), a full stop
///    between two letters or two digits (a.m, 3.14), a comma or colon between digits (1,000, 7:30), and a hyphen on
///    either side of a word (well-known, vor- und nachteile);
///  - a run of full stops, ellipses or dashes is one token (... -- ……);
///  - an English clitic that a corpus has set apart (woman 's) returns to its word.
/// Text that is already split at spaces keeps its tokens: tokenize of the tokens joined by spaces gives them again.
///
/// `characters`: every user-perceived character is a token and white space between words is one token `▁` (U+2581).
class Tokenizer {
  public:
    explicit Tokenizer(TokenizerOptions options = {}) : options_(options) {}

    /// Throws ValueError, naming the byte, if `text` is not UTF-8 or has control characters other than white space.
    Sentence tokenize(std::string_view text) const;

    /// Writes tokens as a person would: no space within East Asian text, before closing and after opening marks.
    /// A straight quote opens if an even number of its kind precede it and another follows. Case is not restored.
    std::string detokenize(std::span<const std::string> tokens) const;

    const TokenizerOptions& options() const { return options_; }

  private:
    TokenizerOptions options_;
};

}  // namespace wengert
