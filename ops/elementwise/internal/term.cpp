#include <algorithm>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/elementwise/internal/formula.hpp>
#include <wengert/ops/elementwise/internal/map_op.hpp>
#include <wengert/ops/elementwise/internal/map_rows.hpp>

namespace wengert {
namespace {

/// The value of a function of numbers.
double evaluate_numbers(const Formula& function, std::span<const Term> operands) {
    std::array<double, FewOperands::operands> numbers;
    std::array<const double*, FewOperands::operands> in;
    constexpr std::int64_t still[FewOperands::operands] = {};
    for (std::size_t k = 0; k < operands.size(); ++k) {
        numbers[k] = operands[k].number();
        in[k] = &numbers[k];
    }
    double result;
    function.float64.forward(nullptr, {in.data(), still, still, 1, 1}, &result, 0, 0);
    return result;
}

Input input_of(const Term& x) { return x.is_number() ? Input(x.number()) : Input(x.tensor()); }

/// That of the operands, which are alike.
Dtype dtype_among(std::span<const Term> operands) {
    return std::ranges::find_if_not(operands, &Term::is_number)->dtype();
}

bool is_function(const Formula& function, const Formula& other) { return &function == &other; }

/// x y without an op where one of them is the number 1, as the slope of a sum is.
Term product(const Term& x, const Term& y) {
    const std::array<Term, 2> factors{x, y};
    return evaluate(formula_of<Mul>(), std::span<const Term>(factors));
}
Term total(const Term& x, const Term& y) {
    if (x.is(0)) return y;
    const std::array<Term, 2> parts{x, y};
    return evaluate(formula_of<Add>(), std::span<const Term>(parts));
}

}  // namespace

/// An op and its operands, until it has run. Copies of a Term share it.
struct Term::Waiting {
    const Formula* function;  ///< null: where() or logical_not()
    std::array<Term, FewOperands::operands> operands;
    std::size_t count;
    Dtype dtype;
    int depth = 1;  ///< of the longest chain of ops that wait for each other
    Tensor tensor = {};

    Tensor run() const {
        if (function != nullptr) {
            std::array<Input, FewOperands::operands> inputs{Input(0), Input(0), Input(0)};
            std::ranges::transform(std::span(operands).first(count), inputs.begin(), input_of);
            return apply_formula(*function, nullptr, 0, std::span<const Input>(inputs.data(), count));
        }
        const auto& [mask, yes, no] = operands;
        if (count == 1) return logical_not(mask.tensor());
        if (!yes.is_number() || !no.is_number()) return where(mask.tensor(), input_of(yes), input_of(no));
        return where(mask.tensor(), scalar(yes.number(), dtype), no.number());
    }
};

void Term::wait(const Formula* function, std::span<const Term> operands) {
    // Running a chain, or giving it up, takes as many calls inside of each other as it is long.
    constexpr int longest_chain = 200;
    waiting_ =
        std::allocate_shared<Waiting>(CachedAllocator<Waiting>(), Waiting{function, {}, operands.size(), dtype_});
    std::ranges::copy(operands, waiting_->operands.begin());
    for (const Term& x : operands)
        if (x.waiting_ != nullptr) waiting_->depth = std::max(waiting_->depth, x.waiting_->depth + 1);
    if (waiting_->depth == longest_chain) tensor();
}

Term::Term(const Formula& function, std::span<const Term> operands, Dtype dtype) : dtype_(dtype) {
    wait(&function, operands);
}

Term Term::choice(const Term& mask, const Term& yes, const Term& no, Dtype dtype) {
    Term result;
    result.dtype_ = dtype;
    const std::array<Term, 3> operands{mask, yes, no};
    result.wait(nullptr, operands);
    return result;
}

Term Term::opposite(const Term& mask) {
    Term result;
    result.dtype_ = Dtype::boolean;
    result.wait(nullptr, std::span(&mask, 1));
    return result;
}

const Tensor& Term::tensor() const {
    if (waiting_ == nullptr) return tensor_;
    if (!waiting_->tensor.defined()) {
        waiting_->tensor = waiting_->run();
        waiting_->operands = {};
    }
    tensor_ = waiting_->tensor;
    waiting_ = nullptr;
    return tensor_;
}

Term evaluate(const Formula& function, std::span<const Term> operands) {
    if (std::ranges::all_of(operands, &Term::is_number)) return evaluate_numbers(function, operands);
    if (is_function(function, formula_of<Mul>())) {
        if (operands[0].is(1)) return operands[1];
        if (operands[1].is(1)) return operands[0];
    }
    return Term(function, operands, dtype_among(operands));
}

TermDual evaluate(const Formula& function, std::span<const TermDual> operands) {
    std::array<Term, FewOperands::operands> values;
    std::ranges::transform(operands, values.begin(), &TermDual::value);
    TermDual result(evaluate(function, std::span<const Term>(values.data(), operands.size())));
    for (std::size_t k = 0; k < operands.size(); ++k) {
        const TermDual::Partials& partials = operands[k].partials;
        if (partials.empty()) continue;
        const Term slope = function.slope(static_cast<int>(k), values.data(), result.value);
        result.partials.resize(partials.size());
        for (std::size_t i = 0; i < partials.size(); ++i)
            if (!partials[i].is(0)) result.partials[i] = total(result.partials[i], product(slope, partials[i]));
    }
    return result;
}

Term where(const Mask<Term>& mask, const Term& yes, const Term& no) {
    if (mask.m.is_number()) return mask.m.is(0) ? no : yes;
    return Term::choice(mask.m, yes, no, yes.is_number() ? no.is_number() ? mask.dtype : no.dtype() : yes.dtype());
}

Term mask_and(const Term& a, const Term& b) {
    if (a.is_number()) return a.is(0) ? a : b;
    if (b.is_number()) return mask_and(b, a);
    const std::array<Term, 2> both{a, b};
    return evaluate(formula_of<LogicalAnd>(), std::span<const Term>(both));
}

Term mask_or(const Term& a, const Term& b) {
    if (a.is_number()) return a.is(0) ? b : a;
    if (b.is_number()) return mask_or(b, a);
    const std::array<Term, 2> both{a, b};
    return evaluate(formula_of<LogicalOr>(), std::span<const Term>(both));
}

Term mask_not(const Term& a) { return a.is_number() ? Term(a.is(0) ? 1.0 : 0.0) : Term::opposite(a); }

TermDual where(const Mask<TermDual>& mask, const TermDual& yes, const TermDual& no) {
    const Mask<Term> of_values{{mask.m, mask.dtype}};
    TermDual result(where(of_values, yes.value, no.value));
    result.partials.resize(std::max(yes.partials.size(), no.partials.size()));
    for (std::size_t i = 0; i < result.partials.size(); ++i) {
        const Term a = yes.partial(i), b = no.partial(i);
        if (!a.is(0) || !b.is(0)) result.partials[i] = where(of_values, a, b);
    }
    return result;
}

}  // namespace wengert
