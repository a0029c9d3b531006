#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>
#include <wengert/models/text/internal/splitter.hpp>
#include <wengert/models/text/unicode.hpp>

namespace wengert {

namespace {

using enum CharacterClass;

bool is_alphanumeric(CharacterClass kind) { return kind == letter || kind == digit; }
bool is_apostrophe(char32_t code) { return code == U'\'' || code == U'’'; }
bool is_hyphen(char32_t code) { return code == U'-' || code == U'\u2010' || code == U'\u2011'; }
bool makes_runs(const Character& c) { return c.kind == dash || c.first == U'.' || c.first == U'…'; }

/// Splits characters into words and marks, looking at the neighbours of each.
class WordCutter {
  public:
    explicit WordCutter(std::vector<Character> text) : text_(std::move(text)) {}

    Sentence cut() {
        for (std::size_t i = 0; i < text_.size(); ++i) {
            const Character& c = text_[i];
            if (c.kind == space) {
                in_word_ = in_word_ && is_clitic(i + 1);
            } else if (belongs_to_word(i)) {
                if (!in_word_) tokens_.emplace_back();
                tokens_.back() += is_apostrophe(c.first) ? "'" : c.text;
                in_word_ = true;
            } else {
                // A mark beside its own kind is never part of a word, so the last token is the run so far.
                if (i > 0 && makes_runs(c) && text_[i - 1].text == c.text) {
                    tokens_.back() += c.text;
                } else {
                    tokens_.emplace_back(c.text);
                }
                in_word_ = false;
            }
        }
        return std::move(tokens_);
    }

  private:
    CharacterClass kind(std::size_t i) const { return i < text_.size() ? text_[i].kind : space; }
    char32_t code(std::size_t i) const { return i < text_.size() ? text_[i].first : U' '; }

    bool belongs_to_word(std::size_t i) const {
        const Character& c = text_[i];
        const CharacterClass next = kind(i + 1);
        if (is_alphanumeric(c.kind)) return true;
        if (is_hyphen(c.first)) return !is_hyphen(code(i + 1)) && (i == 0 || !is_hyphen(code(i - 1)));
        if (!in_word_ || !is_alphanumeric(next)) return false;
        if (is_apostrophe(c.first)) return true;
        const CharacterClass previous = kind(i - 1);
        if (c.first == U'.') return previous == next;
        return (c.first == U',' || c.first == U':') && previous == digit && next == digit;
    }

    /// Whether the characters from `i` are an English clitic that stands by itself, as in "we 're".
    bool is_clitic(std::size_t i) const {
        static constexpr std::array<std::string_view, 7> clitics = {"s", "t", "re", "ve", "ll", "d", "m"};
        if (!is_apostrophe(code(i))) return false;
        std::string letters;
        for (++i; is_alphanumeric(kind(i)) && letters.size() < 3; ++i) letters += text_[i].text;
        const bool ends = !is_alphanumeric(kind(i)) && !is_apostrophe(code(i)) && !is_hyphen(code(i));
        return ends && std::ranges::find(clitics, letters) != clitics.end();
    }

    const std::vector<Character> text_;
    Sentence tokens_;
    bool in_word_ = false;
};

/// Whether a token clings to the one before it and to the one after it.
struct Joins {
    bool left, right;
};

/// Decides for one token after the other, in order, since quotation marks depend on those before them.
class Joiner {
  public:
    explicit Joiner(std::span<const std::string> tokens) : tokens_(tokens) {
        for (const std::string& token : tokens) ++quotes_left_[token];
    }

    Joins operator()(std::size_t i) {
        const std::string& token = tokens_[i];
        const std::vector<Character> text = characters(token);
        if (text.empty()) return {true, true};
        if (is_wide(text.front()) || is_wide(text.back())) return {is_wide(text.front()), is_wide(text.back())};
        const char32_t code = text.front().first;
        switch (text.front().kind) {
            case opening:
                if (code == U'„') low_quote_ = true;
                // German closes with the mark that English opens with.
                if (code == U'“' && std::exchange(low_quote_, false)) return {true, false};
                return {false, true};
            case closing:
                return {true, i > 0 && ends_wide(tokens_[i - 1])};
            case currency: {
                const bool before_number = i + 1 < tokens_.size() && is_number(tokens_[i + 1]);
                const bool after_number = i > 0 && is_number(tokens_[i - 1]);
                return {!before_number && after_number, before_number};
            }
            case punctuation:
                return punctuation_joins(code, token, i == 0);
            default:
                return {false, false};
        }
    }

  private:
    static bool is_wide(const Character& c) { return c.kind == ideograph || c.kind == fullwidth; }
    static bool ends_wide(const std::string& token) { return !token.empty() && is_wide(characters(token).back()); }
    static bool is_number(const std::string& token) { return !token.empty() && token[0] >= '0' && token[0] <= '9'; }

    Joins punctuation_joins(char32_t code, const std::string& token, bool is_first) {
        static constexpr std::u32string_view standing_free = U"&*§¶†‡•", joining_right = U"#¿¡",
                                             joining_both = U"/\\@·";
        const auto in = [&](std::u32string_view marks) { return marks.find(code) != marks.npos; };
        if (code == U'\'' || code == U'"') {
            bool& open = quote_open_[token];
            const bool another_follows = --quotes_left_[token] > 0;
            open = !open && (another_follows || is_first);
            return {!open, open};
        }
        if (in(standing_free)) return {false, false};
        if (in(joining_both)) return {true, true};
        return {!in(joining_right), in(joining_right)};
    }

    std::span<const std::string> tokens_;
    std::unordered_map<std::string, std::size_t> quotes_left_;
    std::unordered_map<std::string, bool> quote_open_;
    bool low_quote_ = false;
};

class WordSplitter : public Splitter {
  public:
    Sentence split(std::string_view text) const override { return WordCutter(characters(text)).cut(); }

    std::string join(std::span<const std::string> tokens) const override {
        std::string text;
        Joiner joiner(tokens);
        bool joined = true;
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            const Joins joins = joiner(i);
            if (!joined && !joins.left) text += ' ';
            text += tokens[i];
            joined = joins.right;
        }
        return text;
    }
};

}  // namespace

std::shared_ptr<const Splitter> word_splitter() {
    static const auto splitter = std::make_shared<const WordSplitter>();
    return splitter;
}

}  // namespace wengert
