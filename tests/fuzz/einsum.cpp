// Mirrors no file: a fuzz target; target.hpp says what one promises.

#include <wengert/ops/ops.hpp>

#include "target.hpp"

/// An equation, a zero byte, and the lengths of each operand's axes, which end with one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wengert;
    fuzz::Bytes input(data, size);
    const std::string_view equation = input.until('\0');
    constexpr std::size_t most_operands = 5, most_length = 4;
    // Lengths of 3 in 12 axes of an outer product are half a million elements.
    fuzz::keep_promise(size, {.each = 1 << 12, .fixed = 1 << 24}, [&] {
        std::vector<Tensor> operands;
        while (!input.empty() && operands.size() < most_operands) {
            Shape shape;
            for (const char length : input.until('\0'))
                shape.push_back(static_cast<std::int64_t>(static_cast<std::uint8_t>(length) % most_length));
            operands.push_back(ones(shape));
        }
        static_cast<void>(einsum(equation, operands).to_vector<float>());
    });
    return 0;
}
