// Covers ops/elementwise/internal/plain_rows.hpp
#include <limits>
#include <wengert/ops/elementwise/map.hpp>
#include <wengert/ops/reduce/reductions.hpp>

#include "ops/brute_force.hpp"

using namespace brute_force;

namespace {

using Wide = __int128;

struct IntegerCase {
    std::string name;
    Tensor (*of)(const Input&, const Input&);
    Wide (*want)(Wide, Wide);
};

const std::vector<IntegerCase> integer_cases{
    {"add", operator+, [](Wide x, Wide y) { return x + y; }},
    {"sub", operator-, [](Wide x, Wide y) { return x - y; }},
    {"mul", operator*, [](Wide x, Wide y) { return x * y; }},
    {"minimum", [](const Input& x, const Input& y) -> Tensor { return minimum(x, y); },
     [](Wide x, Wide y) { return x < y ? x : y; }},
    {"maximum", [](const Input& x, const Input& y) -> Tensor { return maximum(x, y); },
     [](Wide x, Wide y) { return x > y ? x : y; }},
    {"fmod", [](const Input& x, const Input& y) -> Tensor { return fmod(x, where(y == 0, 1, y)); },
     [](Wide x, Wide y) { return y == 0 ? 0 : x % y; }},
    {"neg", [](const Input& x, const Input& y) { return -x + 0 * y; }, [](Wide x, Wide) { return -x; }},
    {"abs", [](const Input& x, const Input& y) -> Tensor { return abs(x) + 0 * y; },
     [](Wide x, Wide) { return x < 0 ? -x : x; }},
    {"square", [](const Input& x, const Input& y) -> Tensor { return square(x) + 0 * y; },
     [](Wide x, Wide) { return x * x; }},
    {"sign", [](const Input& x, const Input& y) -> Tensor { return sign(x) + 0 * y; },
     [](Wide x, Wide) -> Wide { return x < 0   ? -1
                                       : x > 0 ? 1
                                               : 0; }},
    {"floor, ceil, trunc, round",
     [](const Input& x, const Input& y) -> Tensor { return floor(x) + ceil(x) - trunc(x) + 0 * y - round(x) + x; },
     [](Wide x, Wide) { return x; }},
    {"clamp", [](const Input& x, const Input& y) { return clamp(x, -3, y); },
     [](Wide x, Wide y) { return x < -3  ? (y < -3 ? y : -3)
                                 : x > y ? y
                                         : x; }},
};

const std::vector<IntegerCase> integer_comparisons{
    {"greater", operator>, [](Wide x, Wide y) -> Wide { return x > y; }},
    {"greater_equal", operator>=, [](Wide x, Wide y) -> Wide { return x >= y; }},
    {"less", operator<, [](Wide x, Wide y) -> Wide { return x < y; }},
    {"less_equal", operator<=, [](Wide x, Wide y) -> Wide { return x <= y; }},
    {"equal", operator==, [](Wide x, Wide y) -> Wide { return x == y; }},
    {"not_equal", operator!=, [](Wide x, Wide y) -> Wide { return x != y; }},
    {"logical_and", logical_and, [](Wide x, Wide y) -> Wide { return x != 0 && y != 0; }},
    {"logical_or", logical_or, [](Wide x, Wide y) -> Wide { return x != 0 || y != 0; }},
    {"logical_xor", logical_xor, [](Wide x, Wide y) -> Wide { return (x != 0) != (y != 0); }},
};

template <class T>
std::vector<T> brute_integers(const Tensor& x, const Tensor& y, const Shape& space, Wide (*f)(Wide, Wide)) {
    std::vector<T> values;
    const auto at = [](const Tensor& t, const Shape& index) {
        return visit_dtype(t.dtype(), [&](auto type) {
            return static_cast<Wide>(
                static_cast<const decltype(type)*>(t.raw())[broadcast_offset(t.shape(), t.strides(), index)]);
        });
    };
    // The lowest bits of the exact result: it wraps around.
    for_each_index(space, [&](const Shape& index) { values.push_back(static_cast<T>(f(at(x, index), at(y, index)))); });
    return values;
}

}  // namespace

TEST_CASE_TEMPLATE("integers: every function and comparison, broadcast, whatever the places in memory", T, std::int32_t,
                   std::int64_t) {
    const std::pair<Shape, Shape> shapes[] = {{{}, {}},          {{3, 4}, {}},        {{3, 4}, {4}},
                                              {{3, 1}, {1, 40}}, {{2, 3, 4}, {3, 1}}, {{2, 0}, {2, 1}},
                                              {{70}, {3, 70}}};
    for (const auto& [a, b] : shapes)
        for (int layout = 0; layout < layouts; ++layout) {
            const Tensor x = laid_out(a, layout, 1, dtype_of<T>, -9, 9),
                         y = laid_out(b, layouts - 1 - layout, 2, dtype_of<T>, -9, 9);
            const Shape space = broadcast(a, b);
            CAPTURE(to_string(space));
            CAPTURE(layout);
            for (const IntegerCase& f : integer_cases) {
                CAPTURE(f.name);
                const Tensor got = f.of(x, y);
                CHECK(got.dtype() == dtype_of<T>);
                CHECK(got.shape() == space);
                CHECK(got.template to_vector<T>() == brute_integers<T>(x, y, space, f.want));
            }
            for (const IntegerCase& f : integer_comparisons) {
                CAPTURE(f.name);
                const Tensor got = f.of(x, y);
                CHECK(got.dtype() == Dtype::boolean);
                CHECK(got.template to_vector<bool>() == brute_integers<bool>(x, y, space, f.want));
            }
        }
}

TEST_CASE_TEMPLATE("integers: at the ends of the range they wrap around", T, std::int32_t, std::int64_t) {
    constexpr T least = std::numeric_limits<T>::min(), most = std::numeric_limits<T>::max();
    std::vector<T> a, b;
    for (const T x : {least, T{least + 1}, T{-1}, T{0}, T{1}, T{3}, T{most - 1}, most})
        for (const T y : {least, T{-7}, T{-1}, T{0}, T{1}, T{2}, most}) a.push_back(x), b.push_back(y);
    const Shape shape{std::ssize(a)};
    const Tensor x = tensor(a, shape), y = tensor(b, shape);
    for (const IntegerCase& f : integer_cases) {
        CAPTURE(f.name);
        CHECK(f.of(x, y).template to_vector<T>() == brute_integers<T>(x, y, shape, f.want));
    }
    for (const IntegerCase& f : integer_comparisons) {
        CAPTURE(f.name);
        CHECK(f.of(x, y).template to_vector<bool>() == brute_integers<bool>(x, y, shape, f.want));
    }
}

TEST_CASE("integers: threads share long rows") {
    const std::int64_t n = 1'000'003;
    const Tensor x = arange(n), y = x * 3 - n;
    CHECK(sum(y).item<std::int64_t>() == 3 * (n * (n - 1) / 2) - n * n);
    CHECK(sum(x > y).item<std::int64_t>() == (n + 1) / 2);
    CHECK_THROWS_AS(fmod(x, x), ValueError);
}

TEST_CASE("integers: bool adds as or, multiplies as and, and has an order") {
    const Tensor x = tensor({false, false, true, true}), y = tensor({false, true, false, true});
    const auto are = [](const Tensor& got, const std::vector<bool>& want) {
        CHECK(got.dtype() == Dtype::boolean);
        CHECK(got.to_vector<bool>() == want);
    };
    are(x + y, {false, true, true, true});
    are(x * y, {false, false, false, true});
    are(maximum(x, y), {false, true, true, true});
    are(minimum(x, y), {false, false, false, true});
    are(x < y, {false, true, false, false});
    are(x == y, {true, false, false, true});
    are(logical_xor(x, y), {false, true, true, false});
    are(x + true, {true, true, true, true});
    CHECK((x + 1).dtype() == Dtype::int64);
    CHECK(elements(x + 1) == Values{1, 1, 2, 2});
    CHECK(elements(1 - x) == Values{1, 1, 0, 0});
    check_close(x / y, {not_a_number, 0, infinity, 1}, 0);
    CHECK((x / y).dtype() == Dtype::float32);
    CHECK(elements(x * tensor({1.5, 2.5, 3.5, 4.5})) == Values{0, 0, 3.5, 4.5});
    for (const auto& refused : {+[](const Tensor& b) { return b - b; }, +[](const Tensor& b) { return fmod(b, b); }})
        CHECK_THROWS_AS(refused(x), DtypeError);
    check_refused<DtypeError>("neg: an operand is bool, which has add, mul, minimum and maximum alone: cast() it first",
                              [&] { -x; });
}

TEST_CASE("integers: a quotient is float32, a number of another kind decides, one too large is refused") {
    const Tensor x = tensor({7, -7, 0}, Dtype::int32), y = tensor({2, 2, 0}, Dtype::int64);
    CHECK((x / y).dtype() == Dtype::float32);
    CHECK(elements(slice(x / y, 0, 0, 2)) == Values{3.5, -3.5});
    CHECK(std::isnan((x / y).at({2})));
    CHECK((x / 2).dtype() == Dtype::float32);
    CHECK(elements(0.5 * x) == Values{3.5, -3.5, 0});
    CHECK((0.5 * x).dtype() == Dtype::float32);
    CHECK((x * 2).dtype() == Dtype::int32);
    CHECK((x + y).dtype() == Dtype::int64);
    CHECK(elements(x > 6.5) == Values{1, 0, 0});
    // More digits than a double has.
    const std::int64_t large = (std::int64_t{1} << 53) + 1;
    const Tensor of_large = tensor(std::vector<std::int64_t>{large - 1, large}, {2});
    CHECK(elements(of_large == large) == Values{0, 1});
    CHECK((of_large - large).to_vector<std::int64_t>() == std::vector<std::int64_t>{-1, 0});
    check_refused<ValueError>("add: 1099511627776 is no int32", [&] { x + (std::int64_t{1} << 40); });
    check_refused<ValueError>("fmod: a divisor is 0, for which integers have no remainder", [&] { fmod(x, 0); });
    check_refused<DtypeError>("sqrt: an operand is int32; float32 or float64 is needed", [&] { sqrt(x); });
    check_refused<ShapeError>("add: shapes do not broadcast: [3] and [2] (3 != 2)", [&] { x + arange(2); });
}

TEST_CASE("integers: they are constants, of which a tape says so") {
    const Tensor x = tensor({2, 3});
    const auto slopes =
        gradients([](const auto& in) { return in[0] * (arange(2) + 1) + where(in[0] > 2, 1, 0); }, {x}, ones({2}));
    CHECK(elements(slopes[0]) == Values{1, 2});
    Tape tape;
    check_refused<DtypeError>("watch: int32 tensors have no gradient", [&] { tape.watch(arange(2, Dtype::int32)); });
    check_refused<DtypeError>("watch: bool tensors have no gradient", [&] { tape.watch(x > 2); });
    tape.watch(x);
    CHECK_THROWS_AS(tape.gradient(sum(x > 2), x), NotDifferentiableError);
    CHECK_THROWS_AS(tape.gradient(sum((x > 2) * 2.0), x), NotDifferentiableError);
}
