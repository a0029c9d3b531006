#pragma once

#include <wengert/models/seq2seq/translator.hpp>
#include <wengert/models/text/corpus.hpp>

#include "../text/words.hpp"

namespace wengert {

/// Eight sentence pairs of several lengths, in which the order of words changes.
inline Corpus small_corpus() {
    Corpus corpus;
    for (const auto& [source, target] : {std::pair{"tom chases jerry .", "汤姆 追 杰瑞 。"},
                                         {"jerry chases tom .", "杰瑞 追 汤姆 。"},
                                         {"tom sleeps now .", "汤姆 现在 睡觉 。"},
                                         {"does tom sleep ?", "汤姆 睡觉 吗 ？"},
                                         {"where does jerry sleep now ?", "杰瑞 现在 在 哪里 睡觉 ？"},
                                         {"tom does not chase jerry today .", "汤姆 今天 不 追 杰瑞 。"},
                                         {"run !", "跑 ！"},
                                         {"yesterday jerry ran .", "昨天 杰瑞 跑 了 。"}}) {
        corpus.source.push_back(words(source));
        corpus.target.push_back(words(target));
        corpus.source_text.emplace_back(source);
        corpus.target_text.emplace_back(target);
    }
    return corpus;
}

inline Translator small_translator(const SystemOptions& sizes = {.embedding = 12, .hidden = 24, .layers = 1},
                                   std::uint64_t seed = 1) {
    const Corpus corpus = small_corpus();
    Generator generator(seed);
    return {{Tokenizer(), Vocabulary::build(corpus.source)},
            {Tokenizer(), Vocabulary::build(corpus.target)},
            10,
            "bahdanau",
            sizes,
            generator};
}

inline Tensor parameter_of(const Translator& translator, std::string_view name) {
    for (const auto& [key, parameter] : translator.system->named_parameters())
        if (key == name) return parameter;
    throw ValueError("no parameter " + std::string(name));
}

}  // namespace wengert
