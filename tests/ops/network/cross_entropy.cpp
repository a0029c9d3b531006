#include "ops/brute_force.hpp"

#include <wengert/autograd/observe/anomaly.hpp>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/ops/network/cross_entropy.hpp>
#include <wengert/ops/network/linear_cross_entropy.hpp>
#include <wengert/ops/products/linear.hpp>
#include <wengert/ops/products/matmul.hpp>

using namespace brute_force;

namespace {

/// The loss and its gradient, row by row in long double.
struct Brute {
    double loss;
    Values gradient;
};

Brute brute(const Tensor& logits, const std::vector<std::int64_t>& labels, const CrossEntropyOptions& options) {
    const Values x = elements(logits);
    const auto classes = static_cast<std::size_t>(logits.shape().back());
    long double loss = 0;
    Values gradient(x.size());
    int counted = 0;
    for (std::size_t row = 0; row < labels.size(); ++row) {
        if (labels[row] == options.ignore_index) continue;
        ++counted;
        long double highest = -infinity, total = 0;
        for (std::size_t v = 0; v < classes; ++v)
            highest = std::max(highest, static_cast<long double>(x[row * classes + v]));
        for (std::size_t v = 0; v < classes; ++v) total += std::exp(x[row * classes + v] - highest);
        for (std::size_t v = 0; v < classes; ++v) {
            const long double q = options.label_smoothing / static_cast<long double>(classes) +
                                  (static_cast<std::int64_t>(v) == labels[row] ? 1 - options.label_smoothing : 0);
            const long double log_p = x[row * classes + v] - highest - std::log(total);
            loss -= q * log_p;
            gradient[row * classes + v] = static_cast<double>(std::exp(log_p) - q);
        }
    }
    const long double scale = options.reduction == Reduction::sum ? 1 : 1.0L / std::max(counted, 1);
    for (double& g : gradient) g *= static_cast<double>(scale);
    return {static_cast<double>(loss * scale), gradient};
}

/// Operands of linear_cross_entropy: x [2, 5, 6], weight [37, 6], bias [37].
std::vector<Tensor> layer(Dtype dtype, int layout = 0) {
    return {laid_out({2, 5, 6}, layout, 1, dtype), laid_out({37, 6}, layout, 2, dtype),
            laid_out({37}, layout, 3, dtype)};
}
Tensor layer_labels() { return tensor(std::vector<std::int64_t>{3, 0, 36, 2, 2, 0, 17, 2, 9, 1}, {2, 5}); }

}  // namespace

TEST_CASE("cross_entropy: ignored rows, smoothing and both reductions, in value and gradient") {
    const std::vector<std::int64_t> labels{3, 0, 36, 2, 2, 0};
    for (int layout = 0; layout < layouts; ++layout) {
        for (const std::int64_t ignored : {-100, 2, 0}) {
            for (const double smoothing : {0.0, 0.1, 1.0}) {
                for (const Reduction reduction : {Reduction::mean, Reduction::sum}) {
                    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
                        CAPTURE(layout);
                        CAPTURE(ignored);
                        CAPTURE(smoothing);
                        const CrossEntropyOptions options{ignored, smoothing, reduction};
                        const Tensor logits = laid_out({2, 3, 37}, layout, 1, dtype, -4, 4),
                                     rows = tensor(labels, {2, 3});
                        const Brute want = brute(logits, labels, options);
                        const Tensor loss = cross_entropy(logits, rows, options);
                        CHECK(loss.shape() == Shape{});
                        CHECK(loss.dtype() == dtype);
                        check_close(loss, {want.loss}, 8);
                        const auto f = [&](const auto& in) { return cross_entropy(in[0], rows, options); };
                        check_close(gradients(f, {logits}, scalar(1, dtype))[0], want.gradient, 8, 1);
                        Values twice = want.gradient;
                        for (double& g : twice) g *= -2;
                        check_close(gradients(f, {logits}, scalar(-2, dtype))[0], twice, 8, 1);
                    }
                }
            }
        }
    }
}

TEST_CASE("cross_entropy: an ignored label need not be a class") {
    const CrossEntropyOptions options{.ignore_index = 99};
    const Tensor logits = sample_values({3, 4}, -1, 1, 1);
    check_close(cross_entropy(logits, ids({99, 1, 99}), options), {brute(logits, {99, 1, 99}, options).loss}, 4);
    CHECK(cross_entropy(logits, ids({99, 99, 99}), options).item() == 0);
    const auto g = gradients(
        [&](const auto& in) {
            return cross_entropy(in[0], ids({99, 99, 99}), options);
        },
        {logits}, scalar(1, Dtype::float64));
    CHECK(elements(g[0]) == Values(12));
    CHECK(cross_entropy(zeros({0, 4}), ids({})).item() == 0);
    CHECK(cross_entropy(zeros({3}), tensor(std::vector<std::int64_t>{1}, {})).item() == doctest::Approx(std::log(3)));
}

TEST_CASE("cross_entropy: large logits neither overflow nor lose their digits") {
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        const Tensor logits = tensor({10000, 10000, -10000, 10000}, {2, 2}, dtype);
        check_close(cross_entropy(logits, ids({0, 1}), {.reduction = Reduction::sum}), {std::log(2)}, 1);
        const auto g = gradients(
            [](const auto& in) {
                return cross_entropy(in[0], ids({0, 0}), {.reduction = Reduction::sum});
            },
            {logits}, scalar(1, dtype));
        CHECK(elements(g[0]) == Values{-0.5, 0.5, -1, 1});
        CHECK(cross_entropy(logits, ids({0, 0}), {.reduction = Reduction::sum}).item() == doctest::Approx(20000.693));
    }
    const Tensor masked = tensor({-infinity, 1, 2}, {1, 3}, Dtype::float64);
    check_close(cross_entropy(masked, ids({2})), {brute(tensor({1, 2}, {1, 2}, Dtype::float64), {1}, {}).loss}, 4);
    CHECK(cross_entropy(masked, ids({0})).item() == infinity);
    CHECK(std::isnan(cross_entropy(tensor({not_a_number, 1, 2}, {1, 3}), ids({2})).item()));
}

TEST_CASE("cross_entropy: what does not fit is refused, with the caller's line") {
    const Tensor logits = zeros({2, 3, 5});
    const Tensor labels = tensor(std::vector<std::int64_t>{0, 1, 2, 3, 5, 0}, {2, 3});
    check_refused<ValueError>("cross_entropy: label 5 of row 4 is outside [0, 5)",
                              [&] { cross_entropy(logits, labels); });
    check_refused<ValueError>("cross_entropy: label -1 of row 0 is outside [0, 5)", [&] {
        cross_entropy(zeros({1, 5}), ids({-1}));
    });
    check_refused<ShapeError>("cross_entropy: labels [2] do not fit the rows of logits [2, 3, 5]", [&] {
        cross_entropy(logits, ids({0, 1}));
    });
    check_refused<ShapeError>("cross_entropy: labels [1] do not fit the rows of logits []",
                              [&] { cross_entropy(scalar(1), ids({0})); });
    check_refused<DtypeError>(
        "cross_entropy: logits must be float32 or float64 and labels int64, not float32 and float32", [&] {
            cross_entropy(zeros({1, 5}), zeros({1}));
        });
    check_refused<ValueError>("cross_entropy: label_smoothing is 1.5, outside [0, 1]", [&] {
        cross_entropy(zeros({1, 5}), ids({0}), {.label_smoothing = 1.5});
    });
    check_refused<ValueError>("cross_entropy: label_smoothing is nan, outside [0, 1]", [&] {
        cross_entropy(zeros({1, 5}), ids({0}), {.label_smoothing = not_a_number});
    });
    check_refused<ValueError>("cross_entropy: operand 1 is an undefined tensor", [&] {
        cross_entropy(zeros({1, 5}), Tensor());
    });
}

TEST_CASE("cross_entropy: the gradient takes the place of logits that nobody else reads, and of no others") {
    const Tensor x = sample_values({300, 50}, -1, 1, 1), labels = ids(std::vector<std::int64_t>(300, 7));
    const auto peak = [&](bool keeps_logits) {
        Tape tape;
        tape.watch(x);
        Tensor logits = x + 0.0;
        const Tensor loss = cross_entropy(logits, labels);
        const Values before = elements(logits);
        if (!keeps_logits) logits = Tensor();
        reset_peak_live_bytes();
        const std::int64_t start = allocator_statistics().live_bytes;
        const Tensor gradient = tape.gradient(loss, x);
        if (keeps_logits) CHECK(elements(logits) == before);
        return std::pair{allocator_statistics().peak_live_bytes - start, elements(gradient)};
    };
    const auto [kept, first] = peak(true);
    const auto [freed, second] = peak(false);
    CHECK(first == second);
    CHECK(kept - freed >= 300 * 50 * 8);
}

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
    check_refused<DtypeError>(
        "linear_cross_entropy: operands must be float32 or float64 and alike: x float32, weight float64", [&] {
            linear_cross_entropy(x, zeros({5, 3}, Dtype::float64), bias, labels);
        });
    check_refused<DtypeError>(
        "linear_cross_entropy: logits must be float32 or float64 and labels int64, not float32 and float32",
        [&] { linear_cross_entropy(x, weight, bias, zeros({2})); });
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
