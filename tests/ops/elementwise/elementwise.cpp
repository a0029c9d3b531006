#include "ops/brute_force.hpp"

#include <set>

using namespace brute_force;

namespace {

using Binary = Tensor (*)(const Input&, const Input&);

struct BinaryCase {
    std::string name;
    Binary f;
    double (*want)(double, double);
};

const std::vector<BinaryCase> binaries{
    {"add", operator+, [](double x, double y) { return x + y; }},
    {"sub", operator-, [](double x, double y) { return x - y; }},
    {"mul", operator*, [](double x, double y) { return x * y; }},
    {"div", operator/, [](double x, double y) { return x / y; }},
    {"pow", [](const Input& x, const Input& y) -> Tensor { return pow(x, y); },
     [](double x, double y) { return std::pow(x, y); }},
    {"minimum", [](const Input& x, const Input& y) -> Tensor { return minimum(x, y); },
     [](double x, double y) { return std::min(x, y); }},
    {"maximum", [](const Input& x, const Input& y) -> Tensor { return maximum(x, y); },
     [](double x, double y) { return std::max(x, y); }},
    {"greater", operator>, [](double x, double y) { return x > y ? 1.0 : 0.0; }},
    {"greater_equal", operator>=, [](double x, double y) { return x >= y ? 1.0 : 0.0; }},
    {"less", operator<, [](double x, double y) { return x < y ? 1.0 : 0.0; }},
    {"less_equal", operator<=, [](double x, double y) { return x <= y ? 1.0 : 0.0; }},
    {"equal", operator==, [](double x, double y) { return x == y ? 1.0 : 0.0; }},
    {"not_equal", operator!=, [](double x, double y) { return x != y ? 1.0 : 0.0; }},
};

const std::set<std::string> differentiable{"add", "sub", "mul", "div", "pow", "minimum", "maximum"};

const std::vector<std::pair<Shape, Shape>> broadcasting{
    {{}, {}},
    {{1}, {}},
    {{5}, {5}},
    {{3, 4}, {}},
    {{3, 4}, {1}},
    {{3, 4}, {4}},
    {{3, 4}, {3, 1}},
    {{3, 1}, {1, 4}},
    {{1, 1}, {2, 33}},
    {{2, 1, 3}, {4, 1}},
    {{2, 3, 4}, {3, 1}},
    {{2, 3, 4}, {2, 1, 1}},
    {{0}, {1}},
    {{2, 0}, {2, 1}},
    {{0, 3}, {3}},
    {{1, 0}, {5, 1}},
    {{2, 1, 2, 1, 2, 1}, {1, 3, 1, 2, 1, 3}},
    {{2, 3, 2, 2, 2, 3}, {2, 1, 3}},
    {{1, 1, 1, 1, 1, 1}, {1}},
    {{70}, {3, 70}},
};

Values brute(const Tensor& x, const Tensor& y, const Shape& space, double (*f)(double, double)) {
    Values values;
    for_each_index(space, [&](const Shape& index) { values.push_back(f(element(x, index), element(y, index))); });
    return values;
}

/// The sum over a space of cotangent times factor, for each element of an operand that was stretched to it.
template <class Factor>
Values summed(const Shape& operand, const Tensor& cotangent, const Factor& factor) {
    Values sums(static_cast<std::size_t>(operand.numel()));
    const Shape strides = contiguous_strides(operand);
    for_each_index(cotangent.shape(), [&](const Shape& index) {
        sums[static_cast<std::size_t>(broadcast_offset(operand, strides, index))] +=
            element(cotangent, index) * factor(index);
    });
    return sums;
}

}  // namespace

TEST_CASE("elementwise: broadcasting, whatever the operands' places in memory") {
    for (const auto& [a, b] : broadcasting) {
        for (int layout = 0; layout < layouts * layouts; ++layout) {
            CAPTURE(to_string(a));
            CAPTURE(to_string(b));
            CAPTURE(layout);
            const Shape space = broadcast(a, b);
            for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
                const Tensor x = laid_out(a, layout % layouts, 1, dtype),
                             y = laid_out(b, layout / layouts, 2, dtype, 0.5, 2);
                for (const auto& [p, q] : {std::pair{x, y}, std::pair{y, x}}) {
                    const Tensor difference = p - q;
                    CHECK(difference.shape() == space);
                    CHECK(difference.dtype() == dtype);
                    check_close(difference, brute(p, q, space, [](double u, double v) { return u - v; }), 0.5);
                }
            }
        }
    }
}

TEST_CASE("elementwise: gradients under broadcasting") {
    for (const auto& [a, b] : broadcasting) {
        for (int layout = 0; layout < layouts; ++layout) {
            CAPTURE(to_string(a));
            CAPTURE(to_string(b));
            CAPTURE(layout);
            const Tensor x = laid_out(a, layout, 1), y = laid_out(b, layouts - 1 - layout, 2, Dtype::float64, 0.5, 2);
            const Tensor ct = laid_out(broadcast(a, b), layout, 3);
            const auto product = gradients([](const auto& in) { return in[0] * in[1]; }, {x, y}, ct);
            check_close(product[0], summed(a, ct, [&](const Shape& i) { return element(y, i); }), 64, 1);
            check_close(product[1], summed(b, ct, [&](const Shape& i) { return element(x, i); }), 64, 1);
            const auto difference = gradients([](const auto& in) { return in[0] - in[1]; }, {x, y}, ct);
            check_close(difference[0], summed(a, ct, [](const Shape&) { return 1; }), 64, 1);
            check_close(difference[1], summed(b, ct, [](const Shape&) { return -1; }), 64, 1);
        }
    }
}

TEST_CASE("elementwise: every function of two tensors") {
    const Tensor special = tensor({0.5, 0.25, 2, 2, 1, 1.5, 0.25, 3}, Dtype::float64);
    for (const BinaryCase& c : binaries) {
        CAPTURE(c.name);
        for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
            const Tensor x = concat({cast(sample_values({40}, 0.1, 3, 1), dtype), cast(special, dtype)}, 0);
            const Tensor y = concat({cast(sample_values({40}, 0.1, 3, 2), dtype), cast(special, dtype)}, 0);
            check_close(c.f(x, y), brute(x, y, x.shape(), c.want), 1);
        }
    }
}

TEST_CASE("elementwise: comparisons with a NaN") {
    const Tensor x = tensor({not_a_number, 1, not_a_number}, Dtype::float64);
    const Tensor y = tensor({1, not_a_number, not_a_number}, Dtype::float64);
    for (const BinaryCase& c : binaries) {
        if (differentiable.contains(c.name)) continue;
        CAPTURE(c.name);
        for (const Dtype dtype : {Dtype::float32, Dtype::float64})
            check_close(c.f(cast(x, dtype), cast(y, dtype)), brute(x, y, {3}, c.want), 0);
    }
}

TEST_CASE("elementwise: numbers take the other operand's type, on both sides") {
    for (const BinaryCase& c : binaries) {
        CAPTURE(c.name);
        for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
            const Tensor x = tensor({0.5, 1.5, 2}, dtype), number = scalar(1.5, Dtype::float64);
            const Tensor right = c.f(x, 1.5), left = c.f(1.5, x);
            const Dtype want = differentiable.contains(c.name) ? dtype : Dtype::boolean;
            CHECK(right.dtype() == want);
            CHECK(left.dtype() == want);
            CHECK(right.shape() == Shape{3});
            check_close(right, brute(x, number, {3}, c.want), 1);
            check_close(left, brute(number, x, {3}, c.want), 1);
        }
    }
    const Tensor x = tensor({2, 3});
    const auto g = gradients([](const auto& in) { return 2 * (1 - in[0]) / 4 + in[0]; }, {x}, ones({2}));
    CHECK(elements(g[0]) == Values{0.5, 0.5});
}

TEST_CASE("elementwise: where") {
    const Tensor condition = tensor({1, 0, -3, 0}, {2, 2}, Dtype::float64);
    const Tensor yes = tensor({1, 2}, Dtype::float64), no = tensor({10, 20}, {2, 1}, Dtype::float64);
    CHECK(elements(where(condition, yes, no)) == Values{1, 10, 1, 20});
    CHECK(elements(where(condition, 7, no)) == Values{7, 10, 7, 20});
    CHECK(elements(where(condition, yes, 0)) == Values{1, 0, 1, 0});
    CHECK(elements(where(tensor({not_a_number, 0}), 1, 2)) == Values{1, 2});
    const auto g = gradients([](const auto& in) { return where(in[0], in[1], in[2]); }, {condition, yes, no},
                             tensor({1, 2, 3, 4}, {2, 2}, Dtype::float64));
    CHECK(elements(g[0]) == Values{0, 0, 0, 0});
    CHECK(elements(g[1]) == Values{4, 0});
    CHECK(elements(g[2]) == Values{2, 4});
}

TEST_CASE("elementwise: where chooses elements of every dtype, wherever they and the mask stand") {
    const Shape shapes[][3] = {{{3, 40}, {3, 40}, {3, 40}},
                               {{3, 1}, {40}, {}},
                               {{}, {3, 40}, {1}},
                               {{2, 1, 4}, {3, 1}, {2, 3, 4}},
                               {{2, 0}, {1}, {2, 1}}};
    for (const auto& [of_mask, of_yes, of_no] : shapes)
        for (int layout = 0; layout < layouts; ++layout)
            for (const Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::int64, Dtype::int32, Dtype::boolean}) {
                CAPTURE(layout);
                CAPTURE(to_string(dtype));
                const Tensor mask = laid_out(of_mask, layout, 1, Dtype::boolean, -2, 2),
                             yes = laid_out(of_yes, layouts - 1 - layout, 2, dtype, -9, 9),
                             no = laid_out(of_no, (layout + 1) % layouts, 3, dtype, -9, 9);
                const Shape space = broadcast(broadcast(of_mask, of_yes), of_no);
                Values want;
                for_each_index(space, [&](const Shape& index) {
                    want.push_back(element(mask, index) != 0 ? element(yes, index) : element(no, index));
                });
                const Tensor got = where(mask, yes, no);
                CHECK(got.dtype() == dtype);
                CHECK(got.shape() == space);
                CHECK(elements(got) == want);
                CHECK(elements(where(cast(mask, Dtype::float64), yes, no)) == want);
                if (dtype != Dtype::float64) continue;
                const Tensor ct = laid_out(space, layout, 4);
                const auto slopes = gradients([&](const auto& in) { return where(mask, in[0], in[1]); }, {yes, no}, ct);
                const auto is_taken = [&](const Shape& i) { return element(mask, i) != 0 ? 1.0 : 0.0; };
                check_close(slopes[0], summed(of_yes, ct, is_taken), 64, 1);
                check_close(slopes[1], summed(of_no, ct, [&](const Shape& i) { return 1 - is_taken(i); }), 64, 1);
            }
    const Tensor nan = full({2}, not_a_number);
    CHECK(elements(where(tensor({true, false}), nan, tensor({1, 2})))[1] == 2);
    CHECK(std::signbit(where(tensor({true}), tensor({-0.0}), tensor({0})).item()));
}

TEST_CASE("elementwise: what is not taken does not reach the gradient, be it infinite") {
    const Tensor x = tensor({-1, 0, 2}, Dtype::float64);
    const auto g =
        gradients([](const auto& in) { return where(in[0] > 0, in[0], -infinity); }, {x}, ones({3}, Dtype::float64));
    CHECK(elements(g[0]) == Values{0, 0, 1});
}

TEST_CASE("elementwise: float32 against float64") {
    const Tensor x = sample_values({1000}, -3, 3, 1), y = sample_values({1000}, 0.5, 2, 2);
    const Tensor x32 = cast(x, Dtype::float32), y32 = cast(y, Dtype::float32);
    const Tensor x64 = cast(x32, Dtype::float64), y64 = cast(y32, Dtype::float64);
    const auto f = [](const std::vector<Tensor>& in) {
        return tanh(in[0]) * sigmoid(in[1]) + exp(in[0] * in[1]) / in[1];
    };
    const Tensor ct = sample_values({1000}, -1, 1, 3);
    check_close(f({x32, y32}), elements(f({x64, y64})), 16, 1);
    const auto g32 = gradients(f, {x32, y32}, cast(ct, Dtype::float32));
    const auto g64 = gradients(f, {x64, y64}, cast(cast(ct, Dtype::float32), Dtype::float64));
    for (std::size_t k = 0; k < 2; ++k) {
        CHECK(g32[k].dtype() == Dtype::float32);
        check_close(g32[k], elements(g64[k]), 32, 1);
    }
}

TEST_CASE("elementwise: what does not fit is refused with the caller's line") {
    const Tensor x = ones({2, 3});
    check_refused<ShapeError>("add: shapes do not broadcast: [2, 3] and [4] (3 != 4)", [&] { x + ones({4}); });
    check_refused<DtypeError>("add: an operand is float16, which is stored only: cast() it first",
                              [&] { x + ones({3}, Dtype::float16); });
    check_refused<DtypeError>("pow: an operand is int64; float32 or float64 is needed", [&] { pow(arange(3), 2); });
    check_refused<DtypeError>("exp: an operand is int64; float32 or float64 is needed", [&] { exp(arange(3)); });
    check_refused<ValueError>("pow: all operands are numbers", [&] { pow(Input(2), 3); });
    check_refused<ValueError>("where: all operands are numbers", [&] { wengert::where(1, 2, 3); });
    check_refused<ValueError>("tanh: operand 0 is an undefined tensor", [&] { tanh(Tensor()); });
    check_refused<ValueError>("add: operand 1 is an undefined tensor", [&] { x + Tensor(); });

    Tensor weight = ones({4});
    weight.set_parameter().set_name("out.bias");
    const Scope scope("out");
    check_refused<ShapeError>(
        "add: shapes do not broadcast: [2, 3] and [4] (3 != 4)\n  in out; operand 1 = parameter \"out.bias\"",
        [&] { x + weight; });
}
