#pragma once

#include <string>
#include <vector>

namespace wengert {

struct SentencePair {
    std::string source, target;
};

struct BuiltinCorpus {
    std::vector<SentencePair> training, held_out;
};

/// The built-in corpus: 24,000 English sentences with their simplified Chinese translations to learn from and 1,000
/// held out, in the spirit of "Tom is chasing Jerry." They come from a grammar of everyday constructions whose word
/// order differs between the languages: times, places, questions, negation, measure words, adjectives, relative
/// clauses, comparisons, passives. It is the same on every platform.
///
/// Each English sentence has one translation and occurs once. No source and no target of a held-out pair occurs in the
/// training part, all its words do. A source has at most 12 words, a target at most 16 characters and the marks.
BuiltinCorpus english_chinese_corpus();

}  // namespace wengert
