#include <wengert/ops/network/ctc_loss.hpp>

#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/ops/reduce/softmax.hpp>

#include "ops/brute_force.hpp"

using namespace brute_force;

namespace {

/// What a path spells: repeated classes once, then no blanks.
std::vector<std::int64_t> spelled(const std::vector<std::int64_t>& path, std::int64_t blank) {
    std::vector<std::int64_t> labels;
    for (std::size_t t = 0; t < path.size(); ++t)
        if (path[t] != blank && (t == 0 || path[t] != path[t - 1])) labels.push_back(path[t]);
    return labels;
}

struct SpelledRow {
    long double probability = 0;
    std::vector<long double> occupancy;  ///< [T, C]
};

/// The probability of a target, over every path of `frames` frames, and of being in each class at each frame.
SpelledRow over_all_paths(const Tensor& x, std::int64_t row, std::int64_t frames,
                          const std::vector<std::int64_t>& target, std::int64_t blank) {
    const std::int64_t classes = x.dim(2);
    SpelledRow result;
    result.occupancy.resize(static_cast<std::size_t>(x.dim(0) * classes));
    std::int64_t paths = 1;
    for (std::int64_t t = 0; t < frames; ++t) paths *= classes;
    for (std::int64_t number = 0; number < paths; ++number) {
        std::vector<std::int64_t> path;
        for (std::int64_t t = 0, rest = number; t < frames; ++t, rest /= classes) path.push_back(rest % classes);
        if (spelled(path, blank) != target) continue;
        long double probability = 1;
        for (std::int64_t t = 0; t < frames; ++t)
            probability *= std::exp(static_cast<long double>(element(x, {t, row, path[static_cast<std::size_t>(t)]})));
        result.probability += probability;
        for (std::int64_t t = 0; t < frames; ++t)
            result.occupancy[static_cast<std::size_t>(t * classes + path[static_cast<std::size_t>(t)])] += probability;
    }
    for (long double& o : result.occupancy)
        if (result.probability > 0) o /= result.probability;
    return result;
}

}  // namespace

TEST_CASE("ctc_loss: the sum over every path, and its gradient the paths' share, in both dtypes") {
    const std::vector<std::vector<std::int64_t>> targets{{1, 2, 2}, {3, 3}, {0, 1}, {}, {1}};
    const std::vector<std::int64_t> frames{6, 5, 4, 3, 1};
    for (const std::int64_t blank : {0, 2})
        for (const Dtype dtype : {Dtype::float32, Dtype::float64})
            for (int layout = 0; layout < layouts; ++layout) {
                std::vector<std::int64_t> padded, lengths;
                std::vector<std::vector<std::int64_t>> own = targets;
                for (auto& target : own) {
                    for (std::int64_t& label : target)
                        if (label == blank) label = 3 - blank;
                    lengths.push_back(std::ssize(target));
                    padded.insert(padded.end(), target.begin(), target.end());
                    padded.resize((padded.size() / 4 + (padded.size() % 4 > 0 || target.empty() ? 1 : 0)) * 4, 77);
                }
                REQUIRE(padded.size() == 20);
                const Tensor x = laid_out({6, 5, 4}, layout, 1, dtype, -3, 0), rows = tensor(padded, {5, 4});
                Values losses, slopes(6 * 5 * 4);
                double mean = 0, total = 0;
                for (std::size_t b = 0; b < 5; ++b) {
                    const SpelledRow row = over_all_paths(x, static_cast<std::int64_t>(b), frames[b], own[b], blank);
                    losses.push_back(static_cast<double>(-std::log(row.probability)));
                    total += losses.back();
                    mean += losses.back() / static_cast<double>(std::max<std::int64_t>(1, lengths[b])) / 5;
                    for (std::size_t t = 0; t < 6; ++t)
                        for (std::size_t c = 0; c < 4; ++c)
                            slopes[(t * 5 + b) * 4 + c] =
                                static_cast<double>(-row.occupancy[t * 4 + c]) * (static_cast<double>(b) - 1.5);
                }
                const auto loss = [&](Reduction reduction) {
                    return [&, reduction](const std::vector<Tensor>& in) {
                        return ctc_loss(in[0], rows, ids(frames), ids(lengths),
                                        {.blank = blank, .reduction = reduction});
                    };
                };
                check_close(loss(Reduction::none)({x}), losses, 8, 1);
                check_close(loss(Reduction::sum)({x}), {total}, 8);
                check_close(loss(Reduction::mean)({x}), {mean}, 8);
                const Tensor ct = cast(tensor({-1.5, -0.5, 0.5, 1.5, 2.5}, Dtype::float64), dtype);
                check_close(gradients(loss(Reduction::none), {x}, ct)[0], slopes, 16, 1);
                Tape tape;
                tape.watch(x);
                const Tensor recorded =
                    tape.gradient(loss(Reduction::none)({x}), x, {.create_graph = true, .cotangent = ct});
                check_close(recorded, slopes, 64, 1);
            }
}

TEST_CASE("ctc_loss: gradients of every reduction, through a log_softmax, to second order") {
    const Tensor targets = tensor(std::vector<std::int64_t>{1, 1, 2, 9}, {2, 2});
    for (const Reduction reduction : {Reduction::sum, Reduction::mean}) {
        const GradcheckResult result = gradcheck(
            [&](const auto& in) {
                return ctc_loss(log_softmax(in[0]), targets, ids({4, 3}), ids({2, 1}), {.reduction = reduction});
            },
            {sample_values({4, 2, 3}, -1, 1, 1)}, {.order = 2});
        CHECK_MESSAGE(result.passed, result.message);
    }
}

TEST_CASE("ctc_loss: long inputs neither underflow nor overflow") {
    // All paths are as probable, and a single label is spelled by T (T + 1) / 2 of them.
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        const Tensor x = full({3000, 1, 2}, -1, dtype), target = tensor(std::vector<std::int64_t>{1}, {1, 1});
        const Tensor loss = ctc_loss(x, target, ids({3000}), ids({1}));
        CHECK(loss.item() == doctest::Approx(3000 - std::log(3000.0 * 3001 / 2)).epsilon(1e-6));
        const Tensor slopes = gradients([&](const auto& in) { return ctc_loss(in[0], target, ids({3000}), ids({1})); },
                                        {x}, scalar(1, dtype))[0];
        double total = 0;
        for (const double slope : elements(slopes)) total += slope;
        CHECK(total == doctest::Approx(-3000).epsilon(1e-6));
    }
}

TEST_CASE("ctc_loss: what cannot be spelled is infinite, or 0, and has no gradient") {
    const Tensor x = full({3, 2, 3}, -1, Dtype::float64),
                 targets = tensor(std::vector<std::int64_t>{1, 1, 1, 2}, {2, 2});
    const Tensor frames = ids({2, 3}), lengths = ids({2, 2});  // a blank must stand between two equal labels
    const auto loss = [&](const Tensor& of, bool zero) {
        return ctc_loss(of, targets, frames, lengths, {.reduction = Reduction::none, .zero_infinity = zero});
    };
    CHECK(elements(loss(x, false))[0] == infinity);
    CHECK(elements(loss(x, true))[0] == 0);
    CHECK(elements(loss(x, true))[1] == elements(loss(x, false))[1]);
    for (const bool zero : {false, true})
        for (const bool recorded : {false, true}) {
            Tape tape;
            tape.watch(x);
            const Tensor slopes =
                tape.gradient(loss(x, zero), x, {.create_graph = recorded, .cotangent = ones({2}, Dtype::float64)});
            CHECK(elements(select(slopes, 1, 0)) == Values(9));
            CHECK(elements(select(slopes, 1, 1)) != Values(9));
        }
    // A class that cannot be: the paths through it are no part of the sum.
    Tensor closed = x.clone();
    closed.mutable_data<double>()[3 * 1 + 1] = -infinity;  // frame 0, row 1, class 1
    CHECK(elements(loss(closed, false))[1] == doctest::Approx(3 - std::log(1.0)));
    CHECK(std::isnan(elements(loss(full({3, 2, 3}, not_a_number, Dtype::float64), true))[1]));
    const auto empty = [](std::int64_t length) {
        return ctc_loss(zeros({2, 1, 2}), tensor(std::vector<std::int64_t>{1}, {1, 1}), ids({0}), ids({length})).item();
    };
    CHECK(empty(0) == 0);
    CHECK(empty(1) == infinity);
    CHECK(ctc_loss(zeros({2, 0, 2}), zeros({0, 3}, Dtype::int64), ids({}), ids({}), {.reduction = Reduction::none})
              .shape() == Shape{0});
}

TEST_CASE("ctc_loss: what does not fit is refused, with the caller's line") {
    const Tensor x = zeros({4, 2, 3}), targets = tensor(std::vector<std::int64_t>{1, 2, 2, 1}, {2, 2});
    const Tensor frames = ids({4, 4}), lengths = ids({2, 2});
    check_refused<ShapeError>("ctc_loss: log_probs must be [T, B, C], not [4, 3]", [&] {
        ctc_loss(zeros({4, 3}), targets, frames, lengths);
    });
    check_refused<ShapeError>("ctc_loss: targets [4] are not a row for each of log_probs [4, 2, 3]", [&] {
        ctc_loss(x, ids({1, 2, 2, 1}), frames, lengths);
    });
    check_refused<ShapeError>("ctc_loss: input_lengths must be [2], not [3]", [&] {
        ctc_loss(x, targets, ids({4, 4, 4}), lengths);
    });
    check_refused<ShapeError>("ctc_loss: target_lengths must be [2], not [1]",
                              [&] { ctc_loss(x, targets, frames, ids({2})); });
    check_refused<ValueError>("ctc_loss: input_lengths has 5 for row 1, outside [0, 4]", [&] {
        ctc_loss(x, targets, ids({4, 5}), lengths);
    });
    check_refused<ValueError>("ctc_loss: target_lengths has -1 for row 0, outside [0, 2]", [&] {
        ctc_loss(x, targets, frames, ids({-1, 2}));
    });
    check_refused<ValueError>("ctc_loss: the blank 3 is outside [0, 3)",
                              [&] { ctc_loss(x, targets, frames, lengths, {.blank = 3}); });
    check_refused<ValueError>("ctc_loss: label 2 at [0, 1] is the blank",
                              [&] { ctc_loss(x, targets, frames, lengths, {.blank = 2}); });
    check_refused<ValueError>("ctc_loss: label 3 at [1, 0] is outside [0, 3)", [&] {
        ctc_loss(x, tensor(std::vector<std::int64_t>{1, 2, 3, 1}, {2, 2}), frames, lengths);
    });
    const std::string not_whole =
        "ctc_loss: log_probs must be float32 or float64, targets and lengths int64 or int32, not float32, float32, "
        "int64 and int64";
    check_refused<DtypeError>(not_whole, [&] { ctc_loss(x, zeros({2, 2}), frames, lengths); });
    check_refused<ValueError>("ctc_loss: operand 1 is an undefined tensor",
                              [&] { ctc_loss(x, Tensor(), frames, lengths); });
}

TEST_CASE("ctc_loss: what is beyond a row's frames is not read, in no derivative") {
    const auto target = tensor(std::vector<std::int64_t>{1}, {1, 1});
    const auto length = [](std::int64_t n) { return tensor(std::vector<std::int64_t>{n}, {1}); };
    const auto hvp_of = [&](double padding) {
        Tensor x = sample_values({3, 1, 2}, -2, -1, 5);
        x.mutable_data<double>()[4] = padding;
        x.mutable_data<double>()[5] = -padding;
        Tape tape;
        tape.watch(x);
        const Tensor g = tape.gradient(ctc_loss(x, target, length(2), length(1)), x, {.create_graph = true});
        return elements(tape.gradient(g, x, {.cotangent = sample_values({3, 1, 2}, -1, 1, 6)}));
    };
    CHECK(hvp_of(not_a_number) == hvp_of(0));
    CHECK(hvp_of(infinity) == hvp_of(0));
}

TEST_CASE("ctc_loss: targets and lengths of int32") {
    const Tensor x = log_softmax(reshape(sample_values({8 * 3}, -1, 1, 5), {4, 2, 3}));
    const auto loss = [&](Dtype dtype) {
        return elements(ctc_loss(x, tensor({1, 2, 2, 1}, {2, 2}, dtype), tensor({4, 3}, dtype), tensor({2, 1}, dtype)));
    };
    CHECK(loss(Dtype::int32) == loss(Dtype::int64));
}
