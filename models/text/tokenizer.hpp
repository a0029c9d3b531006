#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>
#include <wengert/autograd/tensor/export.hpp>

namespace WENGERT_EXPORT wengert {

class Generator;
class Splitter;

/// The tokens of one sentence.
using Sentence = std::vector<std::string>;

/// What a token is.
enum class TokenizerMode { words, characters, subwords, spaces };

/// How text becomes tokens. Saved beside a model, so that text is split in use as it was in training.
struct TokenizerOptions {
    TokenizerMode mode = TokenizerMode::words;  ///< what a token is
    bool lowercase = true;                      ///< whether text is brought to lower case first

    bool operator==(const TokenizerOptions&) const = default;
};

/// As {"mode": "words" | "characters" | "subwords", "lowercase": bool}.
void to_json(nlohmann::json& json, const TokenizerOptions& options);
/// Throws ValueError for a missing or unknown setting.
void from_json(const nlohmann::json& json, TokenizerOptions& options);

/// How pieces of words are learned: by merging the most frequent pair of neighbours again and again (byte pairs,
/// Sennrich et al. 2016, arXiv:1508.07909), or as the pieces with which the text is most likely if each is drawn by
/// itself (Kudo 2018, arXiv:1804.10959).
enum class SubwordModel { bpe, unigram };

struct SubwordOptions {
    std::int64_t vocabulary_size = 8000;     ///< pieces in all, the 256 bytes among them
    bool lowercase = true;                   ///< whether text is brought to lower case first
    SubwordModel model = SubwordModel::bpe;  ///< how the pieces are learned
    double character_coverage = 0.9995;  ///< of the text's characters; the rarest others have no piece but their bytes
};

/// How far tokens that are drawn at random differ from those of tokenize().
struct Sampling {
    /// For byte pairs the probability with which a merge is passed over: 0 gives the tokens of tokenize(), 1 single
    /// characters. For a unigram model the exponent of the probabilities: with 0 every way to split is as likely as
    /// another, and the larger alpha is, the more often the best is drawn.
    double alpha = 0.1;
};

/// Text without the escapes that Moses leaves in published corpora: `&apos;` `&quot;` `&amp;` `&lt;` `&gt;` `&#124;`
/// `&#91;` `&#93;`.
std::string undo_moses_escapes(std::string_view text);

/// Splits text into tokens and writes tokens as text again, for any mix of languages. Copies share what was learned.
///
/// First, in all modes, the escapes that Moses leaves in published corpora (`&apos;` `&quot;` `&amp;` `&lt;` `&gt;`
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
///
/// `spaces`: white space separates tokens, and nothing else does: for text that is split already.
///
/// `subwords`: words are split into pieces that were learned from text, by libsentencepiece (Kudo and Richardson 2018,
/// arXiv:1808.06226). A `▁` stands for the white space before a word, also before the first: ▁un follow ed. What has no
/// piece is bytes, <0xE6> <0x88> <0x91>, so that no text is unknown. detokenize(tokenize(text)) is the text as the
/// first step leaves it, with one space for each run of white space and none at the ends. So text that is already split
/// at spaces keeps its tokens. For this a `▁` of the text, a `▅`, and a `<` that looks like the beginning of a byte or
/// of a vocabulary's special token are control characters in the tokens.
class Tokenizer {
  public:
    /// Words, characters or spaces. Throws ValueError for subwords, which have to be learned.
    explicit Tokenizer(TokenizerOptions options = {});
    Tokenizer(const Tokenizer&) = default;  // moving copies, so that none is without what it splits by
    Tokenizer& operator=(const Tokenizer&) = default;

    /// Whether this build has subwords: it has if libsentencepiece was found.
    static bool has_subwords();
    /// Learns subwords from lines of text; for pieces that two languages share, from those of both. The same lines in
    /// the same order give the same pieces. Throws ValueError if a line is no text, if there is none, if the vocabulary
    /// is too small for the characters or larger than the number of pieces that there are (the message says which
    /// number it is), unless 0.98 <= character_coverage <= 1, and if this build has no subwords.
    static Tokenizer train(std::span<const std::string> lines, const SubwordOptions& options = {});
    /// The tokenizer of these options, with the state that `save` wrote to `path`; nothing is read if the mode has
    /// none. Throws FileError with the path and the reason if the file is cut off, damaged, something else, or of
    /// another case than the options say, ValueError if this build has no subwords.
    static Tokenizer load(const TokenizerOptions& options, const std::filesystem::path& path);

    /// Subwords of a model of sentencepiece, whichever program has trained it: `spm_train` or this one. Text is brought
    /// to normalisation form C and, if `lowercase`, to lower case, and then normalised as the model says. What a model
    /// without bytes has no piece for is a token that no vocabulary has. Throws FileError with the path and the reason
    /// if the file is no such model, if its tokens are words or characters, and if text that is brought to lower case
    /// could never have some of its pieces, ValueError if this build has no subwords.
    static Tokenizer from_sentencepiece(const std::filesystem::path& path, bool lowercase);

    /// Whether there is more to keep than options(): subwords have what they learned.
    bool has_state() const;
    /// Writes the state, whole or not at all; nothing if there is none. For subwords the file is a model of
    /// sentencepiece, which its own programs read. Throws FileError if the file cannot be written.
    void save(const std::filesystem::path& path) const;

    /// Throws ValueError, naming the byte, if `text` is not UTF-8 or has control characters other than white space.
    Sentence tokenize(std::string_view text) const;
    /// Subwords drawn at random, which are other ones each time and give the same text: for training, by dropout of
    /// byte pairs (Provilkov et al. 2020, arXiv:1910.13267) or from the distribution of a unigram model (Kudo 2018,
    /// arXiv:1804.10959) over all ways to split. Words and characters are split in one way, and draw nothing. Throws
    /// ValueError unless alpha is 0 or more and finite, for byte pairs 1 or less, and as above.
    Sentence tokenize(std::string_view text, const Sampling& sampling, Generator& generator) const;

    /// Writes tokens as a person would: no space within East Asian text, before closing and after opening marks.
    /// A straight quote opens if an even number of its kind precede it and another follows. Case is not restored.
    /// Characters and subwords have their own spaces. Bytes that are no text, in subwords, become U+FFFD.
    std::string detokenize(std::span<const std::string> tokens) const;

    /// Every token that tokenize() can give, each once: for subwords the bytes and what was learned, for words and
    /// characters, which have no end, none.
    Sentence pieces() const;

    /// How text is split.
    const TokenizerOptions& options() const { return options_; }

  private:
    Tokenizer(const TokenizerOptions& options, std::shared_ptr<const Splitter> splitter);

    TokenizerOptions options_;
    std::shared_ptr<const Splitter> splitter_;
};

}  // namespace wengert
