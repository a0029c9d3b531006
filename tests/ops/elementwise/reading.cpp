#include "ops/brute_force.hpp"

#include <wengert/ops/elementwise/reading.hpp>
#include <wengert/ops/elementwise/term.hpp>

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
            using Pair = Dual<Lanes<double>, 2>;
            const Pair dual = formula(Pair::operand<0>(x), Pair::operand<1>(y));
            const Tensor a = scalar(x, Dtype::float64), b = scalar(y, Dtype::float64);
            Tape tape;
            tape.watch(a);
            tape.watch(b);
            const Tensor tensor = formula(Term(a), Term(b)).tensor();
            const std::vector<Tensor> g = tape.gradient(tensor, {a, b});
            const double want = tensor.item();
            CHECK(first_of(value) == doctest::Approx(want).epsilon(1e-14));
            CHECK(first_of(dual.value) == doctest::Approx(want).epsilon(1e-14));
            CHECK(dual.present == 3);
            for (std::size_t k = 0; k < 2; ++k)
                CHECK(first_of(dual.partials[k]) == doctest::Approx(g[k].item()).epsilon(1e-14));
        }
    }
}

TEST_CASE("reading: a dual number knows which partials are not zero") {
    using Triple = Dual<Lanes<double>, 3>;
    const Triple x = Triple::operand<0>(2.0), z = Triple::operand<2>(3.0);
    CHECK((x * 2.0).present == 1);
    CHECK((x + z).present == 5);
    CHECK(tanh(z).present == 4);
    CHECK(exp(Triple(1.0)).present == 0);
    CHECK(where(x > 0.0, z, Triple(1.0)).present == 4);
    CHECK(first_of((x * z).partials[0]) == 3);
    CHECK(first_of((x * z).partials[2]) == 2);
    CHECK(first_of((x / z).partials[2]) == doctest::Approx(-2.0 / 9));
    CHECK(first_of((x * x).partials[0]) == 4);
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
