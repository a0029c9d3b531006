// Mirrors no file: a fuzz target; target.hpp says what one promises.

#include <wengert/nn/safetensors.hpp>

#include "target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static wengert::fuzz::MemoryFile file;
    // A header of many short values: each is an object of the JSON library.
    wengert::fuzz::keep_promise(size, {.each = 150, .fixed = 1 << 16}, [&] {
        wengert::read_safetensors(file.holds(wengert::fuzz::Bytes(data, size).rest()));
    });
    return 0;
}
