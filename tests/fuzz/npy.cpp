// Mirrors no file: a fuzz target; target.hpp says what one promises.

#include <wengert/nn/internal/npy.hpp>

#include "target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wengert;
    const std::string_view bytes = fuzz::Bytes(data, size).rest();
    fuzz::keep_promise(size, {.each = 20, .fixed = 1 << 12}, [&] {
        const std::size_t header = npy::header_bytes(bytes.substr(0, npy::most_prefix));
        if (header > bytes.size() || header < std::min(bytes.size(), npy::most_prefix)) return;
        const npy::Header parsed = npy::parse_header(bytes.substr(0, header));
        require_countable(parsed.shape);
        fuzz::require(parsed.shape.numel() >= 0, "an array has a negative number of elements");
    });
    return 0;
}
