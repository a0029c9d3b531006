// Mirrors no file: a fuzz target; target.hpp says what one promises.

#include <fmt/format.h>

#include <array>
#include <wengert/models/text/tokenizer.hpp>
#include <wengert/ops/random/random.hpp>

#include "target.hpp"

namespace {

/// What stands behind a model in a state; its checksum keeps accidents out, and nobody who means it.
std::string mark_of(std::string_view model, std::string_view type) {
    std::uint64_t sum = 0xCBF29CE484222325;
    for (const char c : model) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001B3;
    const std::string text = fmt::format("wengert subwords 1 {} lowercase {:016x}", type, sum);
    return "\xC2\x3E" + std::string(1, static_cast<char>(text.size())) + text;
}

}  // namespace

/// Subwords as a hostile file has them, with the right mark: a byte that chooses, and a model of sentencepiece.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wengert;
    static fuzz::MemoryFile file;
    fuzz::Bytes input(data, size);
    const std::uint8_t choice = input.byte();
    const std::string model(input.rest());
    const std::string_view type = choice % 2 == 0 ? "bpe" : "unigram";
    // A piece of some bytes is a message, a node of two tables and a part of a trie.
    fuzz::keep_promise(size, {.each = 1000, .fixed = 1 << 20}, [&] {
        const Tokenizer tokenizer = Tokenizer::load({.mode = TokenizerMode::subwords, .lowercase = true},
                                                    file.holds(choice < 192 ? model + mark_of(model, type) : model));
        static_cast<void>(tokenizer.pieces());
        static_cast<void>(tokenizer.detokenize(tokenizer.tokenize("the tom 我们 <s> ▁")));
        Generator generator;
        static_cast<void>(tokenizer.tokenize("the tom 我们", Sampling{}, generator));
    });
    return 0;
}
