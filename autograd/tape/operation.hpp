#pragma once

#include <array>
#include <concepts>
#include <optional>
#include <span>
#include <string_view>
#include <wengert/autograd/observe/profile.hpp>
#include <wengert/autograd/tape/backward.hpp>
#include <wengert/autograd/tape/node.hpp>
#include <wengert/autograd/tape/recording.hpp>
#include <wengert/autograd/tensor/strided.hpp>

/// How an op becomes part of the tape.
///
/// An op is a type. What it must have, and what it may have:
///
///     struct Softmax {
///         static constexpr std::string_view name = "softmax";
///         static constexpr Saves saves = Saves::output;           // what vjp() asks back with saved()
///         int axis;                                               // attributes
///         Shape shape(const Inputs& in) const;                    // the only place that throws its shape errors
///         void forward(const Inputs& in, const Destination& out) const;
///         void vjp(Backward& back) const;                         // absent: the result is a constant
///         static std::vector<Sample> samples();                   // inputs of its gradient check
///         Dtype dtype(const Inputs& in) const;                    // absent: that of the first input
///         static constexpr std::array operands{"x"};              // absent: operands have no names in errors
///         static constexpr std::size_t saves_first = 2;           // absent: Saves::inputs means all of them
///         static constexpr bool accumulates = true;               // absent: see below
///     };
///
/// A view op has `Tensor view(const Tensor& x) const` in place of shape() and forward(), `Tensor adjoint(const Tensor&
/// cotangent, const Shape& shape) const` in place of vjp(), `std::optional<Interval> interval() const` if it shows a
/// part of one axis only, and `bool can_view(const Tensor& x) const` if it cannot show every strided tensor. A public
/// function hands the op and its operands to apply().
///
/// forward() writes a new, contiguous tensor. An op that `accumulates` promises more: its forward() writes into any
/// strided Destination, and adds if that says so. Backward::add(input, op, ...) then computes it right into a
/// cotangent; or, if the op has can_merge(), merge() and ==, together with what waits there for an equal op.
namespace wengert {

/// An operand of a public op: a tensor, or a number that takes the other operands' dtype. Made by conversion at the
/// call, where it notes the caller's line.
class Input {
  public:
    Input(const Tensor& tensor, const SourceLine& where = std::source_location::current())
        : tensor_(&tensor), where_(where) {}
    template <class T>
    requires std::is_arithmetic_v<T> Input(T value, const SourceLine& where = std::source_location::current())
        : value_(static_cast<double>(value)), where_(where) {}

    /// The tensor; throws ValueError if it is undefined or the operand is a number.
    const Tensor& tensor() const;
    bool is_number() const { return tensor_ == nullptr; }
    bool is_undefined() const { return tensor_ != nullptr && !tensor_->defined(); }
    /// The tensor, or the number as a scalar of `dtype`.
    Tensor as(Dtype dtype) const { return is_number() ? scalar(value_, dtype) : tensor(); }
    const SourceLine& where() const { return where_; }

  private:
    const Tensor* tensor_ = nullptr;
    double value_ = 0;
    SourceLine where_;
};

template <class Op>
concept ViewOp = requires(const Op& op, const Tensor& x) {
    { op.view(x) } -> std::same_as<Tensor>;
};
template <class Op>
concept Operation = requires(const Op& op, const Inputs& in) {
    { Op::name } -> std::convertible_to<std::string_view>;
}
&&(ViewOp<Op> || requires(const Op& op, const Inputs& in, const Destination& out) {
    { op.shape(in) } -> std::same_as<Shape>;
    op.forward(in, out);
});
template <class Op>
concept Differentiable = Operation<Op> &&(ViewOp<Op> || requires(const Op& op, Backward& back) { op.vjp(back); });

/// The node of an op: its attributes, and what its rules need.
template <Differentiable Op>
class Recorded final : public Node {
  public:
    explicit Recorded(const Op& op) : op_(op) {}
    std::string_view name() const override { return Op::name; }
    const Op& op() const { return op_; }

    void vjp(Backward& back) const override {
        if constexpr (ViewOp<Op>)
            back.add(0, op_.adjoint(back.cotangent(), back.input_shape(0)));
        else
            op_.vjp(back);
    }
    bool is_view() const override {
        if constexpr (requires { Op::overlapping; })
            return false;
        else
            return ViewOp<Op>;
    }
    Tensor view(const Tensor& base) const override {
        if constexpr (ViewOp<Op>)
            return op_.view(base);
        else
            return Node::view(base);
    }
    bool can_view(const Tensor& base) const override {
        if constexpr (requires { op_.can_view(base); })
            return op_.can_view(base);
        else
            return Node::can_view(base);
    }
    std::optional<Interval> interval() const override {
        if constexpr (requires { op_.interval(); })
            return op_.interval();
        else
            return std::nullopt;
    }

  private:
    Op op_;
};

/// How many of an op's inputs its node keeps, if it has as many, and whether it keeps the output.
template <class Op>
constexpr std::size_t saved_inputs() {
    if constexpr (requires { Op::saves_first; }) {
        static_assert(Op::saves == Saves::inputs || Op::saves == Saves::inputs_and_output,
                      "saves_first: saves no inputs");
        return Op::saves_first;
    } else if constexpr (requires { Op::saves; })
        return Op::saves == Saves::inputs || Op::saves == Saves::inputs_and_output ? std::size_t(-1) : 0;
    else
        return 0;
}
template <class Op>
constexpr bool saves_output() {
    if constexpr (requires { Op::saves; })
        return Op::saves == Saves::output || Op::saves == Saves::inputs_and_output;
    else
        return false;
}

/// Throws ValueError if an operand is an undefined tensor.
void require_defined(const Inputs& in);
/// That the result of an op with these operands, none of which is followed, comes from an op without derivative.
const char* constant_because(const Inputs& in);

/// What f throws leaves with the function's name, the scope, the operands' names and the caller's line, also if f has
/// run ops that say theirs. For what a public function finds out before it calls apply().
template <class F>
decltype(auto) located(std::string_view function, const Inputs& in, const SourceLine& where, const F& f) {
    try {
        return f();
    } catch (Error& error) {
        error.relocate(function, describe_operands(in, {}), where);
        throw;
    }
}

/// The same with the operands as the caller gave them, undefined tensors and numbers too. For a public function that is
/// composed of others, so that its errors speak of what the caller wrote: mean() never says "sum".
void relocate(Error& error, std::string_view function, std::initializer_list<Input> operands);
template <class F>
decltype(auto) located(std::string_view function, std::initializer_list<Input> operands, const F& f) {
    try {
        return f();
    } catch (Error& error) {
        relocate(error, function, operands);
        throw;
    }
}

/// The tensor of an operand of a public function. That it is undefined, or a number, is that function's error.
inline const Tensor& tensor_of(const Input& x, std::string_view function) {
    return located(function, {x}, [&]() -> const Tensor& { return x.tensor(); });
}

/// An axis of an operand counted from the front, or an axis among `more` than it has.
inline int axis_of(const Input& x, int axis, std::string_view function, int more = 0) {
    return located(function, {x}, [&] { return normalize_axis(axis, x.tensor().rank() + more); });
}

/// Runs an op: checks its operands, computes, and, if a live tape follows one of them, records the node.
/// Whatever the op throws leaves with the op's name, the scope, the operands' names and the caller's line.
template <Operation Op>
Tensor apply(const Op& op, const Inputs& in, const SourceLine& where) {
    const CostTimer timer(Op::name, current_place(), Pass::forward);
    Tensor out;
    try {
        require_defined(in);
        if constexpr (ViewOp<Op>) {
            out = op.view(in[0]);
        } else {
            Dtype dtype = in[0].dtype();
            if constexpr (requires { op.dtype(in); }) dtype = op.dtype(in);
            Destination destination{Tensor::empty(op.shape(in), dtype)};
            op.forward(in, destination);
            out = std::move(destination.tensor);
        }
        if (detecting_anomalies()) {
            if constexpr (requires { Op::operands; })
                require_finite_output(in.first(Op::operands.size()), out);
            else
                require_finite_output(in, out);
        }
        if (Recording* const recording = Recording::current()) {
            if constexpr (Differentiable<Op>) {
                if (recording->follows(in)) {
                    recording->append<Recorded<Op>>(op, in, in.first(saved_inputs<Op>()), saves_output<Op>(), out,
                                                    where);
                }
            } else if (recording->follows(in)) {
                out.state()->constant_because = Op::name.data();
            }
            if (out.state()->recording == 0 && out.state()->constant_because == nullptr)
                out.state()->constant_because = constant_because(in);
        }
    } catch (Error& error) {
        std::span<const std::string_view> names;
        if constexpr (requires { Op::operands; }) names = Op::operands;
        error.locate(Op::name, describe_operands(in, names), where);
        throw;
    }
    return out;
}

/// The same for an op of one operand, as the public function was given it.
template <Operation Op>
Tensor apply(const Op& op, const Input& x) {
    return apply(op, {&tensor_of(x, Op::name)}, x.where());
}

template <class Op, std::same_as<Tensor>... Operands>
void Backward::add(std::size_t input, const Op& op, const Operands&... operands) {
    if (!needs(input)) return;
    if (recording()) return add(input, apply(op, {&operands...}, node_.where()));
    using Queue = Backward::Queue<Op, sizeof...(Operands)>;
    if constexpr (requires(const Queue& queue) { op.can_merge(queue.waiting.front(), operands...); }) {
        if (may_queue(input)) {
            std::unique_ptr<Pending>& pending = this->pending(input);
            if (pending == nullptr) pending = std::make_unique<Queue>(op);
            // A queue of another op stays as it is; this contribution is then added at once.
            if (auto* const queue = dynamic_cast<Queue*>(pending.get());
                queue != nullptr && queue->op == op &&
                (queue->waiting.empty() || op.can_merge(queue->waiting.front(), operands...))) {
                queue->waiting.push_back({operands...});
                return;
            }
        }
    }
    const std::array<const Tensor*, sizeof...(Operands)> pointers{&operands...};
    const Inputs in{std::span<const Tensor* const>(pointers)};
    if constexpr (requires { requires Op::accumulates; }) {
        op.forward(in, target(input));
    } else {
        Destination contribution{Tensor::empty(op.shape(in), in[0].dtype())};
        op.forward(in, contribution);
        add(input, std::move(contribution.tensor));
    }
}

}  // namespace wengert
