#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wengert {

// Text as Python sees it, whose definitions of space and lower case sacrebleu's scores rest on: a sequence of code
// points.

/// Throws ValueError, naming the byte, if `text` is not UTF-8.
std::u32string to_code_points(std::string_view text);
std::string to_utf8(std::u32string_view text);

/// Python's str.isspace of one character: the separators of Unicode, and ASCII's white space with U+001C to U+001F.
bool is_white_space(char32_t code);
/// Without the white space at its end.
std::u32string_view strip_end(std::u32string_view text);
/// Without the white space at both ends.
std::u32string_view strip(std::u32string_view text);
/// The words between white space, as views into `text`. No word is empty.
std::vector<std::u32string_view> split_words(std::u32string_view text);
/// The words of `text` with one space between them.
std::u32string space_words(std::u32string_view text);

/// Python's str.lower: code point by code point, but that İ becomes two, and that a capital sigma at the end of a word
/// becomes ς (The Unicode Standard, section 3.13, Final_Sigma).
std::u32string lowercase(std::u32string_view text);

/// Unicode's general categories N, P and S.
bool is_number(char32_t code);
bool is_punctuation(char32_t code);
bool is_symbol(char32_t code);

}  // namespace wengert
