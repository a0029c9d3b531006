#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/seq2seq/scoring/internal/code_points.hpp>
#include <wengert/models/text/internal/code_ranges.hpp>

namespace wengert {

namespace {

utf8proc_category_t category(char32_t code) { return utf8proc_category(static_cast<utf8proc_int32_t>(code)); }

/// What has case, but not its category: ª and º, Roman numerals, letters in circles and squares.
constexpr std::array<CodeRange, 7> other_cased = {{{0xAA, 0xAA},
                                                   {0xBA, 0xBA},
                                                   {0x2160, 0x217F},
                                                   {0x24B6, 0x24E9},
                                                   {0x1F130, 0x1F149},
                                                   {0x1F150, 0x1F169},
                                                   {0x1F170, 0x1F189}}};

/// Punctuation that may stand inside a word: apostrophes, full stops, colons, middle dots.
constexpr std::array<char32_t, 17> inside_words = {0x27,   0x2E,   0x3A,   0xB7,   0x387,  0x55F,
                                                   0x5F4,  0x2018, 0x2019, 0x2024, 0x2027, 0xFE13,
                                                   0xFE52, 0xFE55, 0xFF07, 0xFF0E, 0xFF1A};

bool is_cased(char32_t code) {
    switch (category(code)) {
        case UTF8PROC_CATEGORY_LU:
        case UTF8PROC_CATEGORY_LL:
        case UTF8PROC_CATEGORY_LT:
            return true;
        default:
            return in_any(other_cased, code);
    }
}

/// Unicode's Case_Ignorable.
bool is_ignored(char32_t code) {
    switch (category(code)) {
        case UTF8PROC_CATEGORY_MN:
        case UTF8PROC_CATEGORY_ME:
        case UTF8PROC_CATEGORY_CF:
        case UTF8PROC_CATEGORY_LM:
        case UTF8PROC_CATEGORY_SK:
            return true;
        default:
            return std::ranges::find(inside_words, code) != inside_words.end();
    }
}

/// Whether a letter stands before the sigma at `at`, and none after it.
bool ends_word(std::u32string_view text, std::size_t at) {
    std::u32string_view before = text.substr(0, at), after = text.substr(at + 1);
    while (!before.empty() && is_ignored(before.back())) before.remove_suffix(1);
    while (!after.empty() && is_ignored(after.front())) after.remove_prefix(1);
    return !before.empty() && is_cased(before.back()) && (after.empty() || !is_cased(after.front()));
}

}  // namespace

std::u32string to_code_points(std::string_view text) {
    std::u32string result;
    result.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        utf8proc_int32_t code = 0;
        const auto bytes = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at,
                                            static_cast<utf8proc_ssize_t>(text.size() - at), &code);
        if (bytes <= 0) throw ValueError(fmt::format("invalid UTF-8 at byte {}", at));
        result += static_cast<char32_t>(code);
        at += static_cast<std::size_t>(bytes);
    }
    return result;
}

std::string to_utf8(std::u32string_view text) {
    std::string result;
    for (const char32_t code : text) {
        std::array<utf8proc_uint8_t, 4> bytes{};
        const auto size = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code), bytes.data());
        result.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(size));
    }
    return result;
}

bool is_white_space(char32_t code) {
    if (code < 0x80) return (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x20);
    return code == 0x85 || code == 0x2028 || code == 0x2029 || category(code) == UTF8PROC_CATEGORY_ZS;
}

std::u32string_view strip_end(std::u32string_view text) {
    while (!text.empty() && is_white_space(text.back())) text.remove_suffix(1);
    return text;
}

std::u32string_view strip(std::u32string_view text) {
    while (!text.empty() && is_white_space(text.front())) text.remove_prefix(1);
    return strip_end(text);
}

std::vector<std::u32string_view> split_words(std::u32string_view text) {
    std::vector<std::u32string_view> words;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t start = at;
        while (at < text.size() && !is_white_space(text[at])) ++at;
        if (at > start) words.push_back(text.substr(start, at - start));
        if (at < text.size()) ++at;
    }
    return words;
}

std::u32string space_words(std::u32string_view text) {
    std::u32string result;
    for (const std::u32string_view word : split_words(text)) {
        if (!result.empty()) result += U' ';
        result += word;
    }
    return result;
}

std::u32string lowercase(std::u32string_view text) {
    constexpr char32_t capital_sigma = 0x3A3, sigma = 0x3C3, final_sigma = 0x3C2, dotted_capital_i = 0x130;
    std::u32string result;
    result.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == dotted_capital_i)
            result += U"i\u0307";
        else if (text[at] == capital_sigma)
            result += ends_word(text, at) ? final_sigma : sigma;
        else
            result += static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(text[at])));
    }
    return result;
}

bool is_number(char32_t code) {
    const auto c = category(code);
    return c >= UTF8PROC_CATEGORY_ND && c <= UTF8PROC_CATEGORY_NO;
}

bool is_punctuation(char32_t code) {
    const auto c = category(code);
    return c >= UTF8PROC_CATEGORY_PC && c <= UTF8PROC_CATEGORY_PO;
}

bool is_symbol(char32_t code) {
    const auto c = category(code);
    return c >= UTF8PROC_CATEGORY_SM && c <= UTF8PROC_CATEGORY_SO;
}

}  // namespace wengert
