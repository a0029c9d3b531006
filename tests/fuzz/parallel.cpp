// Mirrors no file: a fuzz target; target.hpp says what one promises.

#include <wengert/models/text/corpus.hpp>

#include "target.hpp"

/// The first file ends at a zero byte, behind which the second begins.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wengert;
    static fuzz::MemoryFile source, target;
    fuzz::Bytes input(data, size);
    const std::string_view first = input.until('\0');
    fuzz::keep_promise(size, {.each = 300, .fixed = 1 << 16}, [&] {
        const Corpus corpus = read_parallel(source.holds(first), target.holds(input.rest()), Tokenizer());
        fuzz::require(corpus.source.size() == corpus.target.size(), "the sides differ in length");
    });
    return 0;
}
