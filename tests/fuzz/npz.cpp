// Mirrors no file: a fuzz target; target.hpp says what one promises.

#include <wengert/nn/npz.hpp>

#include "target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static wengert::fuzz::MemoryFile file;
    // Deflate makes 1032 bytes of one at most; an array's header may be a mebibyte.
    wengert::fuzz::keep_promise(size, {.each = 1040, .fixed = 3 << 20},
                                [&] { wengert::load_npz(file.holds(wengert::fuzz::Bytes(data, size).rest())); });
    return 0;
}
