#include <fmt/format.h>

#include <algorithm>
#include <vector>
#include <wengert/autograd/observe/node_text.hpp>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/elementwise/internal/formula_text.hpp>
#include <wengert/ops/elementwise/internal/integers.hpp>
#include <wengert/ops/elementwise/internal/map_op.hpp>
#include <wengert/ops/elementwise/internal/nest.hpp>
#include <wengert/ops/elementwise/promotion.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/shape/concat.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {

Shape BoundFormula::space(const Inputs& in) const {
    Shape result = in[0].shape();
    for (std::size_t k = 1; k < in.size(); ++k) result = broadcast(result, in[k].shape());
    return result;
}

Shape BoundFormula::space(const Backward& back) const {
    if (!formula.summed) {
        Shape result = back.cotangent().shape();
        if (formula.results > 1) result.erase(0);
        return result;
    }
    if (formula.linear) return back.input_shape(0);
    Shape result = back.saved(0).shape();
    for (int k = 1; k < formula.operands; ++k)
        result = broadcast(result, back.saved(static_cast<std::size_t>(k)).shape());
    return result;
}

Shape BoundFormula::shape(const Inputs& in) const {
    for (std::size_t k = 0; k < in.size(); ++k) require_floating(in[k], "an operand");
    Shape result = space(in);
    if (sums != nullptr) return sums->reduced(result);
    if (formula.results > 1) result.insert(0, formula.results);
    return result;
}

/// The third reading: a composition of elementary ops, which the tape records.
void BoundFormula::compose_vjp(Backward& back) const {
    const int operands = formula.operands;
    std::vector<TermDual, CachedAllocator<TermDual>> x;
    for (int k = 0; k < operands; ++k) {
        const auto at = static_cast<std::size_t>(k);
        const Term value = formula.linear ? Term() : Term(back.saved(at));
        if (back.needs(at))
            x.emplace_back(value, k, operands);
        else
            x.emplace_back(value);
    }
    std::array<TermDual, most_results> y;
    formula.compose(f, x.data(), y.data());
    const Shape space = this->space(back);
    for (int k = 0; k < operands; ++k) {
        const auto at = static_cast<std::size_t>(k);
        if (!back.needs(at)) continue;
        Tensor total;
        for (int r = 0; r < formula.results; ++r) {
            const Term partial = y[static_cast<std::size_t>(r)].partial(at);
            if (partial.is(0) || (formula.results > 1 && back.is_unset(r))) continue;
            Tensor cotangent = formula.results > 1 ? select(back.cotangent(), 0, r) : back.cotangent();
            if (sums != nullptr) cotangent = reshape(cotangent, sums->kept(space));
            const std::array<Term, 2> factors{Term(cotangent), partial};
            const Tensor part = evaluate(formula_of<Mul>(), std::span<const Term>(factors)).tensor();
            total = total.defined() ? total + part : part;
        }
        if (total.defined()) back.add(at, sum_to(expand(total, space), back.input_shape(at)));
    }
}

/// The third reading again, with one partial: each operand's is its tangent, the result's is what they make of it.
Tensor BoundFormula::jvp(const Forward& forward) const {
    std::vector<TermDual, CachedAllocator<TermDual>> x;
    Shape space = forward.input(0).shape();
    for (std::size_t k = 0; k < forward.input_count(); ++k) {
        space = broadcast(space, forward.input(k).shape());
        x.emplace_back(formula.linear ? Term() : Term(forward.input(k)));
        if (forward.has(k)) x.back().partials = {Term(forward.tangent(k))};
    }
    std::array<TermDual, most_results> y;
    formula.compose(f, x.data(), y.data());
    std::vector<Tensor> tangents;
    for (int r = 0; r < formula.results; ++r) {
        const Term partial = y[static_cast<std::size_t>(r)].partial(0);
        tangents.push_back(expand(
            partial.is_number() ? full({}, partial.number(), forward.output().dtype()) : partial.tensor(), space));
    }
    if (sums != nullptr) return sum(tangents[0], *sums);
    return formula.results > 1 ? stack(tangents, 0) : tangents[0];
}

namespace {

/// Pictures tell the formula of each node.
[[maybe_unused]] const bool formulas_are_told = (formula_of_node = formula_text, true);

/// The same for tensors of one dtype.
template <bool summed>
Tensor apply_to_alike(const Formula& formula, const void* f, std::size_t bytes, const ReductionAxes* axes,
                      std::span<const Input> operands, Dtype dtype) {
    const SourceLine& where = operands[0].where();
    // Most ops have few operands, and setting up 32 handles would take longer than they do.
    const auto apply_with = [&](auto& numbers, auto& pointers) {
        for (std::size_t k = 0; k < operands.size(); ++k) {
            if (operands[k].is_number()) numbers[k] = operands[k].as(dtype);
            pointers[k] = operands[k].is_number() ? &numbers[k] : &operands[k].tensor();
        }
        const Inputs in(std::span<const Tensor* const>(pointers.data(), operands.size()));
        if constexpr (!summed) {
            if (formula.compose == nullptr) return apply(ComparisonOp{&formula}, in, where);
            if (!is_floating(dtype) && has_integers(formula)) return apply(IntegerOp{&formula}, in, where);
        }
        const auto with_axes = [&](auto& op) {
            if constexpr (summed) op.sums = *axes;
        };
        if (bytes == 0) {
            MapOp<false, summed> op{&formula};
            with_axes(op);
            return apply(op, in, where);
        }
        MapOp<true, summed> op{&formula};
        std::memcpy(op.captured.bytes.data(), f, bytes);
        with_axes(op);
        return apply(op, in, where);
    };
    if (operands.size() <= 3) {
        std::array<Tensor, 3> numbers;
        std::array<const Tensor*, 3> pointers;
        return apply_with(numbers, pointers);
    }
    std::array<Tensor, most_operands> numbers;
    std::array<const Tensor*, most_operands> pointers;
    return apply_with(numbers, pointers);
}

template <bool summed>
Tensor apply_to_inputs(const Formula& formula, const void* f, std::size_t bytes, const ReductionAxes* axes,
                       std::span<const Input> operands) {
    const SourceLine& where = operands[0].where();
    for (std::size_t k = 0; k < operands.size(); ++k)
        if (operands[k].is_undefined()) refuse_undefined(formula.name, k, where);
    const auto tensor = std::ranges::find_if_not(operands, &Input::is_number);
    if (tensor == operands.end())
        located(formula.name, {}, where, [] { throw ValueError("all operands are numbers"); });
    const Dtype first = tensor->tensor().dtype();
    const auto differs = [first](const Input& x) { return !x.is_number() && x.tensor().dtype() != first; };
    if (is_floating(first) && std::ranges::none_of(operands, differs))
        return apply_to_alike<summed>(formula, f, bytes, axes, operands, first);
    Dtype dtype = Dtype::float32;
    const std::vector<Tensor> tensors = located(formula.name, {}, where, [&] {
        if (const Dtype all = promoted_dtype(operands); is_floating(all) || &formula != &formula_of<Div>()) dtype = all;
        return promoted(operands, dtype);
    });
    std::vector<Input> inputs;
    for (std::size_t k = 0; k < operands.size(); ++k) inputs.emplace_back(tensors[k], operands[k].where());
    return apply_to_alike<summed>(formula, f, bytes, axes, inputs, dtype);
}

}  // namespace

Tensor apply_formula(const Formula& formula, const void* f, std::size_t bytes, std::span<const Input> operands) {
    return apply_to_inputs<false>(formula, f, bytes, nullptr, operands);
}

Tensor apply_sum(const Formula& formula, const void* f, std::size_t bytes, const ReductionAxes& axes,
                 std::span<const Input> operands) {
    return apply_to_inputs<true>(formula, f, bytes, &axes, operands);
}

Tensor select_result(const Tensor& results, int r, const SourceLine& where) {
    return select(Input(results, where), 0, r);
}

}  // namespace wengert
