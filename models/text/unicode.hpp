#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include <wengert/autograd/tensor/export.hpp>

namespace WENGERT_EXPORT wengert {

/// What a character is to someone who splits and joins words.
enum class CharacterClass {
    space,
    letter,       ///< letters of scripts that write words, number forms, orphaned combining marks, underscore
    digit,        ///< decimal digits of any script
    ideograph,    ///< Han, kana, Bopomofo: scripts written without spaces, where each character is a token
    dash,         ///< hyphen-minus, hyphen, en dash, em dash, ...
    opening,      ///< ( [ { « “ ‘ ...
    closing,      ///< ) ] } » ” ’ ...
    punctuation,  ///< . , ; : ! ? % ' " & / ... in any script
    fullwidth,  ///< punctuation and symbols of East Asian typography: 。，「」（）…, which bring their own space
    currency,
    symbol,  ///< everything else: mathematics, emoji, private use, ...
};

/// One user-perceived character: an extended grapheme cluster (Unicode Standard Annex 29), such as a letter with its
/// combining marks or a whole emoji sequence. A mark on a space is one of its own.
struct Character {
    std::string_view text;  ///< its bytes in UTF-8; the text that it was cut from must live
    char32_t first;         ///< its first code point, which gives the class
    CharacterClass kind;    ///< the class of `first`
};

/// Offset of the first byte that is not part of valid UTF-8 (overlong forms and surrogates are invalid).
std::optional<std::size_t> find_invalid_utf8(std::string_view text);

/// Offset of the first control character other than white space. Such a character shows that the bytes are not text
/// (UTF-16 read as UTF-8 is full of U+0000). `text` must be valid UTF-8.
std::optional<std::size_t> find_control_character(std::string_view text);

/// Normalisation form C. White space controls become spaces; invisible format characters (zero width space, byte order
/// mark, soft hyphen, direction marks) go, except the joiners, which are part of spelling. Throws ValueError for text
/// that is not UTF-8.
std::string normalize(std::string_view text, bool lowercase);

/// The characters of `text`, as views into it. A byte that is no valid UTF-8 counts as a symbol of its own.
std::vector<Character> characters(std::string_view text);

}  // namespace wengert
