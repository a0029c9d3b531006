// Mirrors no file: operands of a type of the caller's that converts to a tensor.
#include <doctest/doctest.h>

#include <utility>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/ops/ops.hpp>

#include "../values.hpp"

namespace {

/// With operators of its own, which count.
class Quantity {
  public:
    Quantity(wengert::Tensor value) : value_(std::move(value)) {}
    operator wengert::Tensor() const { return value_; }

    static inline int own = 0;
    friend Quantity operator+(const Quantity& a, const Quantity& b) {
        ++own;
        return wengert::Tensor(a) + wengert::Tensor(b);
    }
    friend Quantity operator*(const Quantity& a, double b) {
        ++own;
        return wengert::Tensor(a) * b;
    }
    friend Quantity exp(const Quantity& a) {
        ++own;
        return wengert::exp(wengert::Tensor(a));
    }

  private:
    wengert::Tensor value_;
};

/// With none.
struct Plain {
    wengert::Tensor value;
    operator const wengert::Tensor&() const { return value; }
};

}  // namespace

using namespace wengert;

TEST_CASE("converted operands: a type's own operators go before, and ops and operators take it where it has none") {
    const Tensor x = tensor({1, 2});
    const Quantity q(x);
    Quantity::own = 0;
    const Quantity sums = q + q, scaled = q * 2.0, powers = exp(q), mixed = q + x, turned = x + q;
    CHECK(Quantity::own == 5);
    CHECK(elements(sums) == Values{2, 4});
    CHECK(elements(scaled) == Values{2, 4});
    CHECK(elements(mixed) == elements(turned));
    CHECK(elements(q - q) == Values{0, 0});
    CHECK(elements(q - x) == Values{0, 0});
    CHECK(elements(3 - q) == Values{2, 1});
    CHECK(elements(x / q) == Values{1, 1});
    CHECK(elements(-q) == Values{-1, -2});
    CHECK(elements(q > 1.5) == Values{0, 1});
    CHECK(elements(log(exp(q))) == Values{1, 2});
    CHECK(elements(pow(q, 2)) == Values{1, 4});
    CHECK(elements(maximum(1.5, q)) == Values{1.5, 2});
    CHECK(sum(q).item() == 3);
    CHECK(matmul(q, q).item() == 5);
    CHECK(elements(where(q > 1.0, q, 0.0)) == Values{0, 2});
    CHECK(elements(map([](auto a, auto b) { return a * b; }, q, x)) == Values{1, 4});
    CHECK(elements(map([](auto a, auto b) { return a * b; }, x, q)) == Values{1, 4});
    CHECK(map_sum([](auto a, auto b) { return a * b; }, -1, x, q).item() == 5);
    CHECK(elements(concat({q, x, q}, 0)) == Values{1, 2, 1, 2, 1, 2});
    CHECK(linear(q, ones({3, 2}), zeros({3})).shape() == Shape{3});
    Tensor y = x;
    y += q;
    CHECK(elements(y) == Values{2, 4});
}

TEST_CASE("converted operands: they are followed, and their line is the caller's") {
    Tape tape;
    const Tensor x = tensor({1, 2});
    tape.watch(x);
    const Plain p{x};
    const Tensor y = sum(sin(p) * p + sqrt(p));
    const Values slopes = elements(tape.gradient(y, x));
    for (std::size_t i = 0; i < 2; ++i) {
        const double v = elements(x)[i];
        CHECK(slopes[i] == doctest::Approx(std::cos(v) * v + std::sin(v) + 0.5 / std::sqrt(v)).epsilon(1e-6));
    }
    for (NodeId id = 1; id < tape.size(); ++id) CHECK(tape[id].where().line == __LINE__ - 6);
}
