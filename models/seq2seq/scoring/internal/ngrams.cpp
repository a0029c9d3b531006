#include <algorithm>
#include <wengert/models/seq2seq/scoring/internal/ngrams.hpp>

namespace wengert {

NgramCounts count_characters(std::u32string_view text, std::size_t n) {
    NgramCounts counts;
    for (std::size_t i = 0; i + n <= text.size(); ++i) ++counts[text.substr(i, n)];
    return counts;
}

NgramCounts count_words(std::span<const std::u32string_view> words, std::size_t n) {
    NgramCounts counts;
    for (std::size_t i = 0; i + n <= words.size(); ++i) {
        const std::u32string_view last = words[i + n - 1];
        ++counts[{words[i].data(), static_cast<std::size_t>(last.data() + last.size() - words[i].data())}];
    }
    return counts;
}

std::int64_t count_common(const NgramCounts& a, const NgramCounts& b) {
    std::int64_t common = 0;
    for (const auto& [ngram, count] : a) {
        const auto found = b.find(ngram);
        if (found != b.end()) common += std::min(count, found->second);
    }
    return common;
}

}  // namespace wengert
