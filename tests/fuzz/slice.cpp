// Mirrors no file: a fuzz target; target.hpp says what one promises.

#include <wengert/autograd/tape/tape.hpp>
#include <wengert/ops/ops.hpp>

#include "target.hpp"

/// Slices and positions of a tensor, forward and backward.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wengert;
    fuzz::Bytes input(data, size);
    fuzz::keep_promise(size, {.each = 1 << 12, .fixed = 1 << 18}, [&] {
        const Tensor whole = reshape(arange(60, Dtype::float32), {3, 4, 5});
        Tape tape;
        tape.watch(whole);
        Tensor x = whole;
        while (!input.empty()) {
            const std::size_t kind = input.below(3);
            const auto axis = static_cast<int>(input.number());
            const std::int64_t first = input.number();
            x = kind == 0 ? slice(x, axis, first, input.number()) : kind == 1 ? select(x, axis, first) : x[first];
        }
        const Tensor gradient = tape.gradient(sum(x), whole);
        fuzz::require(sum(gradient).item<double>() == static_cast<double>(x.numel()),
                      "a slice's gradient is not one at each of its elements");
    });
    return 0;
}
