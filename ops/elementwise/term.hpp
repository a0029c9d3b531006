#pragma once

#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/elementwise/reading.hpp>

namespace wengert {

/// The third reading of an elementwise formula: tensors, so that evaluating it composes recorded ops. This is how
/// second and higher derivatives come about. A Term may also be a plain number.
class Term {
  public:
    Term() : Term(0.0) {}
    Term(double number) : number_(number) {}
    Term(Tensor tensor) : tensor_(std::move(tensor)) {}

    bool is_number() const { return !tensor_.defined(); }
    bool is(double number) const { return is_number() && number_ == number; }
    Input input() const { return is_number() ? Input(number_) : Input(tensor_); }
    double number() const { return number_; }
    const Tensor& tensor() const { return tensor_; }

  private:
    Tensor tensor_;
    double number_ = 0;
};

template <>
inline constexpr bool is_reading<Term> = true;

template <>
struct Mask<Term> {
    Term m;  ///< 1 where true, 0 elsewhere
};

template <class P, class... Terms>
double evaluate_number(const Terms&... x) {
    return Lanes<double>(P::f(typename Lanes<double>::Batch(x.number())...)).v.get(0);
}

template <class P>
Term evaluate(const Term& x) {
    if (x.is_number()) return evaluate_number<P>(x);
    return elementwise<P>(x.input());
}

template <class P>
Term evaluate(const Term& x, const Term& y) {
    if (x.is_number() && y.is_number()) return evaluate_number<P>(x, y);
    if constexpr (std::is_same_v<P, calculus::Mul>) {  // the slope of a sum is the number 1: do not record a product
        if (x.is(1)) return y;
        if (y.is(1)) return x;
    }
    return elementwise<P>(x.input(), y.input());
}

template <class P>
Mask<Term> compare(const Term& x, const Term& y) {
    if (x.is_number() && y.is_number()) {
        const auto result = P::f(typename Lanes<double>::Batch(x.number()), typename Lanes<double>::Batch(y.number()));
        return {Term(xsimd::all(result) ? 1.0 : 0.0)};
    }
    return {elementwise<P>(x.input(), y.input())};
}

inline Term where(const Mask<Term>& mask, const Term& yes, const Term& no) {
    if (mask.m.is_number()) return mask.m.is(0) ? no : yes;
    return where(mask.m.input(), yes.input(), no.input());
}

}  // namespace wengert
