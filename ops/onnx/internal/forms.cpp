#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <wengert/ops/elementwise/internal/integers.hpp>
#include <wengert/ops/elementwise/internal/map_op.hpp>
#include <wengert/ops/onnx/internal/forms.hpp>
#include <wengert/ops/onnx/internal/types.hpp>
#include <wengert/ops/onnx/internal/window_forms.hpp>
#include <wengert/ops/ops.hpp>

namespace wengert::onnx {
namespace {

Axes axes_of(const ReductionAxes& axes, int rank) {
    const auto flags = axes.flags(rank);
    Axes result;
    for (int axis = 0; axis < rank; ++axis)
        if (flags[static_cast<std::size_t>(axis)]) result.push_back(axis);
    return result;
}

std::int64_t only_axis(const Call& call, const ReductionAxes& axes) {
    const Axes all = axes_of(axes, call.in[0].rank());
    if (all.size() != 1) refuse(fmt::format("over {} axes together", all.size()));
    return all[0];
}

Axes lengths_of(const Shape& shape) { return Axes(shape.begin(), shape.end()); }

/// Scalar functions that ONNX has under a name of its own.
ValueId same(const Call& call, std::string_view onnx) {
    for (std::size_t i = 0; i < call.in.size(); ++i)
        if (call.in[i].dtype() == Dtype::boolean) refuse("of bools");
    return call.write(onnx, call.operands());
}

/// Comparisons of numbers; ONNX orders no bools.
ValueId comparison(const Call& call, std::string_view onnx) {
    std::vector<ValueId> operands = call.operands();
    if (call.in[0].dtype() == Dtype::boolean)
        for (ValueId& x : operands) x = call.recorder.cast(x, Dtype::int32);
    return call.write(onnx, operands);
}

ValueId plain(const Call& call, std::string_view onnx) { return call.write(onnx, call.operands()); }

ValueId not_equal(const Call& call, std::string_view) {
    return call.write("Not", {call.write("Equal", call.operands())});
}

ValueId logical(const Call& call, std::string_view onnx) {
    std::vector<ValueId> operands = call.operands();
    if (call.in[0].dtype() != Dtype::boolean)
        for (ValueId& x : operands) x = call.recorder.cast(x, Dtype::boolean);
    return call.write(onnx, operands);
}

ValueId square(const Call& call, std::string_view) {
    const ValueId x = call.operand(0);
    return call.write("Mul", {x, x});
}

ValueId rsqrt(const Call& call, std::string_view) {
    return call.write("Reciprocal", {call.write("Sqrt", {call.operand(0)})});
}

/// ReduceMax and its kin have their axes as an attribute.
template <class Op>
ValueId reduction(const Call& call, std::string_view onnx) {
    return call.write(
        onnx, {call.operand(0)},
        {{"axes", axes_of(call.as<Op>().axes, call.in[0].rank())}, {"keepdims", std::int64_t{call.keeps_dims()}}});
}

template <class Op>
ValueId position(const Call& call, std::string_view onnx) {
    return call.write(onnx, {call.operand(0)},
                      {{"axis", only_axis(call, call.as<Op>().axes)}, {"keepdims", std::int64_t{call.keeps_dims()}}});
}

ValueId sum_over(const Call& call, ValueId x, const Axes& axes) {
    return call.write("ReduceSum", {x, call.recorder.vector(axes)}, {{"keepdims", std::int64_t{call.keeps_dims()}}});
}

ValueId sum_of(const Call& call, std::string_view) {
    return sum_over(call, call.operand(0), axes_of(call.as<MapOp<false, true>>().sums, call.in[0].rank()));
}

ValueId count(const Call& call, std::string_view) {
    const ValueId truth = call.recorder.cast(call.operand(0), Dtype::boolean);
    return sum_over(call, call.recorder.cast(truth, Dtype::int64),
                    axes_of(call.as<CountNonzero>().axes, call.in[0].rank()));
}

/// A row of minus infinities has weights of 0 here, and of NaN in ONNX.
ValueId softmax_of(const Call& call, std::string_view) {
    const std::int64_t axis = only_axis(call, call.as<Softmax>().axes);
    const Dtype dtype = call.out.dtype();
    const ValueId x = call.operand(0);
    const ValueId weights = call.write("Softmax", {x}, {{"axis", axis}});
    const ValueId largest = call.write("ReduceMax", {x}, {{"axes", Axes{axis}}, {"keepdims", std::int64_t{1}}});
    const ValueId none =
        call.write("Equal", {largest, call.recorder.number(-std::numeric_limits<double>::infinity(), dtype)});
    return call.write("Where", {none, call.recorder.number(0, dtype), weights});
}

ValueId log_softmax_of(const Call& call, std::string_view) {
    return call.write("LogSoftmax", {call.operand(0)}, {{"axis", only_axis(call, call.as<LogSoftmax>().axes)}});
}

/// An axis of length 1 that is added or taken away says so, whatever the other lengths are.
ValueId reshape_of(const Call& call, std::string_view) {
    const Shape &from = call.in[0].shape(), &to = call.as<Reshape>().to;
    const bool is_longer = to.rank() == from.rank() + 1;
    if (is_longer || to.rank() + 1 == from.rank()) {
        Shape longer = is_longer ? to : from;
        const Shape& shorter = is_longer ? from : to;
        for (int axis = 0; axis < longer.rank(); ++axis) {
            if (longer[axis] != 1) continue;
            Shape without = longer;
            without.erase(axis);
            if (without == shorter)
                return call.write(is_longer ? "Unsqueeze" : "Squeeze", {call.operand(0), call.recorder.vector({axis})});
        }
    }
    return call.write("Reshape", {call.operand(0), call.recorder.vector(lengths_of(to))},
                      {{"allowzero", std::int64_t{1}}});
}

ValueId permute_of(const Call& call, std::string_view) {
    return call.write("Transpose", {call.operand(0)}, {{"perm", lengths_of(call.as<Permute>().order)}});
}

ValueId expand_of(const Call& call, std::string_view) {
    return call.write("Expand", {call.operand(0), call.recorder.vector(lengths_of(call.as<Expand>().to))});
}

ValueId slice_of(const Call& call, std::string_view) {
    const Slice& op = call.as<Slice>();
    return call.write("Slice", {call.operand(0), call.recorder.vector({op.begin}), call.recorder.vector({op.end}),
                                call.recorder.vector({op.axis})});
}

ValueId select_of(const Call& call, std::string_view) {
    const Select& op = call.as<Select>();
    const ValueId x = call.operand(0), part = call.recorder.part_of(x, op.axis, op.index);
    if (part != no_value) return part;
    return call.write("Gather", {x, call.recorder.number(static_cast<double>(op.index), Dtype::int64)},
                      {{"axis", std::int64_t{op.axis}}});
}

ValueId concat_of(const Call& call, std::string_view) {
    return call.write("Concat", call.operands(), {{"axis", std::int64_t{call.as<Concat>().axis}}});
}

ValueId stack_of(const Call& call, std::string_view) {
    return call.write("Stack", call.operands(), {{"axis", std::int64_t{call.as<Stack>().axis}}});
}

/// Zeros around x.
ValueId put_slice_of(const Call& call, std::string_view) {
    const PutSlice& op = call.as<PutSlice>();
    Axes pads(2 * static_cast<std::size_t>(op.to.rank()));
    pads[static_cast<std::size_t>(op.axis)] = op.begin;
    pads[static_cast<std::size_t>(op.to.rank() + op.axis)] = op.to[op.axis] - op.end;
    return call.write("Pad", {call.operand(0), call.recorder.vector(pads)});
}

ValueId cumsum_of(const Call& call, std::string_view) {
    const CumSum& op = call.as<CumSum>();
    return call.write("CumSum", {call.operand(0), call.recorder.number(op.axis, Dtype::int64)},
                      {{"reverse", std::int64_t{op.reverse}}});
}

ValueId scatter_of(const Call& call, std::string_view) {
    return call.write("ScatterElements", {call.operand(1), call.operand(0), call.operand(2)},
                      {{"axis", std::int64_t{call.as<Scatter>().axis}}});
}

ValueId convert_of(const Call& call, std::string_view) {
    return call.recorder.cast(call.operand(0), call.as<Convert>().to);
}

ValueId contiguous_of(const Call& call, std::string_view) { return call.operand(0); }

ValueId linear_of(const Call& call, std::string_view) {
    const std::int64_t transposed = 1;
    if (call.in[0].rank() == 2 && (call.in.size() == 2 || call.in[2].rank() <= 2))
        return call.write("Gemm", call.operands(), {{"transB", transposed}});
    const ValueId weight = call.write("Transpose", {call.operand(1)}, {{"perm", Axes{1, 0}}});
    const ValueId product = call.write("MatMul", {call.operand(0), weight});
    return call.in.size() == 2 ? product : call.write("Add", {product, call.operand(2)});
}

ValueId embedding_of(const Call& call, std::string_view) {
    return call.write("Gather", {call.operand(0), call.operand(1)}, {{"axis", std::int64_t{0}}});
}

ValueId gather_of(const Call& call, std::string_view) {
    return call.write("GatherElements", {call.operand(1), call.operand(0)},
                      {{"axis", std::int64_t{call.as<Gather>().axis}}});
}

ValueId layer_norm_of(const Call& call, std::string_view) {
    const auto& op = call.as<NormalisedRows<true>>();
    std::vector<ValueId> operands = call.operands();
    const Dtype dtype = call.out.dtype();
    if (!op.has_weight)
        operands.insert(operands.begin() + 1, call.recorder.value_of(ones({call.in[0].dim(-1)}, dtype)));
    return call.write("LayerNormalization", operands,
                      {{"axis", std::int64_t{-1}}, {"epsilon", static_cast<float>(op.eps)}});
}

ValueId rms_norm_of(const Call& call, std::string_view) {
    const auto& op = call.as<NormalisedRows<false>>();
    const ValueId x = call.operand(0), square = call.write("Mul", {x, x});
    const ValueId mean =
        call.write("ReduceMean", {square}, {{"axes", Axes{call.in[0].rank() - 1}}, {"keepdims", std::int64_t{1}}});
    const ValueId sum = call.write("Add", {mean, call.recorder.number(op.eps, call.out.dtype())});
    ValueId result = call.write("Div", {x, call.write("Sqrt", {sum})});
    const std::size_t bias = op.has_weight ? 2 : 1;
    if (op.has_weight) result = call.write("Mul", {result, call.operand(1)});
    return call.in.size() > bias ? call.write("Add", {result, call.operand(bias)}) : result;
}

/// What the op computes without holding the scores, spelled out.
ValueId attention_of(const Call& call, std::string_view) {
    const auto& op = call.as<DotProductAttention>();
    if (op.causal || op.dropout > 0) refuse(op.causal ? "with causal" : "with dropout");
    return call.recorder.open(call.op, [&] {
        const Tensor scores = matmul(call.in[0], transpose(call.in[1])) * op.scale;
        return matmul(softmax(call.in.size() > 3 ? scores + call.in[3] : scores), call.in[2]);
    });
}

/// How an op is written. The type is asked for beside the name, which an op of a user may have, too.
struct Form {
    std::string_view op;
    bool (*is)(const Applied& op);
    ValueId (*write)(const Call& call, std::string_view onnx);
    std::string_view onnx = {};  ///< the operator's name, where `write` serves several
};
using Write = ValueId (*)(const Call&, std::string_view);

template <class... Ops>
bool is_any(const Applied& op) {
    return ((op.as<Ops>() != nullptr) || ...);
}
constexpr Form function(std::string_view name, Write write, std::string_view onnx = {}) {
    return {name, is_any<MapOp<false, false>, IntegerOp, ComparisonOp>, write, onnx};
}
template <class Op>
constexpr Form op(Write write, std::string_view onnx = {}) {
    return {Op::name, is_any<Op>, write, onnx};
}

constexpr std::array forms{
    function("abs", same, "Abs"),
    function("acos", same, "Acos"),
    function("acosh", same, "Acosh"),
    function("add", same, "Add"),
    op<AMax>(reduction<AMax>, "ReduceMax"),
    op<AMin>(reduction<AMin>, "ReduceMin"),
    op<ArgMax>(position<ArgMax>, "ArgMax"),
    op<ArgMin>(position<ArgMin>, "ArgMin"),
    function("asin", same, "Asin"),
    function("asinh", same, "Asinh"),
    function("atan", same, "Atan"),
    function("atanh", same, "Atanh"),
    op<AvgPool>(avg_pool_of),
    function("ceil", same, "Ceil"),
    op<Concat>(concat_of),
    op<Contiguous>(contiguous_of),
    op<Convert>(convert_of),
    op<Convolution>(convolution_of),
    function("cos", same, "Cos"),
    function("cosh", same, "Cosh"),
    op<CountNonzero>(count),
    op<CumSum>(cumsum_of),
    op<Det>(plain, "Det"),
    function("div", same, "Div"),
    op<EmbeddingLookup>(embedding_of),
    function("equal", plain, "Equal"),
    function("erf", same, "Erf"),
    function("exp", same, "Exp"),
    op<Expand>(expand_of),
    function("floor", same, "Floor"),
    op<Gather>(gather_of),
    function("greater", comparison, "Greater"),
    function("greater_equal", comparison, "GreaterOrEqual"),
    function("hardswish", same, "HardSwish"),
    op<NormalisedRows<true>>(layer_norm_of),
    function("less", comparison, "Less"),
    function("less_equal", comparison, "LessOrEqual"),
    op<LinearProduct>(linear_of),
    function("log", same, "Log"),
    op<LogSoftmax>(log_softmax_of),
    op<LogSumExp>(reduction<LogSumExp>, "ReduceLogSumExp"),
    function("logical_and", logical, "And"),
    function("logical_or", logical, "Or"),
    function("logical_xor", logical, "Xor"),
    op<MatMul>(plain, "MatMul"),
    op<Max>(reduction<Max>, "ReduceMax"),
    function("maximum", same, "Max"),
    op<Min>(reduction<Min>, "ReduceMin"),
    function("minimum", same, "Min"),
    function("mul", same, "Mul"),
    function("neg", same, "Neg"),
    function("not_equal", not_equal),
    op<Permute>(permute_of),
    op<PoolArgMax>(pool_argmax_of),
    function("pow", same, "Pow"),
    op<Prod>(reduction<Prod>, "ReduceProd"),
    op<PutSlice>(put_slice_of),
    function("reciprocal", same, "Reciprocal"),
    function("relu", same, "Relu"),
    op<Reshape>(reshape_of),
    op<NormalisedRows<false>>(rms_norm_of),
    function("round", same, "Round"),
    function("rsqrt", rsqrt),
    op<DotProductAttention>(attention_of),
    op<Scatter>(scatter_of),
    op<Select>(select_of),
    function("sigmoid", same, "Sigmoid"),
    function("sign", same, "Sign"),
    function("sin", same, "Sin"),
    function("sinh", same, "Sinh"),
    op<Slice>(slice_of),
    op<Softmax>(softmax_of),
    function("softplus", same, "Softplus"),
    function("softsign", same, "Softsign"),
    function("sqrt", same, "Sqrt"),
    function("square", square),
    op<Stack>(stack_of),
    function("sub", same, "Sub"),
    Form{"sum", is_any<MapOp<false, true>>, sum_of},
    function("tan", same, "Tan"),
    function("tanh", same, "Tanh"),
    op<TransposedConvolution>(transposed_convolution_of),
    op<Where>(plain, "Where"),
};

/// A formula as the ops that it is composed of; no_value if the op is none, or one that no others make up.
template <bool captures, bool summed>
ValueId open_formula(const Call& call) {
    const auto* const op = call.op.as<MapOp<captures, summed>>();
    if (op == nullptr || op->formula->compose == nullptr) return no_value;
    const Formula& formula = *op->formula;
    return call.recorder.open(call.op, [&] {
        std::vector<TermDual> x;
        for (std::size_t k = 0; k < call.in.size(); ++k) x.emplace_back(Term(call.in[k]));
        std::array<TermDual, most_results> y;
        formula.compose(&op->captured, x.data(), y.data());
        const Shape space = BoundFormula{formula, &op->captured}.space(call.in);
        std::vector<Tensor> results;
        for (int r = 0; r < formula.results; ++r) {
            const Term& value = y[static_cast<std::size_t>(r)].value;
            results.push_back(
                expand(value.is_number() ? scalar(value.number(), call.out.dtype()) : value.tensor(), space));
        }
        if constexpr (summed) return sum(results[0], op->sums);
        return results.size() == 1 ? results[0] : stack(results, 0);
    });
}

}  // namespace

std::string describe(const Applied& op) {
    const std::string place = to_string(current_place()), line = to_string(op.where());
    return fmt::format("{}{}{}{}{}{}", op.name(), place.empty() && line.empty() ? "" : " (", place,
                       place.empty() || line.empty() ? "" : ", ", line.empty() ? "" : "at " + line,
                       place.empty() && line.empty() ? "" : ")");
}

void refuse(std::string_view how) {
    throw ValueError(fmt::format("{}{}has no ONNX form", how, how.empty() ? "" : " "));
}

ValueId write_form(Recorder& recorder, const Applied& op, const Inputs& in, const Tensor& out) {
    const Call call{recorder, op, in, out};
    const auto form = std::ranges::find(forms, op.name(), &Form::op);
    if (form != forms.end() && form->is(op)) return form->write(call, form->onnx);
    for (const auto open :
         {open_formula<false, false>, open_formula<true, false>, open_formula<false, true>, open_formula<true, true>})
        if (const ValueId id = open(call); id != no_value) return id;
    refuse();
}

}  // namespace wengert::onnx
