#pragma once

#include <array>
#include <concepts>
#include <optional>
#include <span>
#include <string_view>
#include <wengert/autograd/tape/backward.hpp>
#include <wengert/autograd/tape/forward.hpp>
#include <wengert/autograd/tape/input.hpp>
#include <wengert/autograd/tape/node.hpp>
#include <wengert/autograd/tape/observer.hpp>
#include <wengert/autograd/tape/recording.hpp>
#include <wengert/autograd/tensor/strided.hpp>

/// How an op becomes part of the tape.
///
/// An op is a type. What it must have, and what it may have:
///
///     struct Softmax {
///         static constexpr std::string_view name = "softmax";
///         static constexpr OpDoc doc{...};                        // its row in the op reference
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
///         static constexpr std::size_t workspace = 3;             // absent: see below
///         static constexpr bool symmetric_operand = true;         // absent: see below
///         Tensor jvp(const Forward& forward) const;               // absent: see below
///     };
///
/// A view op has `Tensor view(const Tensor& x) const` in place of shape() and forward(), `Tensor adjoint(const Tensor&
/// cotangent, const Shape& shape) const` in place of vjp(), `std::optional<Interval> interval() const` if it shows a
/// part of one axis only, `bool can_view(const Tensor& x) const` if it cannot show every strided tensor, and a member
/// `overlapping` if an element may appear twice. An op that is composed of others has `Tensor compute(const Inputs& in)
/// const`, a tensor of its own, in place of shape() and forward(). A public function hands the op and its operands to
/// apply().
///
/// forward() writes a new, contiguous tensor. An op that `accumulates` promises more: its forward() writes into any
/// strided Destination, and adds if that says so. Backward::add(input, op, ...) then computes it right into a
/// cotangent; or, if the op has can_merge(), merge() and ==, together with what waits there for an equal op.
///
/// Forward mode (jvp()) needs no rule of a view op. An op that is linear in its floating operands together says
/// `linear = true`; one that is linear in operand 0 and in operand 1, to which it adds operand 2 if there is one, says
/// `bilinear = true`; they are applied to tangents. Others have jvp(), which returns the result's tangent, computed by
/// ops; without one jvp() throws NotDifferentiableError.
///
/// An op with a workspace has `forward(in, out, const Workspace& workspace)`, which may leave so many tensors there for
/// its rule: back.workspace(i). It says which operands a tape follows, so that what only their rule needs is not made
/// for others.
///
/// An op with a `symmetric_operand` reads one triangle of the symmetric matrices in operand 0, and its rule gives the
/// derivative by a symmetric change: gradcheck_model() then changes both triangles.
namespace WENGERT_EXPORT wengert {

/// An op that shows its operand's elements.
template <class Op>
concept ViewOp = requires(const Op& op, const Tensor& x) {
    { op.view(x) } -> std::same_as<Tensor>;
};
/// An op that is one node, but computes by other ops.
template <class Op>
concept ComposedOp = requires(const Op& op, const Inputs& in) {
    { op.compute(in) } -> std::same_as<Tensor>;
};
/// The op's name: a static member, or a function of the op.
template <class Op>
std::string_view name_of(const Op& op) {
    if constexpr (requires { op.name(); })
        return op.name();
    else
        return Op::name;
}
/// What apply() takes: an op with a name, and a way to compute.
template <class Op>
concept Operation = requires(const Op& op, const Inputs& in) {
    { name_of(op) } -> std::convertible_to<std::string_view>;
}
&&(
    ViewOp<Op> || ComposedOp<Op> ||
    requires(const Op& op, const Inputs& in, const Destination& out) {
        { op.shape(in) } -> std::same_as<Shape>;
        op.forward(in, out);
    } ||
    requires(const Op& op, const Inputs& in, const Destination& out, const Workspace& workspace) {
        { op.shape(in) } -> std::same_as<Shape>;
        op.forward(in, out, workspace);
    });
/// An op whose results a tape follows: one with a vjp, or a view.
template <class Op>
concept Differentiable = Operation<Op> &&(ViewOp<Op> || requires(const Op& op, Backward& back) { op.vjp(back); });

template <Operation Op>
Tensor apply(const Op& op, const Inputs& in, const SourceLine& where);

/// The node of an op: its attributes, and what its rules need.
template <Differentiable Op>
class Recorded final : public Node {
  public:
    /// Keeps a copy of the op, with its attributes.
    explicit Recorded(const Op& op) : op_(op) {}
    std::string_view name() const override { return name_of(op_); }
    /// The op with its attributes.
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
    /// Whether the op can show that tensor without a copy.
    bool can_view(const Tensor& base) const override {
        if constexpr (requires { op_.can_view(base); })
            return op_.can_view(base);
        else
            return Node::can_view(base);
    }
    Tensor apply_view(const Tensor& base) const override {
        if constexpr (ViewOp<Op>)
            return apply(op_, {&base}, where());
        else
            return Node::apply_view(base);
    }
    Tensor apply_again(const Inputs& in) const override { return apply(op_, in, where()); }
    bool reads_parts() const override {
        if constexpr (requires { op_.reads_parts(); })
            return op_.reads_parts();
        else
            return Node::reads_parts();
    }
    bool takes_symmetric() const override {
        return requires { requires Op::symmetric_operand; };
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

/// What an op's node keeps: a static member, or a function of the op; nothing, if there is neither.
template <class Op>
constexpr Saves saves_of(const Op& op) {
    if constexpr (requires { op.saves(); })
        return op.saves();
    else if constexpr (requires { Op::saves; })
        return Op::saves;
    else
        return Saves::nothing;
}
/// How many of an op's inputs its node keeps, if it has as many, and whether it keeps the output.
template <class Op>
constexpr std::size_t saved_inputs(const Op& op) {
    const Saves saves = saves_of(op);
    if constexpr (requires { Op::saves_first; }) {
        static_assert(Op::saves == Saves::inputs || Op::saves == Saves::inputs_and_output,
                      "saves_first: saves no inputs");
        return Op::saves_first;
    }
    return saves == Saves::inputs || saves == Saves::inputs_and_output ? std::size_t(-1) : 0;
}
/// Whether an op's node keeps the output.
template <class Op>
constexpr bool saves_output(const Op& op) {
    return saves_of(op) == Saves::output || saves_of(op) == Saves::inputs_and_output;
}

/// How many tensors an op's forward() leaves for its rule.
template <class Op>
constexpr std::size_t workspace_size() {
    if constexpr (requires { Op::workspace; })
        return Op::workspace;
    else
        return 0;
}

/// "decoder.cell, step 3; rhs = parameter "decoder.cell.weight_ih"": the place, and the operands that have a name or a
/// node. `names` are the op's words for its operands, and may be fewer.
std::string describe_operands(const Inputs& in, std::span<const std::string_view> names);
/// Throws ValueError if an operand is an undefined tensor, and DtypeError if it `computes` with one that is stored
/// only.
void require_operands(const Inputs& in, bool computes);
/// For threads in which no tape and no pause lives, while a tape does elsewhere: throws TapeError if an operand was
/// recorded by one, and in a program's OpenMP region, where what is computed would be constant without a word.
void require_followed_by_none(const Inputs& in);
/// Why the result of an op is constant under a tape that follows none of its operands.
const ConstantCause* cause_among(const Inputs& in);
/// Of what an op computed while a Pause lived.
inline constexpr ConstantCause computed_in_pause{"it was computed, or what it was computed from, while a Pause lived",
                                                 false, 4};
/// Of what an op computed where no tape lived.
inline constexpr ConstantCause computed_without_tape{
    "it was computed, or what it was computed from, before this tape began or by another thread", false, 1};
/// Of what an op without a vjp computed.
template <class Op>
inline constexpr ConstantCause without_derivative{Op::name, true, 6};
/// The same for one op, whose name may depend on its attributes.
template <class Op>
const ConstantCause* cause_of(const Op& op) {
    if constexpr (requires { op.without_derivative(); })
        return op.without_derivative();
    else
        return &without_derivative<Op>;
}

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
/// composed of others, so that its errors speak of what the caller wrote: mean() never says "sum", and an undefined
/// tensor has its number among the caller's operands.
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

/// Says that an operand of a public function is an undefined tensor.
[[noreturn]] void refuse_undefined(std::string_view function, std::size_t operand, const SourceLine& where);

/// The tensor of an operand of a public function, by its number. That it is undefined, or a number, is that function's
/// error.
inline const Tensor& tensor_of(const Input& x, std::string_view function, std::size_t operand = 0) {
    if (x.is_undefined()) refuse_undefined(function, operand, x.where());
    return located(function, {x}, [&]() -> const Tensor& { return x.tensor(); });
}

/// An axis of an operand counted from the front. Throws ShapeError, in the function's name, for one that there is not.
inline int axis_of(const Input& x, int axis, std::string_view function) {
    return located(function, {x}, [&] { return normalize_axis(axis, x.tensor().rank()); });
}

/// The tangent of an op's result. Throws NotDifferentiableError if the op has no forward rule.
template <Operation Op>
Tensor tangent_of(const Op& op, const Forward& forward) {
    [[maybe_unused]] const auto apply_to = [&](const Inputs& in) { return apply(op, in, forward.where()); };
    if constexpr (requires { op.jvp(forward); }) {
        return op.jvp(forward);
    } else if constexpr (requires { op.can_view(forward.tangent(0)); }) {
        const Tensor& dx = forward.tangent(0);
        const Tensor shown = op.can_view(dx) ? dx : forward.contiguous_tangent(0);
        return apply_to({&shown});
    } else if constexpr (ViewOp<Op> || requires { requires Op::linear; }) {
        return forward.linear(apply_to);
    } else if constexpr (requires { requires Op::bilinear; }) {
        return forward.bilinear(apply_to);
    } else {
        throw NotDifferentiableError("the op has no forward rule, which jvp() needs; vjp() and grad() do not");
    }
}

/// Runs an op: checks its operands, computes, and, if a live tape follows one of them, records the node. Throws
/// ValueError for an undefined operand, DtypeError for one that is stored only unless the op is a view, TapeError for
/// one that a live tape of another thread recorded, that was overwritten since it was recorded, or whose tape has ended
/// while another lives here, and in a thread of a program's OpenMP region that has neither a Tape nor a Pause while a
/// tape lives. Whatever the op throws leaves with the op's name, the scope, the operands' names and the caller's line.
template <Operation Op>
Tensor apply(const Op& op, const Inputs& in, const SourceLine& where) {
    const ObservedWork work(name_of(op), Pass::forward);
    Tensor out;
    try {
        require_operands(in, !ViewOp<Op>);
        Recording* const recording = Recording::current();
        const RecordingScope* const forward_pass = Recording::forward_pass();
        const bool has_scope = Recording::is_in_scope();
        if (!has_scope && Recording::is_any_live()) [[unlikely]]
            require_followed_by_none(in);
        std::array<Tensor, workspace_size<Op>()> workspace;
        std::uint64_t followed = 0;
        if constexpr (workspace_size<Op>() > 0)
            if (recording != nullptr && recording->follows(in)) followed = recording->followed();
        {
            const Recording::Suspension suspension(recording,
                                                   forward_pass);  // an op is one node, whatever its forward() calls
            if constexpr (ViewOp<Op>) {
                out = op.view(in[0]);
            } else if constexpr (ComposedOp<Op>) {
                out = op.compute(in);
            } else {
                Dtype dtype = in[0].dtype();
                if constexpr (requires { op.dtype(in); }) dtype = op.dtype(in);
                Destination destination{Tensor::empty(op.shape(in), dtype)};
                if constexpr (workspace_size<Op>() > 0)
                    op.forward(in, destination, Workspace{workspace, followed});
                else
                    op.forward(in, destination);
                out = std::move(destination.tensor);
            }
        }
        if (Observer::is_listening()) [[unlikely]]
            Observer::notify(&Observer::computed, Applied(op, name_of(op), where), in, out);
        if (recording == nullptr) {
            out.state()->constant_cause = forward_pass != nullptr ? cause_among(in)
                                          : has_scope             ? &computed_in_pause
                                                                  : &computed_without_tape;
        } else if (!recording->follows(in)) {
            out.state()->constant_cause = cause_among(in);
        } else {
            if constexpr (Differentiable<Op>)
                recording->append<Recorded<Op>>(
                    op, in, {in.first(saved_inputs(op)), saves_output(op) ? &out : nullptr, workspace}, out, where);
            else
                out.state()->constant_cause = cause_of(op);
        }
        if constexpr (Differentiable<Op>)
            if (forward_pass != nullptr) [[unlikely]]
                push_tangents(*forward_pass, in, out, where,
                              [&op](const Forward& forward) { return tangent_of(op, forward); });
    } catch (Error& error) {
        std::span<const std::string_view> names;
        if constexpr (requires { Op::operands; }) names = Op::operands;
        error.locate(name_of(op), describe_operands(in, names), where);
        throw;
    }
    return out;
}

template <class Op, std::size_t n>
std::string_view Backward::Queue<Op, n>::name() const {
    return name_of(op);
}

/// The same for an op of one operand, as the public function was given it.
template <Operation Op>
Tensor apply(const Op& op, const Input& x) {
    return apply(op, {&tensor_of(x, name_of(op))}, x.where());
}

template <class Op, std::same_as<Tensor>... Operands>
void Backward::add(std::size_t input, const Op& op, const Operands&... operands) {
    if (!needs(input)) return;
    if (is_recorded()) return add(input, apply(op, {&operands...}, node_.where()));
    using Own = Queue<Op, sizeof...(Operands)>;
    if constexpr (requires(const Own& queue) { op.can_merge(queue.waiting.front(), operands...); }) {
        if (may_queue(input)) {
            std::unique_ptr<Pending>& pending = this->pending(input);
            if (pending == nullptr) pending = std::make_unique<Own>(op);
            // A queue of another op stays as it is; this contribution is then added at once.
            if (auto* const queue = dynamic_cast<Own*>(pending.get());
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
