// Mirrors no file: a fuzz target; target.hpp says what one promises.

#include <wengert/models/text/corpus.hpp>

#include "target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wengert;
    static fuzz::MemoryFile file;
    fuzz::Bytes input(data, size);
    constexpr std::array modes{TokenizerMode::words, TokenizerMode::characters, TokenizerMode::spaces};
    const std::uint8_t choice = input.byte();
    const Tokenizer tokenizer({.mode = modes[choice % modes.size()], .lowercase = choice >= 128});
    // Each character of a sentence is a string of 32 bytes, and a record of 32 more while it is split.
    fuzz::keep_promise(size, {.each = 300, .fixed = 1 << 16}, [&] {
        const Corpus corpus = read_pairs(file.holds(input.rest()), tokenizer);
        fuzz::require(corpus.source.size() == corpus.target.size(), "the sides differ in length");
        fuzz::require(corpus.report.lines == corpus.report.pairs + corpus.report.skipped(), "a line was lost");
    });
    return 0;
}
