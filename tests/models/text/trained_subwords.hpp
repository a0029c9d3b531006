#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>
#include <wengert/models/text/tokenizer.hpp>

#include "temporary_file.hpp"

namespace wengert {

/// For test cases that need libsentencepiece.
inline const auto if_built = doctest::skip(!Tokenizer::has_subwords());
inline constexpr TokenizerOptions lower{.mode = TokenizerMode::subwords, .lowercase = true};
inline const SubwordOptions both[] = {{.model = SubwordModel::bpe}, {.model = SubwordModel::unigram}};

/// Sentences of three languages.
inline std::vector<std::string> lines() {
    std::vector<std::string> result;
    for (const char* who : {"Tom", "The cat", "My neighbour's dog", "A walker"})
        for (const char* does : {"chases", "watches", "is looking for", "walked past"})
            for (const char* whom : {"Jerry.", "the mouse.", "a walking dog!"})
                result.push_back(who + std::string(" ") + does + " " + whom);
    for (const char* who : {"Tom", "Die Katze", "Der Hund"})
        for (const char* does : {"jagt", "sieht", "sucht"})
            for (const char* whom : {"Jerry.", "die Maus.", "den Hund!"})
                result.push_back(who + std::string(" ") + does + " " + whom);
    for (const char* who : {"汤姆", "猫", "他的狗"})
        for (const char* does : {"在追", "看见了", "想找"})
            for (const char* whom : {"杰瑞。", "老鼠。"}) result.push_back(who + std::string(does) + whom);
    return result;
}

/// How many pieces there are to learn from these lines, and some fewer.
inline std::int64_t size_for(SubwordModel model) { return model == SubwordModel::bpe ? 500 : 325; }

inline Tokenizer trained(SubwordOptions options = {}) {
    options.vocabulary_size = size_for(options.model);
    return Tokenizer::train(lines(), options);
}

/// What a tokenizer saves.
inline std::string state_of(const Tokenizer& tokenizer) {
    const TemporaryFile file;
    tokenizer.save(file.path());
    return file.content();
}

}  // namespace wengert
