#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/text/internal/code_ranges.hpp>
#include <wengert/models/text/unicode.hpp>

namespace wengert {

namespace {

constexpr char32_t replacement_character = 0xFFFD;

struct CodePoint {
    char32_t value;
    std::size_t bytes;
    bool valid;
};

/// The code point at the start of `text`, which is not empty; an invalid byte reads as U+FFFD of one byte.
CodePoint read_code_point(std::string_view text) {
    utf8proc_int32_t value = 0;
    const auto bytes = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                        static_cast<utf8proc_ssize_t>(text.size()), &value);
    if (bytes <= 0) return {replacement_character, 1, false};
    return {static_cast<char32_t>(value), static_cast<std::size_t>(bytes), true};
}

template <class Predicate>
std::optional<std::size_t> find_code_point(std::string_view text, Predicate predicate) {
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint code = read_code_point(text.substr(at));
        if (predicate(code)) return at;
        at += code.bytes;
    }
    return std::nullopt;
}

/// Blocks whose letters and numbers are written without spaces. Hangul is not among them: Korean separates words.
constexpr std::array<CodeRange, 10> ideograph_blocks = {{{0x3000, 0x30FF},
                                                         {0x3100, 0x312F},
                                                         {0x31A0, 0x31BF},
                                                         {0x31F0, 0x33FF},
                                                         {0x3400, 0x4DBF},
                                                         {0x4E00, 0x9FFF},
                                                         {0xF900, 0xFAFF},
                                                         {0xFF66, 0xFF9F},
                                                         {0x1AFF0, 0x1B16F},
                                                         {0x20000, 0x3FFFF}}};

/// Blocks whose punctuation and symbols fill a cell of East Asian text.
constexpr std::array<CodeRange, 5> fullwidth_blocks = {
    {{0x3000, 0x30FF}, {0xFE30, 0xFE4F}, {0xFE50, 0xFE6F}, {0xFF01, 0xFF65}, {0xFFE0, 0xFFE6}}};

CharacterClass classify(char32_t code) {
    const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(code));
    switch (category) {
        case UTF8PROC_CATEGORY_ZS:
        case UTF8PROC_CATEGORY_ZL:
        case UTF8PROC_CATEGORY_ZP:
        case UTF8PROC_CATEGORY_CC:
            return CharacterClass::space;
        case UTF8PROC_CATEGORY_LU:
        case UTF8PROC_CATEGORY_LL:
        case UTF8PROC_CATEGORY_LT:
        case UTF8PROC_CATEGORY_LM:
        case UTF8PROC_CATEGORY_LO:
        case UTF8PROC_CATEGORY_NL:
        case UTF8PROC_CATEGORY_NO:
            return in_any(ideograph_blocks, code) ? CharacterClass::ideograph : CharacterClass::letter;
        case UTF8PROC_CATEGORY_MN:
        case UTF8PROC_CATEGORY_MC:
        case UTF8PROC_CATEGORY_ME:
        case UTF8PROC_CATEGORY_CF:
            return CharacterClass::letter;
        case UTF8PROC_CATEGORY_ND:
            return CharacterClass::digit;
        default:
            break;
    }
    if (in_any(fullwidth_blocks, code)) return CharacterClass::fullwidth;
    switch (category) {
        case UTF8PROC_CATEGORY_PC:
            return CharacterClass::letter;
        case UTF8PROC_CATEGORY_PD:
            return CharacterClass::dash;
        case UTF8PROC_CATEGORY_PS:
        case UTF8PROC_CATEGORY_PI:
            return CharacterClass::opening;
        case UTF8PROC_CATEGORY_PE:
        case UTF8PROC_CATEGORY_PF:
            return CharacterClass::closing;
        case UTF8PROC_CATEGORY_PO:
            return CharacterClass::punctuation;
        case UTF8PROC_CATEGORY_SC:
            return CharacterClass::currency;
        default:
            return CharacterClass::symbol;
    }
}

/// Format characters that are not seen, except the joiners, which choose between letter forms and bind emoji.
bool is_invisible(char32_t code) {
    constexpr char32_t zero_width_non_joiner = 0x200C, zero_width_joiner = 0x200D;
    const utf8proc_property_t* property = utf8proc_get_property(static_cast<utf8proc_int32_t>(code));
    return property->category == UTF8PROC_CATEGORY_CF && property->ignorable && code != zero_width_non_joiner &&
           code != zero_width_joiner;
}

std::string without_invisible(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint code = read_code_point(text.substr(at));
        if (!is_invisible(code.value)) result += text.substr(at, code.bytes);
        at += code.bytes;
    }
    return result;
}

}  // namespace

std::optional<std::size_t> find_invalid_utf8(std::string_view text) {
    return find_code_point(text, [](const CodePoint& code) { return !code.valid; });
}

std::optional<std::size_t> find_control_character(std::string_view text) {
    return find_code_point(text, [](const CodePoint& code) {
        const bool control = code.value < 0x20 || (code.value >= 0x7F && code.value < 0xA0);
        const bool white_space = (code.value >= '\t' && code.value <= '\r') || code.value == 0x85;
        return control && !white_space;
    });
}

std::string normalize(std::string_view text, bool lowercase) {
    const std::string visible = without_invisible(text);
    const auto fold = [](utf8proc_int32_t code, void* lower) {
        return *static_cast<const bool*>(lower) ? utf8proc_tolower(code) : code;
    };
    const auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_STRIPCC);
    utf8proc_uint8_t* normalized = nullptr;
    const auto bytes =
        utf8proc_map_custom(reinterpret_cast<const utf8proc_uint8_t*>(visible.data()),
                            static_cast<utf8proc_ssize_t>(visible.size()), &normalized, options, fold, &lowercase);
    const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(normalized, &std::free);
    if (bytes == UTF8PROC_ERROR_NOMEM) throw std::bad_alloc();
    if (bytes < 0) throw ValueError(std::string("normalize: ") + utf8proc_errmsg(bytes));
    return {reinterpret_cast<const char*>(normalized), static_cast<std::size_t>(bytes)};
}

std::vector<Character> characters(std::string_view text) {
    std::vector<Character> result;
    char32_t previous = 0;
    utf8proc_int32_t state = 0;
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint code = read_code_point(text.substr(at));
        const bool is_break = utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(previous),
                                                               static_cast<utf8proc_int32_t>(code.value), &state);
        // A mark on a space stands by itself, or it would go with the space.
        if (result.empty() || is_break || result.back().kind == CharacterClass::space) {
            result.push_back({text.substr(at, code.bytes), code.value, classify(code.value)});
        } else {
            std::string_view& grown = result.back().text;
            grown = {grown.data(), grown.size() + code.bytes};
        }
        previous = code.value;
        at += code.bytes;
    }
    return result;
}

}  // namespace wengert
