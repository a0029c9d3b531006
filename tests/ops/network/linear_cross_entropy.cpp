#include <wengert/ops/network/linear_cross_entropy.hpp>

#include "ops/brute_force.hpp"

#include <wengert/autograd/observe/anomaly.hpp>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/ops/products/linear.hpp>

using namespace brute_force;

namespace {

/// Operands of linear_cross_entropy: x [2, 5, 6], weight [37, 6], bias [37].
std::vector<Tensor> layer(Dtype dtype, int layout = 0) {
    return {laid_out({2, 5, 6}, layout, 1, dtype), laid_out({37, 6}, layout, 2, dtype),
            laid_out({37}, layout, 3, dtype)};
}
Tensor layer_labels() { return tensor(std::vector<std::int64_t>{3, 0, 36, 2, 2, 0, 17, 2, 9, 1}, {2, 5}); }

}  // namespace

TEST_CASE("linear_cross_entropy: the loss and the gradients of the composition, in chunks of any size") {
    const Tensor labels = layer_labels();
    for (int layout = 0; layout < layouts; ++layout) {
        for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
            const std::vector<Tensor> in = layer(dtype, layout);
            for (const std::int64_t ignored : {-100, 2, 0}) {
                for (const double smoothing : {0.0, 0.1, 1.0}) {
                    for (const Reduction reduction : {Reduction::mean, Reduction::sum}) {
                        const CrossEntropyOptions options{ignored, smoothing, reduction};
                        const auto composed = [&](const auto& p) {
                            return cross_entropy(linear(p[0], p[1], p[2]), labels, options);
                        };
                        const Tensor want = composed(in), ct = scalar(-2, dtype);
                        const std::vector<Tensor> slopes = gradients(composed, in, ct);
                        for (const std::int64_t chunk : {1, 2 * 37, 4 * 37, 10 * 37, 1 << 21}) {
                            CAPTURE(layout);
                            CAPTURE(ignored);
                            CAPTURE(smoothing);
                            CAPTURE(chunk);
                            const auto fused = [&](const auto& p) {
                                return linear_cross_entropy(p[0], p[1], p[2], labels, options, chunk);
                            };
                            const Tensor loss = fused(in);
                            CHECK(loss.shape() == Shape{});
                            CHECK(loss.dtype() == dtype);
                            check_close(loss, elements(want), 4);
                            const std::vector<Tensor> got = gradients(fused, in, ct);
                            for (std::size_t i = 0; i < 3; ++i) {
                                CHECK(got[i].shape() == in[i].shape());
                                check_close(got[i], elements(slopes[i]), 8, 4);
                            }
                        }
                    }
                }
            }
        }
    }
}

TEST_CASE("linear_cross_entropy: weights of the classes") {
    const Tensor labels = layer_labels();
    for (const Dtype dtype : {Dtype::float32, Dtype::float64})
        for (const double smoothing : {0.0, 0.1}) {
            const std::vector<Tensor> in = layer(dtype);
            const CrossEntropyOptions options{
                .ignore_index = 2, .label_smoothing = smoothing, .weight = laid_out({37}, 3, 9, dtype, 0, 2)};
            const auto composed = [&](const auto& p) {
                return cross_entropy(linear(p[0], p[1], p[2]), labels, options);
            };
            const auto fused = [&](const auto& p) {
                return linear_cross_entropy(p[0], p[1], p[2], labels, options, 4 * 37);
            };
            check_close(fused(in), elements(composed(in)), 4);
            const Tensor ct = scalar(-2, dtype);
            const std::vector<Tensor> want = gradients(composed, in, ct), got = gradients(fused, in, ct);
            for (std::size_t i = 0; i < 3; ++i) check_close(got[i], elements(want[i]), 8, 4);
        }
    check_refused<ShapeError>(
        "linear_cross_entropy: the weights of the classes must be [5] for logits [2, 5], not [3]", [&] {
            linear_cross_entropy(zeros({2, 3}), zeros({5, 3}), zeros({5}), ids({0, 4}), {.weight = ones({3})});
        });
}

TEST_CASE("linear_cross_entropy: gradients of some operands, of none, and for rows of which none counts") {
    const std::vector<Tensor> in = layer(Dtype::float64);
    const Tensor labels = layer_labels();
    const auto loss_of = [&] { return linear_cross_entropy(in[0], in[1], in[2], labels, {}, 100); };
    const Tensor alone = loss_of();
    const std::vector<Tensor> all = gradients([&](const auto&) { return loss_of(); }, in, scalar(1, Dtype::float64));
    for (std::size_t i = 0; i < 3; ++i) {
        Tape tape;
        tape.watch(in[i]);
        const Tensor loss = loss_of();
        CHECK(loss.item() == alone.item());
        CHECK(elements(tape.gradient(loss, in[i])) == elements(all[i]));
    }
    const Tensor none = tensor(std::vector<std::int64_t>(10, -100), {2, 5});
    Tape tape;
    for (const Tensor& x : in) tape.watch(x);
    const Tensor loss = linear_cross_entropy(in[0], in[1], in[2], none);
    CHECK(loss.item() == 0);
    for (const Tensor& gradient : tape.gradient(loss, in))
        CHECK(elements(gradient) == Values(static_cast<std::size_t>(gradient.numel())));
}

TEST_CASE("linear_cross_entropy: a pass that is repeated, scaled or recorded") {
    const std::vector<Tensor> in = layer(Dtype::float64);
    const Tensor labels = layer_labels();
    const auto one = scalar(1, Dtype::float64);
    Tape tape;
    for (const Tensor& x : in) tape.watch(x);
    const Tensor loss = linear_cross_entropy(in[0], in[1], in[2], labels, {}, 100), twice = loss * 2;
    const GradientOptions keeps{.retain_graph = true};
    const std::vector<Tensor> first = tape.gradient(loss, in, keeps), doubled = tape.gradient(twice, in, keeps),
                              recorded = tape.gradient(loss, in, {.create_graph = true}),
                              second = tape.gradient(loss, in, keeps);
    const std::vector<Tensor> last = tape.gradient(twice, in);
    for (std::size_t i = 0; i < 3; ++i) {
        Values expected = elements(first[i]);
        CHECK(elements(second[i]) == expected);
        check_close(recorded[i], expected, 8, 1);
        for (double& v : expected) v *= 2;
        CHECK(elements(doubled[i]) == expected);
        CHECK(elements(last[i]) == expected);
    }
    CHECK_THROWS_AS(tape.gradient(loss, in), TapeError);
}

TEST_CASE("linear_cross_entropy: what is held is a chunk of logits, and gradients only if a tape asks for them") {
    constexpr std::int64_t rows = 512, classes = 256, features = 16, element = 8;
    constexpr std::int64_t logits = rows * classes * element, slack = 16 * 1024;
    const Tensor x = sample_values({rows, features}, -1, 1, 1), weight = sample_values({classes, features}, -1, 1, 2),
                 bias = sample_values({classes}, -1, 1, 3), labels = ids(std::vector<std::int64_t>(rows, 7));
    const std::int64_t chunk = rows * classes / 16;
    const auto held = [&](const auto& f) {
        reset_peak_live_bytes();
        const std::int64_t before = allocator_statistics().live_bytes;
        f();
        return allocator_statistics().peak_live_bytes - before;
    };
    const auto loss_of = [&] { return linear_cross_entropy(x, weight, bias, labels, {}, chunk); };
    // Labels and losses of the rows, and of a chunk its rows and their logits.
    const std::int64_t alone = logits / 16 + 2 * rows * element + rows / 16 * features * element;
    CHECK(held(loss_of) < alone + slack);
    {
        Tape tape;
        CHECK(held(loss_of) < alone + slack);
        CHECK(tape.size() == 0);
    }
    Tape tape;
    for (const Tensor& operand : {x, weight, bias}) tape.watch(operand);
    const std::int64_t gradients = (rows * features + classes * features + classes) * element;
    Tensor loss;
    CHECK(held([&] { loss = loss_of(); }) < alone + gradients + rows / 16 * features * element + slack);
    // The gradients are handed over.
    CHECK(held([&] { tape.gradient(loss, std::array{x, weight, bias}); }) < slack);
}

TEST_CASE("linear_cross_entropy: what does not fit is refused, with the caller's line") {
    const Tensor x = zeros({2, 3}), weight = zeros({5, 3}), bias = zeros({5}), labels = ids({0, 4});
    check_refused<ShapeError>(
        "linear_cross_entropy: inner dimensions differ: x [2, 3] x weight [5, 2] transposed (3 != 2)", [&] {
            linear_cross_entropy(x, zeros({5, 2}), bias, labels);
        });
    check_refused<ShapeError>("linear_cross_entropy: x must be [.., in] and the weight [out, in], not [3] and [5, 3]",
                              [&] { linear_cross_entropy(zeros({3}), weight, bias, labels); });
    check_refused<ShapeError>("linear_cross_entropy: the bias must be [5] for the weight [5, 3], not [1]",
                              [&] { linear_cross_entropy(x, weight, zeros({1}), labels); });
    check_refused<ShapeError>("linear_cross_entropy: labels [3] do not fit the rows of logits [2, 5]", [&] {
        linear_cross_entropy(x, weight, bias, ids({0, 1, 2}));
    });
    check_refused<ValueError>("linear_cross_entropy: label 5 of row 1 is outside [0, 5)", [&] {
        linear_cross_entropy(x, weight, bias, ids({0, 5}));
    });
    check_refused<ValueError>("linear_cross_entropy: label_smoothing is 2, outside [0, 1]",
                              [&] { linear_cross_entropy(x, weight, bias, labels, {.label_smoothing = 2}); });
    check_refused<ValueError>(
        "linear_cross_entropy: the losses of single rows are those of cross_entropy(linear(..), labels)",
        [&] { linear_cross_entropy(x, weight, bias, labels, {.reduction = Reduction::none}); });
    check_refused<DtypeError>(
        "linear_cross_entropy: operands must be float32 or float64 and alike: x float32, weight float64", [&] {
            linear_cross_entropy(x, zeros({5, 3}, Dtype::float64), bias, labels);
        });
    check_refused<DtypeError>(
        "linear_cross_entropy: logits must be float32 or float64 and labels int64 or int32, not float32 and float32",
        [&] { linear_cross_entropy(x, weight, bias, zeros({2})); });
    check_refused<ValueError>("linear_cross_entropy: operand 1 is an undefined tensor",
                              [&] { linear_cross_entropy(x, Tensor(), bias, zeros({2}, Dtype::int64)); });
    check_refused<ValueError>("linear_cross_entropy: operand 3 is an undefined tensor",
                              [&] { linear_cross_entropy(x, weight, bias, Tensor()); });
}

TEST_CASE("linear_cross_entropy: what it cannot do is said") {
    const Tensor x = ones({2, 3}), weight = full({4, 3}, 1e38), bias = zeros({4}), labels = zeros({2}, Dtype::int64);
    CHECK_THROWS_WITH_AS(linear_cross_entropy(x, weight, bias, labels, {}, 0),
                         doctest::Contains("a chunk must have one element at least, not 0"), ValueError);
    CHECK_THROWS_AS(linear_cross_entropy(ones({3}), weight, bias, scalar(0, Dtype::int64)), ShapeError);
    const DetectAnomalies detect;
    Tape tape;
    tape.watch(weight);
    CHECK_THROWS_AS(linear_cross_entropy(full({2, 3}, 3e38), weight, bias, labels), NonFiniteError);
}

TEST_CASE("linear_cross_entropy: labels of int32 are labels") {
    const Tensor x = tensor({1, 2, 3, 4}, {2, 2}), weight = tensor({1, 0, 0.5, 2, -1, 1}, {3, 2}), bias = zeros({3});
    CHECK(linear_cross_entropy(x, weight, bias, tensor({2, 0}, Dtype::int32)).item() ==
          linear_cross_entropy(x, weight, bias, ids({2, 0})).item());
}
