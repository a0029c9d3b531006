// Mirrors no file: a fuzz target; target.hpp says what one promises.

#include <wengert/models/text/vocabulary.hpp>

#include "target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wengert;
    static fuzz::MemoryFile file;
    // A token of one character is a line of two bytes, two strings and a node of a hash table.
    fuzz::keep_promise(size, {.each = 150, .fixed = 1 << 16}, [&] {
        const Vocabulary vocabulary = Vocabulary::load(file.holds(fuzz::Bytes(data, size).rest()));
        for (std::int64_t id = 0; id < vocabulary.size(); ++id)
            fuzz::require(vocabulary.id(vocabulary.token(id)) == id, "a token has not its own id");
    });
    return 0;
}
