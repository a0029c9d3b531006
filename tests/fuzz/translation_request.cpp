// Mirrors no file: a fuzz target; target.hpp says what one promises.

#include "seq2seq/serving/translation_request.hpp"
#include "target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wengert;
    const program::ServeLimits limits;
    fuzz::keep_promise(size, {.each = 150, .fixed = 1 << 15}, [&] {
        const program::TranslationRequest request = program::read_request(fuzz::Bytes(data, size).rest(), {}, limits);
        fuzz::require(std::ssize(request.texts) <= limits.max_sentences, "a request has more sentences than allowed");
        fuzz::require(request.search.beam <= limits.max_beam, "a request has a larger beam than allowed");
    });
    return 0;
}
