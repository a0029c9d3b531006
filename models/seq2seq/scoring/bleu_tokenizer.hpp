#pragma once

#include <string>
#include <string_view>
#include <wengert/autograd/tensor/export.hpp>

namespace WENGERT_EXPORT wengert {

/// How BLEU splits a detokenised line. All tokens end at white space as well.
///
/// - `none`: there alone.
/// - `v13a`: as mteval-v13a.pl does, for languages that write words. `<skipped>` goes, and `&quot;` `&amp;` `&lt;`
///   `&gt;` become their characters. ASCII's punctuation stands apart, but an apostrophe and a hyphen stay in their
///   word, a hyphen after a digit is split from it, and a full stop or comma stays between two digits.
/// - `characters`: every code point is a token.
/// - `zh`: Chinese characters stand apart, the rest is split as in v13a. The blocks that count as Chinese are
///   sacrebleu's. They take in U+2001 to U+2A6D, where quotation marks, dashes, currency and arrows are, but no
///   character beyond U+FFFF.
/// - `international`: as mteval-v14.pl does. Punctuation of any script stands apart unless digits are on both sides,
///   and every symbol does. A mark after a number at the end of a line stays with it, as it does there.
enum class BleuTokenizer { none, v13a, characters, zh, international };

/// sacrebleu's name: none, 13a, char, zh or intl.
std::string_view to_string(BleuTokenizer tokenizer);
/// The tokenizer of such a name. Throws ValueError, with all names, for another.
BleuTokenizer bleu_tokenizer(std::string_view name);

/// The tokens of a line with one space between them. Throws ValueError, naming the byte, if the line is not UTF-8.
std::string bleu_tokens(std::string_view line, BleuTokenizer tokenizer);
std::u32string bleu_tokens(std::u32string_view line, BleuTokenizer tokenizer);

}  // namespace wengert
