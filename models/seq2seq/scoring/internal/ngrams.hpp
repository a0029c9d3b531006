#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>

namespace wengert {

/// How often each n-gram occurs in a text. N-grams are views into the text.
using NgramCounts = std::unordered_map<std::u32string_view, std::int64_t>;

/// N-grams of code points.
NgramCounts count_characters(std::u32string_view text, std::size_t n);

/// N-grams of words. The words must be views into one text, in its order and with one space between them: the n-gram
/// is then the part of the text from its first word to its last.
NgramCounts count_words(std::span<const std::u32string_view> words, std::size_t n);

/// How many n-grams occur in both, each as often as in the one where it is rarer.
std::int64_t count_common(const NgramCounts& a, const NgramCounts& b);

}  // namespace wengert
