// Mirrors no file: a fuzz target; target.hpp says what one promises.

#include <array>
#include <wengert/models/seq2seq/scoring/bleu.hpp>
#include <wengert/models/seq2seq/scoring/chrf.hpp>
#include <wengert/models/text/unicode.hpp>

#include "target.hpp"

/// A hypothesis and its references, one a line.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wengert;
    constexpr std::array tokenizers{BleuTokenizer::none, BleuTokenizer::v13a, BleuTokenizer::characters,
                                    BleuTokenizer::zh, BleuTokenizer::international};
    fuzz::Bytes input(data, size);
    const std::uint8_t choice = input.byte();
    const BleuTokenizer tokenizer = tokenizers[choice % tokenizers.size()];
    const std::string hypothesis(input.until('\n'));
    // A code point is 4 bytes, and 12 when it stands apart; each starts n-grams of four or six lengths.
    fuzz::keep_promise(size, {.each = 1000, .fixed = 1 << 14}, [&] {
        const std::string tokens = bleu_tokens(hypothesis, tokenizer);
        fuzz::require(!find_invalid_utf8(tokens), "a token is no UTF-8");
        std::vector<std::string> references;
        while (!input.empty()) references.emplace_back(input.until('\n'));
        const double bleu = sentence_bleu(hypothesis, references,
                                          {.tokenizer = tokenizer, .lowercase = choice >= 128, .effective_order = true})
                                .score;
        fuzz::require(bleu >= 0 && bleu <= 100.001, "a score of BLEU is outside [0, 100]");
        const double chrf = sentence_chrf(hypothesis, references).score;
        fuzz::require(chrf >= 0 && chrf <= 100.001, "a score of chrF is outside [0, 100]");
    });
    return 0;
}
