#include <cmath>
#include <functional>
#include <wengert/ops/network/losses.hpp>
#include <wengert/ops/reduce/softmax.hpp>

#include "ops/brute_force.hpp"

using namespace brute_force;

namespace {

using Loss = std::function<Tensor(const Tensor&, const Tensor&, Reduction)>;

/// Compares a loss with its formula, in values of every reduction.
void check_loss(const Loss& loss, const std::function<double(double, double)>& formula, const Tensor& x,
                const Tensor& target) {
    const Values a = elements(x), b = elements(target), each = elements(loss(x, target, Reduction::none));
    double total = 0;
    REQUIRE(each.size() == a.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        CHECK(each[i] == doctest::Approx(formula(a[i], b[i])).epsilon(1e-12));
        total += formula(a[i], b[i]);
    }
    CHECK(loss(x, target, Reduction::none).shape() == x.shape());
    CHECK(loss(x, target, Reduction::sum).item() == doctest::Approx(total).epsilon(1e-12));
    CHECK(loss(x, target, Reduction::mean).item() ==
          doctest::Approx(total / static_cast<double>(a.size())).epsilon(1e-12));
}

}  // namespace

TEST_CASE("losses: values are those of the formulas") {
    const Tensor x = sample_values({3, 5}, -2, 2, 1), share = sample_values({3, 5}, 0.1, 0.9, 2),
                 other = sample_values({3, 5}, -2, 2, 3);
    check_loss([](auto&&... a) { return mse_loss(a...); }, [](double x, double t) { return (x - t) * (x - t); }, x,
               other);
    check_loss([](auto&&... a) { return l1_loss(a...); }, [](double x, double t) { return std::abs(x - t); }, x, other);
    for (const double delta : {0.5, 1.0})
        check_loss([delta](const auto& x, const auto& t, Reduction r) { return huber_loss(x, t, delta, r); },
                   [delta](double x, double t) {
                       const double d = std::abs(x - t);
                       return d <= delta ? d * d / 2 : delta * (d - delta / 2);
                   },
                   x, other);
    for (const double weight : {1.0, 3.0})
        check_loss([weight](const auto& x, const auto& t,
                            Reduction r) { return binary_cross_entropy_with_logits(x, t, weight, r); },
                   [weight](double x, double t) {
                       const double s = 1 / (1 + std::exp(-x));
                       return -weight * t * std::log(s) - (1 - t) * std::log(1 - s);
                   },
                   x, share);
    check_loss([](auto&&... a) { return kl_div(a...); }, [](double x, double t) { return t * (std::log(t) - x); }, x,
               share);
    check_loss([](const auto& x, const auto& t, Reduction r) { return hinge_loss(x, t, 1, r); },
               [](double x, double t) { return std::max(0.0, 1 - t * x); }, x, other);
}

TEST_CASE("losses: batchmean divides by the length of the first axis, and is kl_div's alone") {
    const Tensor x = sample_values({2, 3, 4}, -1, 1, 1), share = sample_values({2, 3, 4}, 0.1, 1, 2);
    const double total = kl_div(x, share, Reduction::sum).item();
    CHECK(kl_div(x, share, Reduction::batchmean).item() == doctest::Approx(total / 2).epsilon(1e-14));
    const Tensor one = scalar(0.5, Dtype::float64);
    CHECK(kl_div(one, one, Reduction::batchmean).item() == kl_div(one, one, Reduction::sum).item());
    const Tensor labels = zeros({2, 3}, Dtype::int64), lengths = ones({3}, Dtype::int64);
    constexpr Reduction of_rows = Reduction::batchmean;
    const std::vector<std::pair<std::string, std::function<void()>>> refused{
        {"mse_loss", [&] { mse_loss(x, share, of_rows); }},
        {"huber_loss", [&] { huber_loss(x, share, 1, of_rows); }},
        {"nll_loss", [&] { nll_loss(x, labels, of_rows); }},
        {"cross_entropy", [&] { cross_entropy(x, labels, {.reduction = of_rows}); }},
        {"linear_cross_entropy",
         [&] {
             linear_cross_entropy(x[0], ones({5, 4}, Dtype::float64), ones({5}, Dtype::float64), labels[0],
                                  {.reduction = of_rows});
         }},
        {"ctc_loss", [&] {
             ctc_loss(x, ones({3, 1}, Dtype::int64), lengths, lengths, {.reduction = of_rows});
         }}};
    for (const auto& [name, f] : refused)
        CHECK_THROWS_WITH_AS(f(), doctest::Contains((name + ": batchmean is a reduction of kl_div() alone").c_str()),
                             ValueError);
}

TEST_CASE("losses: at the ends they stay finite") {
    const Tensor far = tensor({-1e4, 1e4}, Dtype::float64);
    CHECK(elements(binary_cross_entropy_with_logits(far, tensor({1, 0}, Dtype::float64), 1, Reduction::none)) ==
          Values{1e4, 1e4});
    CHECK(elements(binary_cross_entropy_with_logits(far, tensor({0, 1}, Dtype::float64), 1, Reduction::none)) ==
          Values{0, 0});
    CHECK(elements(kl_div(zeros({2}), tensor({0, 1}), Reduction::none)) == Values{0, 0});
    CHECK(std::isnan(mse_loss(zeros({0}), zeros({0})).item()));
    CHECK(mse_loss(zeros({0}), zeros({0}), Reduction::sum).item() == 0);
}

TEST_CASE("nll_loss: of a log_softmax it is the cross entropy") {
    const Tensor x = sample_values({2, 3, 4}, -1, 1, 1),
                 labels = tensor(std::vector<std::int64_t>{0, 3, 1, 2, 2, 0}, {2, 3});
    double total = 0;
    Values each;
    for_each_index({2, 3}, [&](const Shape& at) {
        double sum = 0;
        for (std::int64_t c = 0; c < 4; ++c) sum += std::exp(element(x, {at[0], at[1], c}));
        each.push_back(std::log(sum) - element(x, {at[0], at[1], static_cast<std::int64_t>(element(labels, at))}));
        total += each.back();
    });
    check_close(nll_loss(log_softmax(x), labels, Reduction::none), each, 16, 1);
    CHECK(nll_loss(log_softmax(x), labels).item() == doctest::Approx(total / 6).epsilon(1e-12));
    CHECK(nll_loss(log_softmax(x), labels, Reduction::sum).item() == doctest::Approx(total).epsilon(1e-12));
}

TEST_CASE("nll_loss: weights of the classes and ignored labels") {
    const Tensor x = sample_values({2, 3, 4}, -3, 0, 1), weight = sample_values({4}, 0.2, 2, 2),
                 labels = tensor(std::vector<std::int64_t>{0, 3, 1, 2, -1, 0}, {2, 3});
    for (const bool weighs : {false, true}) {
        Values each;
        double total = 0, count = 0;
        for_each_index({2, 3}, [&](const Shape& at) {
            const auto label = static_cast<std::int64_t>(element(labels, at));
            const double w = label < 0 ? 0 : weighs ? element(weight, {label}) : 1;
            each.push_back(label < 0 ? 0 : -w * element(x, {at[0], at[1], label}));
            total += each.back();
            count += w;
        });
        const auto loss = [&](Reduction reduction) {
            return [&, reduction](const std::vector<Tensor>& in) {
                return nll_loss(in[0], labels,
                                {.ignore_index = -1, .reduction = reduction, .weight = weighs ? in[1] : Tensor()});
            };
        };
        check_close(loss(Reduction::none)({x, weight}), each, 2);
        CHECK(loss(Reduction::sum)({x, weight}).item() == doctest::Approx(total).epsilon(1e-14));
        CHECK(loss(Reduction::mean)({x, weight}).item() == doctest::Approx(total / count).epsilon(1e-14));
        const Tensor none = tensor(std::vector<std::int64_t>(6, -100), {2, 3});
        CHECK(nll_loss(x, none, {.weight = weighs ? weight : Tensor()}).item() == 0);
        CHECK(nll_loss(tensor({-infinity, -1}, {1, 2}), ids({-100})).item() == 0);
    }
}

TEST_CASE("cosine_similarity: values, and nothing but zeros") {
    const Tensor x = tensor({3, 4, 1, 0}, {2, 2}, Dtype::float64), y = tensor({4, 3, 0, 2}, {2, 2}, Dtype::float64);
    check_close(cosine_similarity(x, y), {0.96, 0}, 4, 1);
    CHECK(cosine_similarity(x, y, 0).shape() == Shape{2});
    CHECK(elements(cosine_similarity(zeros({1, 2}), ones({1, 2}))) == Values{0});
}

TEST_CASE("losses: what does not fit is refused with the caller's line") {
    check_refused<ShapeError>("mse_loss: x [3, 1] and the target [3] differ in shape", [&] {
        mse_loss(ones({3, 1}), ones({3}));
    });
    check_refused<ValueError>("huber_loss: delta is 0, not above 0", [&] { huber_loss(ones({3}), ones({3}), 0); });
    check_refused<ShapeError>("nll_loss: labels [3] are not one for each row of x [2, 4]", [&] {
        nll_loss(ones({2, 4}), ids({0, 1, 2}));
    });
    check_refused<ValueError>("nll_loss: label 4 of row 0 is outside [0, 4)", [&] {
        nll_loss(ones({1, 4}), ids({4}));
    });
    check_refused<DtypeError>("nll_loss: labels must be int64 or int32, not float32", [&] {
        nll_loss(ones({1, 4}), ones({1}));
    });
    check_refused<ShapeError>("nll_loss: the weights [3] are not one for each class of x [1, 4]", [&] {
        nll_loss(ones({1, 4}), ids({2}), {.weight = ones({3})});
    });
    check_refused<ValueError>("l1_loss: operand 0 is an undefined tensor", [&] { l1_loss(Tensor(), ones({3})); });
}

TEST_CASE("losses: what an ignored label finds is left out of the weights' derivative too") {
    const Tensor x = tensor({-infinity, 0, -1, -2}, {2, 2}, Dtype::float64), w = ones({2}, Dtype::float64);
    const Tensor slope = gradients(
        [&](const auto& in) {
            return nll_loss(x, ids({-100, 1}), {.reduction = Reduction::sum, .weight = in[0]});
        },
        {w}, scalar(1, Dtype::float64))[0];
    CHECK(elements(slope) == Values{0, 2});
}

TEST_CASE("losses: labels of int32 are labels") {
    const Tensor x = log_softmax(tensor({1, 2, 3, 4, 5, 7}, {2, 3})), labels = tensor({2, 0}, Dtype::int32);
    CHECK(nll_loss(x, labels).item() == nll_loss(x, ids({2, 0})).item());
}

TEST_CASE("losses: different dtypes become one, as in a formula") {
    const Tensor x = tensor({0.5, -1, 2}), wide = cast(x, Dtype::float64),
                 target = tensor({0.25, 1, 0.5}, Dtype::float64), whole = tensor({1, 0, 1}, Dtype::int64);
    const Loss losses[] = {
        [](auto&&... a) { return mse_loss(a...); },
        [](auto&&... a) { return l1_loss(a...); },
        [](auto&&... a) { return kl_div(a...); },
        [](const auto& x, const auto& t, Reduction r) { return huber_loss(x, t, 1, r); },
        [](const auto& x, const auto& t, Reduction r) { return hinge_loss(x, t, 1, r); },
        [](const auto& x, const auto& t, Reduction r) { return binary_cross_entropy_with_logits(x, t, 2, r); }};
    for (const Loss& loss : losses)
        for (const Reduction reduction : {Reduction::none, Reduction::mean, Reduction::sum}) {
            CHECK(loss(x, target, reduction).dtype() == Dtype::float64);
            CHECK(elements(loss(x, target, reduction)) == elements(loss(wide, target, reduction)));
            CHECK(loss(x, whole, reduction).dtype() == Dtype::float32);
            CHECK(elements(loss(x, whole, reduction)) == elements(loss(x, cast(whole, Dtype::float32), reduction)));
            CHECK_THROWS_AS(loss(whole, whole, reduction), DtypeError);
        }
    // Each operand's derivative has its own dtype.
    const auto slopes = gradients([](const auto& in) { return mse_loss(in[0], in[1], Reduction::sum); }, {x, target},
                                  scalar(1, Dtype::float64));
    CHECK(slopes[0].dtype() == Dtype::float32);
    CHECK(elements(slopes[0]) == Values{0.5, -4, 3});
    CHECK(slopes[1].dtype() == Dtype::float64);
}

TEST_CASE("cosine_similarity: operands broadcast before the axis is taken") {
    const Tensor x = sample_values({2, 1, 3}, 0.2, 1, 1), y = sample_values({4, 3}, -1, -0.2, 2);
    const Tensor each = cosine_similarity(x, y);
    CHECK(each.shape() == Shape{2, 4});
    for_each_index({2, 4}, [&](const Shape& at) {
        double inner = 0, of_x = 0, of_y = 0;
        for (std::int64_t i = 0; i < 3; ++i) {
            const double a = element(x, {at[0], 0, i}), b = element(y, {at[1], i});
            inner += a * b;
            of_x += a * a;
            of_y += b * b;
        }
        CHECK(element(each, at) == doctest::Approx(inner / std::sqrt(of_x * of_y)).epsilon(1e-12));
    });
    // An operand of length 1 is as long as the other: [1, 1] beside [3, 4].
    CHECK(cosine_similarity(tensor({3, 4}), tensor({1})).item() == doctest::Approx(7 / (5 * std::sqrt(2))));
    CHECK(cosine_similarity(x, y, 0).shape() == Shape{4, 3});
    check_refused<ShapeError>("cosine_similarity: shapes do not broadcast: [2] and [3] (2 != 3)",
                              [&] { cosine_similarity(ones({2}), ones({3})); });
    check_refused<ShapeError>("cosine_similarity: axis 1 does not exist in a tensor of 1 axes",
                              [&] { cosine_similarity(ones({3}), ones({3}), 1); });
}
