// Mirrors no file: a fuzz target; target.hpp says what one promises.

#include <array>
#include <wengert/models/text/tokenizer.hpp>
#include <wengert/models/text/unicode.hpp>

#include "target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wengert;
    constexpr std::array modes{TokenizerMode::words, TokenizerMode::characters, TokenizerMode::spaces};
    fuzz::Bytes input(data, size);
    const std::uint8_t choice = input.byte();
    const Tokenizer tokenizer({.mode = modes[choice % modes.size()], .lowercase = choice >= 128});
    fuzz::keep_promise(size, {.each = 300, .fixed = 1 << 14}, [&] {
        const Sentence tokens = tokenizer.tokenize(input.rest());
        for (const std::string& token : tokens) {
            fuzz::require(!token.empty(), "a token is empty");
            fuzz::require(!find_invalid_utf8(token), "a token is no UTF-8");
        }
        fuzz::require(!find_invalid_utf8(tokenizer.detokenize(tokens)), "what tokens are written as is no UTF-8");
    });
    return 0;
}
