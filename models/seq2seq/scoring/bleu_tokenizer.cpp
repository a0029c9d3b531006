#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/seq2seq/scoring/bleu_tokenizer.hpp>
#include <wengert/models/seq2seq/scoring/internal/code_points.hpp>
#include <wengert/models/text/internal/code_ranges.hpp>

namespace wengert {

namespace {

/// In the order of the enumeration.
constexpr std::array<std::string_view, 5> names = {"none", "13a", "char", "zh", "intl"};

/// sacrebleu writes two of its blocks beyond U+FFFF such that Python reads U+2000 and U+2F80 with a digit behind. What
/// they come to, by the order of strings, are the second and third of these.
constexpr std::array<CodeRange, 22> chinese = {
    {{0x2E80, 0x2EFF}, {0x2001, 0x2A6D}, {0x2F81, 0x2FA1}, {0x2F00, 0x2FDF}, {0x2FF0, 0x2FFF}, {0x3000, 0x303F},
     {0x3100, 0x312F}, {0x31A0, 0x31BF}, {0x31C0, 0x31EF}, {0x3200, 0x32FF}, {0x3300, 0x33FF}, {0x3400, 0x4DB5},
     {0x4E00, 0x9FA5}, {0x9FA6, 0x9FBB}, {0xF900, 0xFA2D}, {0xFA30, 0xFA6A}, {0xFA70, 0xFAD9}, {0xFE10, 0xFE1F},
     {0xFE30, 0xFE4F}, {0xFF00, 0xFFEF}, {0x2600, 0x26FF}, {0x2700, 0x27BF}}};

bool is_chinese(char32_t code) { return in_any(chinese, code); }

bool is_digit(char32_t code) { return code >= U'0' && code <= U'9'; }
bool is_no_digit(char32_t code) { return !is_digit(code); }
bool is_stop(char32_t code) { return code == U'.' || code == U','; }
bool is_hyphen_minus(char32_t code) { return code == U'-'; }
bool is_no_number(char32_t code) { return !is_number(code); }
/// ASCII's punctuation and the space, without ' , - and .
bool is_ascii_mark(char32_t code) {
    return (code >= U' ' && code <= U'&') || (code >= U'(' && code <= U'+') || code == U'/' ||
           (code >= U':' && code <= U'@') || (code >= U'[' && code <= U'`') || (code >= U'{' && code <= U'~');
}

void replace_all(std::u32string& text, std::u32string_view what, std::u32string_view by) {
    for (std::size_t at = text.find(what); at != std::u32string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
}

/// Spaces around each character of a kind.
template <class Kind>
std::u32string set_apart(std::u32string_view text, Kind kind) {
    std::u32string result;
    for (const char32_t code : text) {
        if (kind(code))
            result.append({U' ', code, U' '});
        else
            result += code;
    }
    return result;
}

/// Spaces around the second of two neighbours or, with `first_apart`, around the first. As in a regular expression,
/// pairs are sought from left to right, and the next one begins behind the last.
template <class First, class Second>
std::u32string split_pairs(std::u32string_view text, First first, Second second, bool first_apart = false) {
    std::u32string result;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (at + 1 == text.size() || !first(text[at]) || !second(text[at + 1])) {
            result += text[at];
        } else {
            if (first_apart)
                result.append({U' ', text[at], U' ', text[at + 1]});
            else
                result.append({text[at], U' ', text[at + 1], U' '});
            ++at;
        }
    }
    return result;
}

/// What 13a and zh share.
std::u32string split_western(std::u32string_view text) {
    std::u32string result = set_apart(text, is_ascii_mark);
    result = split_pairs(result, is_no_digit, is_stop);
    result = split_pairs(result, is_stop, is_no_digit, true);
    return split_pairs(result, is_digit, is_hyphen_minus);
}

std::u32string split_13a(std::u32string_view line) {
    std::u32string text(line);
    replace_all(text, U"<skipped>", U"");
    replace_all(text, U"-\n", U"");
    replace_all(text, U"\n", U" ");
    replace_all(text, U"&quot;", U"\"");
    replace_all(text, U"&amp;", U"&");
    replace_all(text, U"&lt;", U"<");
    replace_all(text, U"&gt;", U">");
    return split_western(U' ' + text + U' ');
}

std::u32string split_international(std::u32string_view line) {
    std::u32string text = split_pairs(line, is_no_number, is_punctuation);
    text = split_pairs(text, is_punctuation, is_no_number, true);
    return set_apart(text, is_symbol);
}

std::u32string split(std::u32string_view line, BleuTokenizer tokenizer) {
    switch (tokenizer) {
        case BleuTokenizer::v13a:
            return split_13a(line);
        case BleuTokenizer::characters:
            return set_apart(line, [](char32_t) { return true; });
        case BleuTokenizer::zh:
            return split_western(set_apart(strip(line), is_chinese));
        case BleuTokenizer::international:
            return split_international(line);
        case BleuTokenizer::none:
            break;
    }
    return std::u32string(line);
}

}  // namespace

std::string_view to_string(BleuTokenizer tokenizer) { return names[static_cast<std::size_t>(tokenizer)]; }

BleuTokenizer bleu_tokenizer(std::string_view name) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end())
        throw ValueError(fmt::format("bleu: the tokenizer is \"{}\", but must be {}", name, fmt::join(names, ", ")));
    return static_cast<BleuTokenizer>(found - names.begin());
}

std::u32string bleu_tokens(std::u32string_view line, BleuTokenizer tokenizer) {
    return space_words(split(strip_end(line), tokenizer));
}

std::string bleu_tokens(std::string_view line, BleuTokenizer tokenizer) {
    try {
        return to_utf8(bleu_tokens(to_code_points(line), tokenizer));
    } catch (const ValueError& error) {
        throw ValueError(fmt::format("bleu_tokens: {}", error.what()));
    }
}

}  // namespace wengert
