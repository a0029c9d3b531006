#include "ops/brute_force.hpp"

#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/ops/elementwise/map.hpp>

using namespace brute_force;

namespace {

constexpr auto formula = [](auto x, auto y) {
    return where(x > y, sigmoid(x) * exp(-y) + 2.0, abs(x) / softplus(y)) - 0.5 * maximum(x, 0.25) +
           pow(y * y + 1.0, 1.5);
};

double first_of(const Lanes<double>& lanes) { return lanes.v.get(0); }

}  // namespace

TEST_CASE("reading: vectors, dual numbers and tensors read a formula alike") {
    for (const double x : {-1.5, 0.75}) {
        for (const double y : {-0.5, 1.25}) {
            const Lanes<double> value = formula(Lanes<double>(x), Lanes<double>(y));
            const auto dual = formula(dual_operand<0>(Lanes<double>(x)), dual_operand<1>(Lanes<double>(y)));
            const Tensor a = scalar(x, Dtype::float64), b = scalar(y, Dtype::float64);
            Tape tape;
            tape.watch(a);
            tape.watch(b);
            const Tensor tensor = formula(Term(a), Term(b)).tensor();
            const std::vector<Tensor> g = tape.gradient(tensor, {a, b});
            const double want = tensor.item();
            CHECK(first_of(value) == doctest::Approx(want).epsilon(1e-14));
            CHECK(first_of(dual.value) == doctest::Approx(want).epsilon(1e-14));
            static_assert(operand_set<std::remove_const_t<decltype(dual)>> == 3);
            for (std::size_t k = 0; k < 2; ++k)
                CHECK(first_of(dual.partials[k]) == doctest::Approx(g[k].item()).epsilon(1e-14));
        }
    }
}

TEST_CASE("reading: conditions combine") {
    const auto inside = [](auto x) {
        return where(x > -1.0 && !(x >= 2.0), x * x, 0.0) + where(x < -1.0 || x > 3.0, x, 0.0);
    };
    const Tensor x = tensor({-2, -0.5, 1, 2.5, 4}, Dtype::float64);
    CHECK(elements(map(inside, x)) == Values{-2, 0.25, 1, 0, 4});
    const GradcheckResult result = gradcheck([&](const auto& in) { return map(inside, in[0]); }, {x}, {.order = 2});
    CHECK_MESSAGE(result.passed, result.message);
}

TEST_CASE("reading: the type of a dual number says by which operands it has partials") {
    const auto x = dual_operand<0>(Lanes<double>(2.0));
    const auto z = dual_operand<2>(Lanes<double>(3.0));
    const auto set = []<class X>(const X&) { return operand_set<X>; };
    CHECK(set(x * 2.0) == 1);
    CHECK(set(x + z) == 5);
    CHECK(set(tanh(z)) == 4);
    CHECK(set(exp(Lanes<double>(1.0))) == 0);
    CHECK(set(where(x > 0.0, z, 1.0)) == 4);
    CHECK(set(where(z > x, 1.0, 2.0)) == 0);
    CHECK(first_of((x * z).partial<0>()) == 3);
    CHECK(first_of((x * z).partial<2>()) == 2);
    CHECK(first_of((x / z).partial<2>()) == doctest::Approx(-2.0 / 9));
    CHECK(first_of((x * x).partial<0>()) == 4);
}

TEST_CASE("reading: a sum over operands starts from their common type, or folds") {
    const auto x = dual_operand<0>(Lanes<double>(2.0));
    const auto z = dual_operand<2>(Lanes<double>(3.0));
    std::common_type_t<decltype(x), decltype(z)> sum = 0.0;
    sum += x * x;
    sum += z;
    CHECK(first_of(sum.value) == 7);
    CHECK(first_of(sum.partial<0>()) == 4);
    CHECK(first_of(sum.partial<2>()) == 1);
    const auto folded = fold([](const auto& s, const auto& v) { return s + v * v; }, 0.0, x, z);
    CHECK(first_of(folded.value) == 13);
    CHECK(first_of(folded.partial<2>()) == 6);
}

TEST_CASE("reading: terms of numbers stay numbers, and a factor of one makes no node") {
    const Term two(2.0), three(3.0);
    CHECK((two * three + 1.0).is(7));
    CHECK(where(two > three, Term(1.0), Term(-1.0)).is(-1));
    CHECK(tanh(two).number() == doctest::Approx(std::tanh(2.0)));
    const Tensor x = ones({3}, Dtype::float64);
    CHECK((Term(x) * 1.0).tensor().same_as(x));
    CHECK((Term(1.0) * Term(x)).tensor().same_as(x));
}

TEST_CASE("lanes: the sum of a register") {
    alignas(64) double numbers[Lanes<double>::size];
    for (std::int64_t i = 0; i < Lanes<double>::size; ++i) numbers[i] = static_cast<double>(i + 1);
    CHECK(Lanes<double>::load(numbers).total() == Lanes<double>::size * (Lanes<double>::size + 1) / 2);
    CHECK(Lanes<float>(0.5).total() == 0.5f * static_cast<float>(Lanes<float>::size));
}
