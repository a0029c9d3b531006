// Mirrors no file: a fuzz target; target.hpp says what one promises.

#include <array>
#include <wengert/models/text/tokenizer.hpp>

#include "target.hpp"

/// Tokens that no tokenizer made, one a line.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wengert;
    constexpr std::array modes{TokenizerMode::words, TokenizerMode::characters, TokenizerMode::spaces};
    fuzz::Bytes input(data, size);
    const Tokenizer tokenizer({.mode = modes[input.below(modes.size())]});
    fuzz::keep_promise(size, {.each = 200, .fixed = 1 << 14}, [&] {
        Sentence tokens;
        while (!input.empty()) tokens.emplace_back(input.until('\n'));
        tokenizer.detokenize(tokens);
    });
    return 0;
}
