#include "ops/brute_force.hpp"

#include <numeric>
#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/autograd/transform/derivatives.hpp>
#include <wengert/ops/network/cross_entropy.hpp>
#include <wengert/ops/reduce/reductions.hpp>

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
    const Values weights = options.weight.defined() ? elements(options.weight) : Values(classes, 1);
    long double counted = 0;
    for (std::size_t row = 0; row < labels.size(); ++row) {
        if (labels[row] == options.ignore_index) continue;
        counted += weights[static_cast<std::size_t>(labels[row])];
        long double highest = -infinity, total = 0;
        for (std::size_t v = 0; v < classes; ++v)
            highest = std::max(highest, static_cast<long double>(x[row * classes + v]));
        for (std::size_t v = 0; v < classes; ++v) total += std::exp(x[row * classes + v] - highest);
        std::vector<long double> q;
        for (std::size_t v = 0; v < classes; ++v)
            q.push_back(weights[v] * (options.label_smoothing / static_cast<long double>(classes) +
                                      (static_cast<std::int64_t>(v) == labels[row] ? 1 - options.label_smoothing : 0)));
        const long double whole = std::accumulate(q.begin(), q.end(), 0.0L);
        for (std::size_t v = 0; v < classes; ++v) {
            const long double log_p = x[row * classes + v] - highest - std::log(total);
            loss -= q[v] * log_p;
            gradient[row * classes + v] = static_cast<double>(std::exp(log_p) * whole - q[v]);
        }
    }
    const long double scale = options.reduction == Reduction::sum ? 1 : counted > 0 ? 1 / counted : 0;
    for (double& g : gradient) g *= static_cast<double>(scale);
    return {static_cast<double>(loss * scale), gradient};
}

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

TEST_CASE("cross_entropy: weights of the classes, and the mean over the labels' weights") {
    const std::vector<std::int64_t> labels{3, 0, 4, 2, 2, 0};
    for (const Dtype dtype : {Dtype::float32, Dtype::float64})
        for (const double smoothing : {0.0, 0.1, 1.0})
            for (const std::int64_t ignored : {-100, 2})
                for (const Reduction reduction : {Reduction::mean, Reduction::sum}) {
                    CAPTURE(smoothing);
                    CAPTURE(ignored);
                    const CrossEntropyOptions options{ignored, smoothing, reduction,
                                                      laid_out({5}, 3, 2, dtype, 0.1, 3)};
                    const Tensor logits = laid_out({6, 5}, 1, 1, dtype, -4, 4);
                    const Brute want = brute(logits, labels, options);
                    check_close(cross_entropy(logits, ids(labels), options), {want.loss}, 8);
                    const auto f = [&](const auto& in) { return cross_entropy(in[0], ids(labels), options); };
                    check_close(gradients(f, {logits}, scalar(1, dtype))[0], want.gradient, 8, 1);
                    Tape tape;
                    tape.watch(logits);
                    check_close(tape.gradient(f(std::vector{logits}), logits, {.create_graph = true}), want.gradient,
                                16, 1);
                }
    // Two rows of one loss have it as their mean, whatever they weigh.
    const Tensor logits = tensor({1, 2, 3, 1, 0, -1}, {2, 3}, Dtype::float64),
                 weight = tensor({1, 2, 4}, Dtype::float64);
    CHECK(cross_entropy(logits, ids({2, 0}), {.weight = weight}).item() ==
          doctest::Approx(cross_entropy(logits, ids({2, 0})).item()).epsilon(1e-14));
    // Labels that weigh nothing are rows that do not count.
    const Tensor none = zeros({3}, Dtype::float64);
    CHECK(cross_entropy(logits, ids({2, 0}), {.weight = none}).item() == 0);
}

TEST_CASE("cross_entropy: weights that are none are refused, and they have no gradient") {
    const Tensor logits = zeros({2, 3}), labels = ids({0, 2});
    check_refused<ShapeError>("cross_entropy: the weights of the classes must be [3] for logits [2, 3], not [2]",
                              [&] { cross_entropy(logits, labels, {.weight = ones({2})}); });
    check_refused<DtypeError>("cross_entropy: the weights of the classes are float64, but the logits float32",
                              [&] { cross_entropy(logits, labels, {.weight = ones({3}, Dtype::float64)}); });
    check_refused<ValueError>("cross_entropy: the weight of class 1 is -2, not a finite number of 0 or more", [&] {
        cross_entropy(logits, labels, {.weight = tensor({1, -2, 1})});
    });
    check_refused<ValueError>("cross_entropy: the weight of class 2 is nan, not a finite number of 0 or more", [&] {
        cross_entropy(logits, labels, {.weight = tensor({1, 2, not_a_number})});
    });
    Tensor weight = ones({3});
    const auto loss = [&] { return cross_entropy(logits, labels, {.weight = weight}); };
    Tape tape;
    tape.watch(logits);
    tape.watch(weight);
    const Tensor first = loss();
    CHECK_THROWS_WITH_AS(tape.gradient(loss(), weight),
                         doctest::Contains("cross_entropy: the weights of the classes are constants here"),
                         NotDifferentiableError);
    weight.fill(2);
    CHECK_THROWS_AS(tape.gradient(first, logits), TapeError);
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

TEST_CASE("cross_entropy: what stands in an ignored row counts for nothing in any pass") {
    const Tensor labels = ids({-100, 0});
    for (const Reduction reduction : {Reduction::mean, Reduction::sum, Reduction::none})
        for (const double smoothing : {0.0, 0.1})
            for (const double there : {not_a_number, infinity}) {
                const auto f = [&](const Tensor& x) {
                    return sum(cross_entropy(x, labels, {.label_smoothing = smoothing, .reduction = reduction}));
                };
                const Tensor x = tensor({there, 0, 1, 2}, {2, 2}, Dtype::float64),
                             clean = tensor({0, 0, 1, 2}, {2, 2}, Dtype::float64),
                             direction = ones({2, 2}, Dtype::float64);
                Tape tape;
                tape.watch(x);
                tape.watch(clean);
                CHECK(f(x).item() == f(clean).item());
                for (const bool recorded : {false, true})
                    CHECK(elements(tape.gradient(f(x), x, {.create_graph = recorded})) ==
                          elements(tape.gradient(f(clean), clean, {.create_graph = recorded})));
                CHECK(jvp(f, x, direction).tangent.item() == jvp(f, clean, direction).tangent.item());
                const Tensor slope = sum(square(tape.gradient(f(x), x, {.create_graph = true}))),
                             clean_slope = sum(square(tape.gradient(f(clean), clean, {.create_graph = true})));
                CHECK(elements(tape.gradient(slope, x)) == elements(tape.gradient(clean_slope, clean)));
            }
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
        "cross_entropy: logits must be float32 or float64 and labels int64 or int32, not float32 and float32", [&] {
            cross_entropy(zeros({1, 5}), zeros({1}));
        });
    check_refused<ValueError>("cross_entropy: label_smoothing is 1.5, outside [0, 1]", [&] {
        cross_entropy(zeros({1, 5}), ids({0}), {.label_smoothing = 1.5});
    });
    check_refused<ValueError>("cross_entropy: label_smoothing is nan, outside [0, 1]", [&] {
        cross_entropy(zeros({1, 5}), ids({0}), {.label_smoothing = not_a_number});
    });
    check_refused<ShapeError>("cross_entropy: labels [2] do not fit the rows of logits [1, 5]", [&] {
        cross_entropy(zeros({1, 5}), ids({0, 1}), {.reduction = Reduction::none});
    });
    check_refused<ValueError>("cross_entropy: label 5 of row 0 is outside [0, 5)", [&] {
        cross_entropy(zeros({1, 5}), ids({5}), {.reduction = Reduction::none});
    });
    check_refused<ValueError>("cross_entropy: operand 1 is an undefined tensor", [&] {
        cross_entropy(zeros({1, 5}), Tensor(), {.reduction = Reduction::none});
    });
    check_refused<ValueError>("cross_entropy: operand 0 is an undefined tensor",
                              [&] { cross_entropy(Tensor(), tensor(std::vector<std::int64_t>{0}, {1})); });
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

TEST_CASE("cross_entropy: labels of int32 are labels") {
    const Tensor x = tensor({1, 2, 3, 4, 5, 7}, {2, 3}), labels = tensor({2, 0}, Dtype::int32);
    const auto loss = [&](const Tensor& of) {
        return gradients([&](const auto& in) { return cross_entropy(in[0], of); }, {x}, scalar(1))[0];
    };
    CHECK(cross_entropy(x, labels).item() == cross_entropy(x, ids({2, 0})).item());
    CHECK(elements(loss(labels)) == elements(loss(ids({2, 0}))));
}

TEST_CASE("cross_entropy: the losses of single rows are those of batches of one row") {
    const Tensor logits = sample_values({2, 3, 4}, -2, 2, 1), weight = tensor({0.5, 0, 2, 1}, Dtype::float64),
                 labels = tensor(std::vector<std::int64_t>{0, 3, -1, 2, 1, 0}, {2, 3});
    for (const double smoothing : {0.0, 0.2})
        for (const bool weighs : {false, true}) {
            CrossEntropyOptions options{.ignore_index = -1,
                                        .label_smoothing = smoothing,
                                        .reduction = Reduction::sum,
                                        .weight = weighs ? weight : Tensor()};
            Values want;
            for (std::int64_t i = 0; i < 6; ++i)
                want.push_back(cross_entropy(slice(reshape(logits, {6, 4}), 0, i, i + 1),
                                             slice(reshape(labels, {6}), 0, i, i + 1), options)
                                   .item());
            CHECK(want[2] == 0);
            options.reduction = Reduction::none;
            const Tensor each = cross_entropy(logits, labels, options);
            CHECK(each.shape() == Shape{2, 3});
            check_close(each, want, 16, 1);
            CHECK(elements(cross_entropy(logits, cast(labels, Dtype::int32), options)) == elements(each));
            for (const int order : {1, 2}) {
                const GradcheckResult result = gradcheck(
                    [&](const auto& in) { return cross_entropy(in[0], labels, options); }, {logits}, {.order = order});
                CHECK_MESSAGE(result.passed, result.message);
            }
        }
    // What stands in a row that does not count is not read.
    const Tensor broken = tensor({-infinity, 1, not_a_number, 0}, {2, 2}, Dtype::float64);
    const CrossEntropyOptions none{.label_smoothing = 0.1, .reduction = Reduction::none};
    CHECK(elements(cross_entropy(broken, ids({-100, -100}), none)) == Values{0, 0});
    CHECK(cross_entropy(zeros({0, 4}), ids({}), none).shape() == Shape{0});
    CHECK(cross_entropy(zeros({3}), scalar(1, Dtype::int64), none).shape() == Shape{});
}
