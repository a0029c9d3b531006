#pragma once

#include <concepts>
#include <memory>
#include <span>
#include <vector>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/autograd/tensor/tensor.hpp>
#include <wengert/ops/elementwise/internal/lanes.hpp>

namespace WENGERT_EXPORT wengert {

struct Formula;

/// The third reading of an elementwise formula: tensors, so that evaluating it composes recorded ops. A Term may also
/// be a plain number. An op runs once somebody asks for its tensor: a derivative seldom needs all values of a formula,
/// nor the derivatives by all operands.
class Term {
  public:
    Term() : Term(0.0) {}
    Term(double number) : number_(number) {}
    explicit Term(Tensor tensor) : tensor_(std::move(tensor)), dtype_(tensor_.dtype()) {}
    /// A function's result, of that dtype.
    Term(const Formula& function, std::span<const Term> operands, Dtype dtype);
    /// Of where(), of which not all operands are numbers.
    static Term choice(const Term& mask, const Term& yes, const Term& no, Dtype dtype);
    /// Of logical_not().
    static Term opposite(const Term& mask);

    bool is_number() const { return !tensor_.defined() && waiting_ == nullptr; }
    bool is(double number) const { return is_number() && number_ == number; }
    double number() const { return number_; }
    const Tensor& tensor() const;
    /// The tensor's, or float64.
    Dtype dtype() const { return dtype_; }

  private:
    struct Waiting;
    void wait(const Formula* function, std::span<const Term> operands);

    mutable Tensor tensor_;
    double number_ = 0;
    Dtype dtype_ = Dtype::float64;
    mutable std::shared_ptr<Waiting> waiting_;
};

/// A tensor of bool, or a number. What is compared says which dtype a choice between numbers has.
struct TermMask {
    Term m;
    Dtype dtype;

    template <std::same_as<bool> Bool>
    explicit operator Bool() const {
        static_assert(!std::same_as<Bool, bool>,
                      "a formula cannot branch on its operands: write where(condition, yes, no) instead of if or ?:");
        return false;
    }
};
template <>
struct Mask<Term> : TermMask {};

/// A Term with its partial derivatives by the operands of a formula. This is how second and higher derivatives come
/// about: the derivatives are compositions of ops themselves.
struct TermDual {
    using Partials = std::vector<Term, CachedAllocator<Term>>;

    Term value;
    Partials partials = {};  ///< one for each operand, the number 0 where the value does not depend on it; or none

    TermDual() = default;
    TermDual(double number) : value(number) {}
    explicit TermDual(Term v) : value(std::move(v)) {}
    /// Operand i of n.
    TermDual(Term v, int i, int n) : value(std::move(v)), partials(static_cast<std::size_t>(n)) {
        partials[static_cast<std::size_t>(i)] = Term(1.0);
    }

    Term partial(std::size_t i) const { return i < partials.size() ? partials[i] : Term(); }
};

template <>
struct Mask<TermDual> : TermMask {};

/// The value of a library function for these operands: a number if all of them are, else a recorded op's result.
Term evaluate(const Formula& function, std::span<const Term> operands);
/// The same with the chain rule.
TermDual evaluate(const Formula& function, std::span<const TermDual> operands);

Term where(const Mask<Term>& mask, const Term& yes, const Term& no);
TermDual where(const Mask<TermDual>& mask, const TermDual& yes, const TermDual& no);

Term mask_and(const Term& a, const Term& b);
Term mask_or(const Term& a, const Term& b);
Term mask_not(const Term& a);
/// What numbers alone have compared has no dtype of its own.
inline Dtype dtype_of_both(const TermMask& a, const TermMask& b) { return a.m.is_number() ? b.dtype : a.dtype; }
template <std::derived_from<TermMask> AnyMask>
AnyMask operator&&(const AnyMask& a, const AnyMask& b) {
    return {{mask_and(a.m, b.m), dtype_of_both(a, b)}};
}
template <std::derived_from<TermMask> AnyMask>
AnyMask operator||(const AnyMask& a, const AnyMask& b) {
    return {{mask_or(a.m, b.m), dtype_of_both(a, b)}};
}
template <std::derived_from<TermMask> AnyMask>
AnyMask operator!(const AnyMask& a) {
    return {{mask_not(a.m), a.dtype}};
}

}  // namespace wengert
