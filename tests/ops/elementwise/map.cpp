#include "ops/brute_force.hpp"

#include <tuple>
#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/ops/elementwise/map.hpp>
#include <wengert/ops/products/threads.hpp>
#include <wengert/ops/reduce/reductions.hpp>

using namespace brute_force;

namespace {

/// A formula of any number of operands in which each has another derivative.
struct Nested {
    template <class V, class... Rest>
    auto operator()(const V& x, const Rest&... rest) const {
        if constexpr (sizeof...(Rest) == 0)
            return x * x;
        else
            return x * (*this)(rest...) + x;
    }
};
double nested(const Values& x, std::size_t i = 0) {
    return i + 1 == x.size() ? x[i] * x[i] : x[i] * nested(x, i + 1) + x[i];
}

constexpr auto gru = [](auto xr, auto xz, auto xn, auto hr, auto hz, auto hn, auto h) {
    const auto r = sigmoid(xr + hr);
    const auto z = sigmoid(xz + hz);
    const auto n = tanh(xn + r * hn);
    return n + z * (h - n);
};
Tensor fused_gru(const std::vector<Tensor>& in) { return map(gru, in[0], in[1], in[2], in[3], in[4], in[5], in[6]); }
Tensor composed_gru(const std::vector<Tensor>& in) {
    const Tensor r = sigmoid(in[0] + in[3]), z = sigmoid(in[1] + in[4]), n = tanh(in[2] + r * in[5]);
    return n + z * (in[6] - n);
}

constexpr auto score = [](auto v, auto key, auto query) { return v * tanh(key + query); };
constexpr auto square_product = [](auto a, auto b) { return a * a * b + a; };

std::vector<Tensor> second_gradients(Tensor (*f)(const std::vector<Tensor>&), const std::vector<Tensor>& in) {
    Tape tape;
    for (const Tensor& x : in) tape.watch(x);
    const Tensor y = f(in);
    std::vector<Tensor> first = tape.gradient(y, in, {.create_graph = true, .cotangent = cotangent_of(y)});
    Tensor total = scalar(0, in[0].dtype());
    for (std::size_t k = 0; k < first.size(); ++k) total = total + sum(first[k] * cotangent_of(first[k], 10 + k));
    return tape.gradient(total, in);
}

void check_same(Tensor (*f)(const std::vector<Tensor>&), Tensor (*g)(const std::vector<Tensor>&),
                const std::vector<Tensor>& in) {
    const Tensor y = f(in), ct = cotangent_of(y);
    check_close(y, elements(g(in)), 8, 1);
    const auto first = gradients(f, in, ct), want = gradients(g, in, ct);
    const auto second = second_gradients(f, in), want_second = second_gradients(g, in);
    for (std::size_t k = 0; k < in.size(); ++k) {
        CAPTURE(k);
        CHECK(first[k].shape() == in[k].shape());
        check_close(first[k], elements(want[k]), 64, 1);
        check_close(second[k], elements(want_second[k]), 64, 1);
    }
}

}  // namespace

TEST_CASE("map: one to nine operands, each broadcast in its own way") {
    const std::vector<Shape> shapes{{2, 3, 5}, {5}, {3, 1}, {}, {2, 1, 1}, {1, 3, 5}, {2, 3, 5}, {1}, {3, 5}};
    const auto check = [&]<std::size_t... k>(std::index_sequence<k...>, Dtype dtype) {
        constexpr std::size_t n = sizeof...(k);
        CAPTURE(n);
        std::vector<Tensor> in;
        for (std::size_t i = 0; i < n; ++i) in.push_back(laid_out(shapes[i], static_cast<int>(i) % layouts, i, dtype));
        Values want;
        for_each_index(shapes[0], [&](const Shape& index) { want.push_back(nested({element(in[k], index)...})); });
        const auto f = [](const std::vector<Tensor>& x) { return map(Nested{}, x[k]...); };
        check_close(f(in), want, 8, 1);
        if (dtype != Dtype::float64) return;
        const GradcheckResult result = gradcheck(f, in);
        CHECK_MESSAGE(result.passed, result.message);
    };
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        check(std::make_index_sequence<1>{}, dtype);
        check(std::make_index_sequence<2>{}, dtype);
        check(std::make_index_sequence<3>{}, dtype);
        check(std::make_index_sequence<5>{}, dtype);
        check(std::make_index_sequence<9>{}, dtype);
    }
}

TEST_CASE("map: a GRU cell agrees with its composition in value, first and second derivative") {
    for (const std::int64_t width : {1, 5, 40}) {
        std::vector<Tensor> in;
        for (std::uint64_t k = 0; k < 7; ++k) in.push_back(sample_values({3, width}, -2, 2, k));
        check_same(fused_gru, composed_gru, in);
    }
    std::vector<Tensor> in;
    const Tensor x = sample_values({3, 12}, -2, 2, 1), h = sample_values({1, 12}, -2, 2, 2);
    for (const Tensor& gates : {x, h})
        for (int k = 0; k < 3; ++k) in.push_back(slice(gates, 1, 4 * k, 4 * k + 4));
    in.push_back(sample_values({4}, -2, 2, 3));
    check_same(fused_gru, composed_gru, in);
}

TEST_CASE("map: 32 operands") {
    const auto check = []<std::size_t... k>(std::index_sequence<k...>) {
        std::vector<Tensor> in;
        for (std::size_t i = 0; i < 32; ++i) in.push_back(sample_values(i % 3 == 0 ? Shape{5} : Shape{2, 5}, -1, 1, i));
        Values want;
        for_each_index({2, 5}, [&](const Shape& index) { want.push_back(nested({element(in[k], index)...})); });
        const auto f = [](const std::vector<Tensor>& x) { return map(Nested{}, x[k]...); };
        check_close(f(in), want, 8, 1);
        const GradcheckResult result = gradcheck(f, in);
        CHECK_MESSAGE(result.passed, result.message);
    };
    check(std::make_index_sequence<32>{});
}

TEST_CASE("map: several results are one op, whose slices they are") {
    constexpr auto lstm = [](auto i, auto f, auto g, auto o, auto c) {
        const auto next = sigmoid(f) * c + sigmoid(i) * tanh(g);
        return std::tuple{next, sigmoid(o) * tanh(next)};
    };
    const auto fused = [&](const std::vector<Tensor>& in) {
        const auto [c, h] = map(lstm, in[0], in[1], in[2], in[3], in[4]);
        return concat({c, h * 2}, -1);
    };
    const auto composed = [](const std::vector<Tensor>& in) {
        const Tensor c = sigmoid(in[1]) * in[4] + sigmoid(in[0]) * tanh(in[2]), h = sigmoid(in[3]) * tanh(c);
        return concat({c, h * 2}, -1);
    };
    for (const std::int64_t width : {1, 5, 40}) {
        std::vector<Tensor> in;
        for (std::uint64_t k = 0; k < 5; ++k) in.push_back(sample_values({3, width}, -2, 2, k));
        check_close(fused(in), elements(composed(in)), 8, 1);
        const GradcheckResult result = gradcheck(fused, in, {.order = 2});
        CHECK_MESSAGE(result.passed, result.message);
    }
    const std::vector<Tensor> mixed{laid_out({3, 4}, 1, 1), laid_out({4}, 2, 2), laid_out({3, 1}, 3, 3),
                                    laid_out({}, 0, 4), laid_out({3, 4}, 2, 5)};
    check_close(fused(mixed), elements(composed(mixed)), 8, 1);
    CHECK(gradcheck(fused, mixed, {.order = 2}).passed);

    Tape tape;
    tape.watch(mixed[4]);
    const auto [c, h] = map(lstm, mixed[0], mixed[1], mixed[2], mixed[3], mixed[4]);
    CHECK(tape.size() == 4);  // the watched leaf, the formula, its two slices
    CHECK(c.shares_storage(h));
    const Tensor of_one = tape.gradient(sum(c), mixed[4]);
    check_close(of_one, elements(expand(sigmoid(mixed[1]), {3, 4})), 4);
}

TEST_CASE("map: results that depend on the same operands may be an array") {
    const Tensor x = sample_values({7}, -2, 2, 1), y = sample_values({7}, -2, 2, 2);
    const auto f = [](const std::vector<Tensor>& in) {
        const std::array<Tensor, 2> r = map(
            [](auto a, auto b) {
                return std::array{a * b, a / (b * b + 1)};
            },
            in[0], in[1]);
        return r[0] * sin(r[1]);
    };
    CHECK(gradcheck(f, {x, y}, {.order = 2}).passed);
}

TEST_CASE("map: a loop over operands starts from the type of all of them") {
    const auto norm = [](const auto&... x) {
        std::common_type_t<std::remove_cvref_t<decltype(x)>...> total = 0.0;
        ((total += x * x), ...);
        return sqrt(total + 1.0);
    };
    const auto f = [&](const std::vector<Tensor>& in) { return map(norm, in[0], in[1], in[2]); };
    const std::vector<Tensor> in{sample_values({9}, -2, 2, 1), sample_values({9}, -2, 2, 2),
                                 sample_values({9}, -2, 2, 3)};
    check_close(f(in), elements(sqrt(in[0] * in[0] + in[1] * in[1] + in[2] * in[2] + 1.0)), 4);
    const GradcheckResult result = gradcheck(f, in, {.order = 2});
    CHECK_MESSAGE(result.passed, result.message);
}

TEST_CASE("map: a condition on numbers beside one on operands has the operands' dtype in a recorded pass") {
    const auto f = [](auto x) {
        const std::common_type_t<decltype(x)> none = 0.0;
        return where(none > 1.0 || x > 0.0, 1.0, 0.5) * x * x;
    };
    const Tensor x = tensor({-1, 2}, Dtype::float32);
    Tape tape;
    tape.watch(x);
    CHECK(elements(tape.gradient(sum(map(f, x)), x, {.create_graph = true})) == Values{-1, 4});
}

TEST_CASE("sum: over everything it is the same for any number of threads") {
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        const Tensor x = laid_out({700, 301}, 2, 1, dtype);
        std::vector<double> sums;
        for (const int threads : {1, 2, 3}) {
            set_thread_count(threads);
            sums.push_back(sum(x).item());
        }
        set_thread_count(2);
        CHECK(sums[0] == sums[1]);
        CHECK(sums[0] == sums[2]);
        double want = 0;
        for (const double v : elements(x)) want += v;
        CHECK(sums[0] == doctest::Approx(want).epsilon(dtype == Dtype::float32 ? 1e-6 : 1e-12));
    }
}

TEST_CASE("map_sum: Bahdanau's score agrees with its composition in value, first and second derivative") {
    const auto fused = [](const std::vector<Tensor>& in) { return map_sum(score, -1, in[0], in[1], in[2]); };
    const auto composed = [](const std::vector<Tensor>& in) { return sum(in[0] * tanh(in[1] + in[2]), -1); };
    for (const std::int64_t width : {1, 7, 40})
        check_same(fused, composed,
                   {sample_values({width}, -1, 1, 1), sample_values({2, 5, width}, -2, 2, 2),
                    sample_values({2, 1, width}, -2, 2, 3)});
}

TEST_CASE("map_sum: every set of axes") {
    const Tensor a = laid_out({2, 3, 4}, 1, 1), b = laid_out({3, 1}, 2, 2);
    for (int set = 0; set < 8; ++set) {
        for (const bool keepdim : {false, true}) {
            CAPTURE(set);
            CAPTURE(keepdim);
            ReductionAxes axes;
            Shape kept{2, 3, 4}, reduced;
            for (int axis = 0; axis < 3; ++axis) {
                if (set >> axis & 1)
                    axes.add(axis % 2 == 0 ? axis : axis - 3), kept[axis] = 1;
                else
                    reduced.push_back(kept[axis]);
            }
            Values want(static_cast<std::size_t>(kept.numel()));
            const Shape strides = contiguous_strides(kept);
            for_each_index({2, 3, 4}, [&](const Shape& index) {
                const double x = element(a, index), y = element(b, index);
                want[static_cast<std::size_t>(broadcast_offset(kept, strides, index))] += x * x * y + x;
            });
            const auto f = [&](const std::vector<Tensor>& in) {
                return map_sum(square_product, axes.keeping_dims(keepdim), in[0], in[1]);
            };
            const Tensor y = f({a, b});
            CHECK(y.shape() == (keepdim ? kept : reduced));
            check_close(y, want, 16, 1);
            check_close(
                map_sum(square_product, axes.keeping_dims(keepdim), cast(a, Dtype::float32), cast(b, Dtype::float32)),
                want, 16, 1);
            const GradcheckResult result = gradcheck(f, {a, b}, {.order = 2});
            CHECK_MESSAGE(result.passed, result.message);
        }
    }
}

TEST_CASE("map: operands that are parts of one tensor, or the same") {
    struct Case {
        std::string name;
        Tensor (*f)(const std::vector<Tensor>&);
    };
    const std::vector<Case> cases{
        {"the same twice", [](const auto& in) { return map(square_product, in[0], in[0]); }},
        {"overlapping rows",
         [](const auto& in) { return map(square_product, slice(in[0], 0, 0, 3), slice(in[0], 0, 1, 4)); }},
        {"overlapping columns",
         [](const auto& in) { return map(square_product, slice(in[0], 1, 0, 3), slice(in[0], 1, 1, 4)); }},
        {"columns side by side",
         [](const auto& in) { return map(square_product, slice(in[0], 1, 0, 2), slice(in[0], 1, 2, 4)); }},
        {"a slice and all", [](const auto& in) { return map(square_product, slice(in[0], 0, 1, 2), in[0]); }},
        {"all and a slice", [](const auto& in) { return map(square_product, in[0], slice(in[0], 1, 1, 2)); }},
        {"a row and a column",
         [](const auto& in) { return map(square_product, select(in[0], 0, 1), unsqueeze(select(in[0], 1, 2), 1)); }},
        {"itself transposed", [](const auto& in) { return map(square_product, in[0], transpose(in[0])); }},
        {"stretched",
         [](const auto& in) {
             return map(square_product, expand(select(in[0], 0, 0), {4, 4}), in[0]);
         }},
        {"slices of overlapping slices",
         [](const auto& in) {
             const Tensor a = slice(in[0], 0, 0, 3), b = slice(in[0], 0, 1, 4);
             const Tensor y = map(square_product, slice(a, 1, 1, 4), slice(b, 1, 0, 3));
             return sum(y * y) + sum(a * b * a);
         }},
    };
    const Tensor x = sample_values({4, 4}, -2, 2, 1);
    for (const Case& c : cases) {
        CAPTURE(c.name);
        const GradcheckResult result = gradcheck(c.f, {x}, {.order = 2});
        CHECK_MESSAGE(result.passed, result.message);
    }
}

TEST_CASE("map: targets that overlap are never written in one pass") {
    const Tensor buffer = zeros({64});
    const auto part = [&](const Shape& shape, const Shape& strides, std::int64_t offset) {
        return Destination{buffer.view(shape, strides, offset), true};
    };
    // Against a count of the elements that both have.
    for (const Shape& strides : {Shape{6, 1}, Shape{3, 1}, Shape{1, 6}, Shape{12, 2}, Shape{2, 1}}) {
        for (std::int64_t distance = 0; distance < 30; ++distance) {
            const Shape shape{2, 3};
            std::vector<int> uses(64);
            for (const std::int64_t offset : {std::int64_t{0}, distance})
                for_each_index(shape, [&](const Shape& i) {
                    ++uses[static_cast<std::size_t>(offset + i[0] * strides[0] + i[1] * strides[1])];
                });
            const bool apart = std::ranges::count(uses, 2) == 0 && std::ranges::count(uses, 1) == 12;
            const bool may = may_interleave(part(shape, strides, 0), part(shape, strides, distance));
            CAPTURE(to_string(strides));
            CAPTURE(distance);
            CHECK(may == may_interleave(part(shape, strides, distance), part(shape, strides, 0)));
            CHECK((!may || apart || distance == 0));
            if (strides == Shape{6, 1}) CHECK(may == (apart || distance == 0));
        }
    }
    CHECK(may_interleave(part({2, 0}, {0, 1}, 0), part({2, 0}, {0, 1}, 3)));
    CHECK_FALSE(may_interleave(part({2, 3}, {6, 1}, 0), part({2, 2}, {6, 1}, 30)));
}

TEST_CASE("map: long rows that are summed stay exact in float32, forward and backward") {
    const Tensor x = full({1000000}, 0.1), one = scalar(1);
    const double want = 1e6 * static_cast<double>(0.1f);
    CHECK(sum(x).item() == doctest::Approx(want).epsilon(1e-6));
    CHECK(gradients([&](const auto& in) { return in[0] * x; }, {one}, ones({1000000}))[0].item() ==
          doctest::Approx(want).epsilon(1e-6));
}

TEST_CASE("map: a constant in the formula is no operand, and may be captured") {
    const double slope = 0.25;
    const auto leaky = [slope](auto x) { return where(x > 0.0, x, slope * x); };
    const Tensor x = tensor({-4, 2}, Dtype::float64);
    CHECK(elements(map(leaky, x)) == Values{-1, 2});
    const auto g = gradients([&](const auto& in) { return map(leaky, in[0]); }, {x}, ones({2}, Dtype::float64));
    CHECK(elements(g[0]) == Values{0.25, 1});
}

TEST_CASE("map: a function that is not taken does not reach the gradient") {
    const auto safe_log = [](auto x) { return where(x > 0.0, log(x), 0.0); };
    const Tensor x = tensor({0, -1, 2}, Dtype::float64);
    const auto g = gradients([&](const auto& in) { return map(safe_log, in[0]); }, {x}, ones({3}, Dtype::float64));
    CHECK(elements(g[0]) == Values{0, 0, 0.5});
}

TEST_CASE("map: what does not fit is refused with the caller's line") {
    const Tensor x = ones({2, 3});
    check_refused<ShapeError>("map: shapes do not broadcast: [2, 3] and [2] (3 != 2)",
                              [&] { map(square_product, x, ones({2})); });
    check_refused<DtypeError>("map: an operand is int64; float32 or float64 is needed",
                              [&] { map(square_product, arange(3), arange(3)); });
    check_refused<ValueError>("map: all operands are numbers", [&] { map(square_product, 1, 2); });
    check_refused<ShapeError>("map_sum: axis 2 does not exist in a tensor of 2 axes",
                              [&] { map_sum(square_product, 2, x, x); });
}

TEST_CASE("map: sums along several axes stay exact in float32") {
    const double tenth = static_cast<double>(0.1f);
    const Tensor x = full({200, 2, 200, 2}, 0.1), y = full({64, 2, 64, 2, 64, 2}, 0.1);
    for (const double v : elements(sum(x, {0, 2}))) CHECK(v == doctest::Approx(40000 * tenth).epsilon(2e-6));
    for (const double v : elements(sum(y, {0, 2, 4}))) CHECK(v == doctest::Approx(64 * 64 * 64 * tenth).epsilon(2e-6));
    const Tensor z = sample_values({300, 3, 40, 5}, 0, 1, 1);
    check_close(sum(cast(z, Dtype::float32), {0, 2}), elements(sum(z, {0, 2})), 16);
}

TEST_CASE("map: the cotangent of what is broadcast over many rows stays exact in float32") {
    const Tensor x = full({400000, 2}, 0.1), b = full({2}, 1), c = full({400, 1, 2}, 1);
    const double tenth = static_cast<double>(0.1f);
    const auto product = [](const auto& in) { return in[0] * in[1]; };
    // Blocks of some 600 rows round so many times in one direction.
    for (const double g : elements(gradients(product, {x, b}, ones({400000, 2}))[1]))
        CHECK(g == doctest::Approx(400000 * tenth).epsilon(2e-5));
    const Tensor cube = full({400, 3000, 2}, 0.1);
    const std::vector<Tensor> g =
        gradients([](const auto& in) { return in[0] * in[1] * in[2]; }, {cube, b, c}, ones({400, 3000, 2}));
    for (const double v : elements(g[1])) CHECK(v == doctest::Approx(1200000 * tenth).epsilon(1e-5));
    for (const double v : elements(g[2])) CHECK(v == doctest::Approx(3000 * tenth).epsilon(1e-5));
    for (const double v : elements(g[0])) CHECK(v == 1);
    // Against float64, with values that differ.
    const Tensor p = sample_values({5000, 3}, 0, 1, 1), q = sample_values({3}, 0, 1, 2),
                 ct = sample_values({5000, 3}, 0, 1, 3);
    const auto exact = gradients(product, {p, q}, ct);
    const auto got = gradients(product, {cast(p, Dtype::float32), cast(q, Dtype::float32)}, cast(ct, Dtype::float32));
    for (std::size_t k = 0; k < 2; ++k)
        for (std::size_t i = 0; i < elements(got[k]).size(); ++i)
            CHECK(elements(got[k])[i] == doctest::Approx(elements(exact[k])[i]).epsilon(1e-5));
}

TEST_CASE("map: threads add to the right part of a cotangent when a long axis is cut into blocks") {
    const Threads two(2);
    const std::vector<Tensor> in{sample_values({400, 3000, 2}, 0, 1, 1), sample_values({2}, 0, 1, 2),
                                 sample_values({1, 3000, 2}, 0, 1, 3)};
    const auto product = [](const auto& x) { return x[0] * x[1] * x[2]; };
    const auto triple = [&](const auto& x) {
        return map([](auto a, auto b, auto c) { return a * b * c; }, x[0], x[1], x[2]);
    };
    const auto exact = gradients(product, in, ones({400, 3000, 2}, Dtype::float64));
    std::vector<Tensor> single;
    for (const Tensor& x : in) single.push_back(cast(x, Dtype::float32));
    const auto got = gradients(triple, single, ones({400, 3000, 2}));
    for (std::size_t k = 0; k < in.size(); ++k) {
        CAPTURE(k);
        check_close(got[k], elements(exact[k]), 64);
    }
}
