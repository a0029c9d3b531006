#include <doctest/doctest.h>

#include <random>
#include <wengert/autograd/tape/tape.hpp>

#include "autograd/tiny_ops.hpp"

using namespace tiny;

namespace {

/// Hands over the last handle of a tensor whose elements all stand at one place.
struct Mean {
    static constexpr std::string_view name = "mean";
    static constexpr Saves saves = Saves::nothing;
    Shape shape(const Inputs&) const { return {}; }
    void forward(const Inputs& in, const Destination& out) const {
        write(scale(sum(in[0]), 1.0 / static_cast<double>(in[0].numel())), out);
    }
    void vjp(Backward& back) const {
        const auto share = [&] {
            const Tensor one = scale(back.cotangent(), 1.0 / static_cast<double>(back.input_shape(0).numel()));
            return expand(one, back.input_shape(0));
        };
        back.add(0, share());
    }
};
Tensor mean(const Input& x) { return apply(Mean{}, {&x.tensor()}, x.where()); }

/// Its rule contributes a tensor of the wrong shape.
struct Misshapen {
    static constexpr std::string_view name = "misshapen";
    static constexpr Saves saves = Saves::nothing;
    Shape shape(const Inputs& in) const { return in[0].shape(); }
    void forward(const Inputs& in, const Destination& out) const { write(in[0], out); }
    void vjp(Backward& back) const { back.add(0, zeros({7}, Dtype::float64)); }
};

/// Copies rows, and notes which rows of the cotangent nothing contributed to.
struct Rows {
    static constexpr std::string_view name = "rows";
    static constexpr Saves saves = Saves::nothing;
    std::vector<bool>* unset;
    static bool reads_parts() { return true; }
    Shape shape(const Inputs& in) const { return in[0].shape(); }
    void forward(const Inputs& in, const Destination& out) const { write(in[0], out); }
    void vjp(Backward& back) const {
        const Tensor part = zeros(back.input_shape(0), Dtype::float64);
        for (std::int64_t i = 0; i < part.shape()[0]; ++i) {
            unset->push_back(back.is_unset(i));
            if (unset->back()) continue;
            const Slice row{0, i, i + 1};
            write(row.view(back.cotangent()), {row.view(part)});
        }
        back.add(0, part);
    }
};

}  // namespace

TEST_CASE("cotangents: a rule that reads parts is told which nothing contributed to") {
    const Tensor x = matrix({1, 2, 3, 4, 5, 6}, 3);
    std::vector<bool> unset;
    const auto gradient = [&](const auto& f, const GradientOptions& options = {}) {
        unset.clear();
        Tape tape;
        tape.watch(x);
        return elements(tape.gradient(sum(f(apply(Rows{&unset}, {&x}, std::source_location::current()))), x, options));
    };
    const auto last = [](const Tensor& y) { return slice(y, 0, 2, 3); };
    CHECK(gradient(last) == Values{0, 0, 0, 0, 1, 1});
    CHECK(unset == std::vector<bool>{true, true, false});
    CHECK(gradient([&](const Tensor& y) { return add(scale(slice(y, 0, 0, 1), 3), last(y)); }) ==
          Values{3, 3, 0, 0, 1, 1});
    CHECK(unset == std::vector<bool>{false, true, false});
    CHECK(gradient(last, {.create_graph = true}) == Values{0, 0, 0, 0, 1, 1});
    CHECK(unset == std::vector<bool>{true, true, false});
    const auto overlapping = [](const Tensor& y) { return add(slice(y, 0, 0, 2), slice(y, 0, 1, 3)); };
    CHECK(gradient(overlapping, {.create_graph = true}) == Values{1, 1, 2, 2, 1, 1});
    CHECK(unset == std::vector<bool>(3, false));
    // A part of a part, another axis, and the whole.
    const std::vector<bool> none(3, false);
    CHECK(gradient([&](const Tensor& y) { return slice(last(y), 1, 1, 2); }) == Values{0, 0, 0, 0, 0, 1});
    CHECK(unset[2] == false);
    CHECK(gradient([](const Tensor& y) { return slice(y, 1, 1, 2); }) == Values{0, 1, 0, 1, 0, 1});
    CHECK(unset == none);
    CHECK(gradient([](const Tensor& y) { return y; }) == Values{1, 1, 1, 1, 1, 1});
    CHECK(unset == none);
}

TEST_CASE("cotangents: the base is used directly too, before and after its slices") {
    const Tensor x = vector({1, 2, 3});
    Tape tape;
    tape.watch(x);
    const Tensor before = tiny::scale(x, 2);
    const Tensor part = slice(x, 0, 1, 3);
    const Tensor after = mul(x, x);
    const Tensor y = add(add(sum(before), sum(scale(part, 5))), sum(after));
    CHECK(elements(tape.gradient(y, x)) == Values{4, 11, 13});
}

TEST_CASE("cotangents: a view of everything, twice") {
    const Tensor x = matrix({1, 2, 3, 4}, 2);
    Tape tape;
    tape.watch(x);
    const Tensor a = transpose(x), b = transpose(x);
    const Tensor y = add(mul(a, a), scale(mul(b, a), 10));
    CHECK(elements(tape.gradient(y, x, {.cotangent = matrix({1, 2, 3, 4}, 2)})) ==
          Values{22 * 1, 22 * 2 * 3, 22 * 3 * 2, 22 * 4 * 4});
}

TEST_CASE("cotangents: a wanted value in the middle, which may be a view") {
    const Tensor x = vector({1, 2, 3, 4});
    Tape tape;
    tape.watch(x);
    const Tensor part = slice(x, 0, 1, 3), y = add(sum(mul(part, part)), sum(x));
    const std::vector<Tensor> g = tape.gradient(y, {x, part, y, part});
    CHECK(elements(g[0]) == Values{1, 5, 7, 1});
    CHECK(elements(g[1]) == Values{4, 6});
    CHECK(elements(g[2]) == Values{1});
    CHECK(elements(g[3]) == Values{4, 6});
}

TEST_CASE("cotangents: a view of a wanted value") {
    const Tensor x = vector({1, 2, 3, 4});
    Tape tape;
    tape.watch(x);
    const Tensor middle = scale(x, 2), outer = slice(middle, 0, 0, 3), inner = slice(outer, 0, 1, 3);
    const Tensor y = add(sum(mul(inner, inner)), sum(outer));
    const std::vector<Tensor> g = tape.gradient(y, {middle, outer, x});
    CHECK(elements(g[0]) == Values{1, 9, 13, 0});
    CHECK(elements(g[1]) == Values{1, 9, 13});
    CHECK(elements(g[2]) == Values{2, 18, 26, 0});
}

TEST_CASE("cotangents: gradients share memory neither with each other nor with the cotangent") {
    const Tensor a = vector({1, 2}), b = vector({3, 4}), cotangent = vector({5, 6});
    Tape tape;
    tape.watch(a);
    tape.watch(b);
    const auto independent = [&](const Tensor& y, const std::vector<Tensor>& inputs) {
        std::vector<Tensor> g = tape.gradient(y, inputs, {.retain_graph = true, .cotangent = cotangent});
        std::vector<Values> before;
        for (const Tensor& gradient : g) before.push_back(elements(gradient));
        for (std::size_t i = 0; i < g.size(); ++i) {
            g[i].fill(-1);
            for (std::size_t k = i + 1; k < g.size(); ++k) {
                CHECK(elements(g[k]) == before[k]);
                CHECK_FALSE(g[k].shares_storage(g[i]));
            }
        }
        CHECK(elements(cotangent) == Values{5, 6});
    };
    const Tensor y = add(a, b);
    independent(y, {a, b});
    independent(y, {a, a, y, y});
    independent(a, {a});
    independent(slice(concat(a, b), 0, 1, 3), {b, a});
    const Tensor joined = concat(slice(a, 0, 0, 1), slice(b, 0, 0, 1));
    independent(joined, {joined, a, b});
}

TEST_CASE("cotangents: contributions are added in place without touching what others still read") {
    const Tensor x = vector({1, 2});
    Tape tape;
    tape.watch(x);
    const Tensor a = scale(x, 2), b = scale(x, 3);
    const Tensor shared = add(a, b);                  // both get the same cotangent
    const Tensor y = add(add(shared, a), mul(b, b));  // and then each something else
    CHECK(elements(tape.gradient(y, x, {.cotangent = vector({1, 10})})) == Values{7 + 18, 70 + 360});
}

TEST_CASE("cotangents: a contribution that stretches one element is not added to in place") {
    const Tensor x = vector({1, 2, 3});
    Tape tape;
    tape.watch(x);
    for (const Tensor& y : {add(sum(mul(x, x)), mean(x)), add(mean(x), sum(mul(x, x)))}) {
        const Values g = elements(tape.gradient(y, x));
        for (const std::size_t i : {0, 1, 2})
            CHECK(g[i] == doctest::Approx(2 * elements(x)[i] + 1.0 / 3).epsilon(1e-15));
    }
}

TEST_CASE("cotangents: views in which elements repeat") {
    const Tensor x = scalar(3, Dtype::float64);
    Tape tape;
    tape.watch(x);
    const Tensor wide = expand(x, {2, 2}), y = sum(mul(wide, wide));
    const std::vector<Tensor> g = tape.gradient(y, {x, wide});
    CHECK(g[0].item() == 24);
    CHECK(elements(g[1]) == Values{6, 6, 6, 6});
}

TEST_CASE("cotangents: parts of a cotangent are given away") {
    const Tensor a = vector({1, 2}), b = vector({3, 4, 5});
    Tape tape;
    tape.watch(a);
    tape.watch(b);
    const Tensor squares = mul(a, a), joined = concat(squares, b);
    const Tensor y = add(sum(mul(joined, joined)), sum(squares));
    const std::vector<Tensor> g = tape.gradient(y, {a, b, joined});
    CHECK(elements(g[0]) == Values{(2 + 1) * 2, (8 + 1) * 4});
    CHECK(elements(g[1]) == Values{6, 8, 10});
    CHECK(elements(g[2]) == Values{2, 8, 6, 8, 10});
    const Tensor twice = concat(a, a);
    CHECK(elements(tape.gradient(mul(twice, twice), a, {.cotangent = vector({1, 10, 100, 1000})})) ==
          Values{2 + 200, 40 + 4000});
}

TEST_CASE("cotangents: products with one weight are queued and computed together") {
    const Tensor w = matrix({0.5, -1, 2, 0.25}, 2), h0 = matrix({1, 2}, 1);
    const auto run = [&](const Tensor& weight) {
        Tensor h = h0;
        for (int t = 0; t < 4; ++t) h = product(h, weight);
        return h;
    };
    Tape tape;
    tape.watch(w);
    const Tensor cotangent = matrix({1, 3}, 1);
    SUBCASE("the weight itself") {
        const int before = Product::merged;
        const Tensor y = run(w);
        const Tensor plain = tape.gradient(y, w, {.retain_graph = true, .cotangent = cotangent});
        CHECK(Product::merged - before == 4);
        const Tensor recorded = tape.gradient(y, w, {.create_graph = true, .cotangent = cotangent});
        CHECK(Product::merged - before == 4);
        CHECK(elements(plain) == elements(recorded));
    }
    SUBCASE("a view of it") {
        const int before = Product::merged;
        const Tensor y = run(transpose(w));
        const Tensor plain = tape.gradient(y, w, {.retain_graph = true, .cotangent = cotangent});
        CHECK(Product::merged - before == 4);
        CHECK(elements(plain) == elements(tape.gradient(y, w, {.create_graph = true, .cotangent = cotangent})));
    }
    SUBCASE("with shapes that do not go together, and other uses beside") {
        const Tensor wide = matrix({1, 2, 3, 4, 5, 6}, 3);
        const Tensor y = add(sum(product(h0, w)), add(sum(product(wide, w)), add(sum(mul(w, w)), sum(product(h0, w)))));
        const int before = Product::merged;
        CHECK(elements(tape.gradient(y, w)) == Values{1 + 9 + 1 + 1, 1 + 9 + 1 - 2, 2 + 12 + 2 + 4, 2 + 12 + 2 + 0.5});
        CHECK(Product::merged - before == 2);
    }
    SUBCASE("a single use is computed at once") {
        const int before = Product::merged;
        tape.gradient(product(h0, w), w, {.cotangent = cotangent});
        CHECK(Product::merged == before);
    }
}

TEST_CASE("cotangents: a contribution of the wrong shape is the op's error") {
    const Tensor x = vector({1, 2});
    Tape tape;
    tape.watch(x);
    const Tensor y = apply(Misshapen{}, {&x}, SourceLine(std::source_location::current()));
    const std::string where = at_line(-1);
    CHECK_THROWS_WITH_AS(tape.gradient(sum(y), x),
                         ("misshapen: a contribution of shape [7] to the cotangent of an operand [2]" + where).c_str(),
                         ShapeError);
}

TEST_CASE("cotangents: random programs of views agree with their recorded passes, which accumulate by ops") {
    for (std::uint32_t seed = 0; seed < 400; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        const auto below = [&](std::size_t n) { return random() % n; };
        Tape tape;
        std::vector<Tensor> pool;
        for (int i = 0; i < 2; ++i) {
            Tensor x = Tensor::empty({4, 4}, Dtype::float64);
            for (int k = 0; k < 16; ++k) x.mutable_data<double>()[k] = static_cast<double>(below(100)) / 50 - 1;
            tape.watch(x);
            pool.push_back(x);
        }
        while (pool.size() < 20) {
            const Tensor x = pool[below(pool.size())], y = pool[below(pool.size())];
            switch (below(6)) {
                case 0:
                    pool.push_back(transpose(x));
                    break;
                case 1:
                case 2: {
                    const int axis = static_cast<int>(below(2));
                    const auto n = static_cast<std::size_t>(x.shape()[axis]);
                    const auto begin = static_cast<std::int64_t>(below(n + 1));
                    const auto end = begin + static_cast<std::int64_t>(below(n + 1 - static_cast<std::size_t>(begin)));
                    pool.push_back(slice(x, axis, begin, end));
                    break;
                }
                case 3:
                    if (x.shape() == y.shape()) pool.push_back(below(2) == 0 ? add(x, y) : mul(x, y));
                    break;
                case 4:
                    if (x.shape()[1] == y.shape()[1] && x.shape()[0] + y.shape()[0] < 9) pool.push_back(concat(x, y));
                    break;
                case 5:
                    if (x.shape()[1] == y.shape()[0]) pool.push_back(tiny::tanh(product(x, y)));
                    break;
            }
        }
        Tensor loss = sum(pool.back());
        for (int i = 0; i < 6; ++i) {
            const Tensor x = pool[below(pool.size())];
            loss = add(loss, sum(below(2) == 0 ? x : mul(x, x)));
        }
        std::vector<Tensor> wanted{pool[0], pool[1]};
        for (int i = 0; i < 3; ++i) wanted.push_back(pool[below(pool.size())]);
        const std::vector<Tensor> plain = tape.gradient(loss, wanted, {.retain_graph = true});
        const std::vector<Tensor> recorded = tape.gradient(loss, wanted, {.create_graph = true});
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            const Values p = elements(plain[i]), r = elements(recorded[i]);
            REQUIRE(plain[i].shape() == wanted[i].shape());
            REQUIRE(p.size() == r.size());
            for (std::size_t k = 0; k < p.size(); ++k) REQUIRE(p[k] == doctest::Approx(r[k]).epsilon(1e-12));
        }
    }
}
