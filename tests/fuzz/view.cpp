// Mirrors no file: a fuzz target; target.hpp says what one promises.

#include <wengert/ops/ops.hpp>

#include "target.hpp"

namespace {

wengert::Shape shape_of(wengert::fuzz::Bytes& input) {
    wengert::Shape shape;
    for (std::size_t rank = input.below(wengert::Shape::max_rank + 2); rank-- > 0;) shape.push_back(input.number());
    return shape;
}

/// Reads all elements of a view that is not repeated beyond reason.
void read(const wengert::Tensor& x) {
    wengert::fuzz::require(x.numel() >= 0, "a tensor has a negative number of elements");
    constexpr std::int64_t most = 1 << 12;
    if (x.numel() <= most) static_cast<void>(x.to_vector<double>());
}

}  // namespace

/// The arithmetic of shapes, and views of a tensor of 24 elements.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wengert;
    fuzz::Bytes input(data, size);
    fuzz::keep_promise(size, {.each = 100, .fixed = 1 << 16, .may_run_out = true}, [&] {
        Tensor x = reshape(arange(24, Dtype::float32), {2, 3, 4});
        while (!input.empty()) {
            switch (input.below(14)) {
                case 0: {
                    const Shape shape = shape_of(input), strides = shape_of(input);
                    x = x.view(shape, strides, input.number());
                    break;
                }
                case 1:
                    x = reshape(x, shape_of(input));
                    break;
                case 2:
                    x = expand(x, shape_of(input));
                    break;
                case 3:
                    x = permute(x, shape_of(input));
                    break;
                case 4:
                    x = unsqueeze(x, static_cast<int>(input.number()));
                    break;
                case 5:
                    x = squeeze(x, static_cast<int>(input.number()));
                    break;
                case 6: {
                    const auto a = static_cast<int>(input.number()), b = static_cast<int>(input.number());
                    x = transpose(x, a, b);
                    break;
                }
                case 7: {
                    const auto axis = static_cast<int>(input.number());
                    const std::int64_t window = input.number(), step = input.number();
                    x = unfold(x, axis, window, step);
                    break;
                }
                case 8: {
                    const Shape a = shape_of(input), b = shape_of(input), both = broadcast(a, b);
                    fuzz::require(stretches_to(a, both) || std::ranges::any_of(both, [](auto d) { return d < 0; }),
                                  "a shape does not stretch to what it broadcasts to");
                    break;
                }
                case 9:
                    static_cast<void>(zeros(shape_of(input)));
                    break;
                case 10:
                    static_cast<void>(Tensor::empty(shape_of(input), Dtype::boolean));
                    break;
                case 11: {
                    const Shape shape = shape_of(input);
                    require_countable(shape);
                    static_cast<void>(to_string(shape));
                    break;
                }
                case 12: {
                    const auto n = static_cast<int>(input.number()), axis = static_cast<int>(input.number());
                    if (n <= 64) static_cast<void>(chunk(x, n, axis));
                    break;
                }
                case 13:
                    static_cast<void>(normalize_axis(static_cast<int>(input.number()), x.rank()));
                    break;
            }
            read(x);
        }
    });
    return 0;
}
