#include <fmt/format.h>

#include <wengert/autograd/tape/internal/request.hpp>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/autograd/transform/derivatives.hpp>
#include <wengert/autograd/transform/internal/variable.hpp>

namespace wengert {
namespace {

using Tensors = std::vector<Tensor>;

void require_argument(const Tensor& x, std::size_t i) {
    if (!x.defined()) throw ValueError(fmt::format("argument {} is an undefined tensor", i));
    if (!is_floating(x.dtype()))
        throw DtypeError(fmt::format("argument {} {} is {}, which has no derivative", i, to_string(x.shape()),
                                     to_string(x.dtype())));
}

/// For a derivative along directions, one for each argument.
void require_directions(std::string_view what, const Tensors& directions, const Tensors& inputs) {
    if (directions.size() != inputs.size())
        throw ValueError(fmt::format("{} {}s for {} arguments", directions.size(), what, inputs.size()));
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const Tensor &x = inputs[i], &direction = directions[i];
        require_argument(x, i);
        if (!direction.defined()) throw ValueError(fmt::format("{} {} is an undefined tensor", what, i));
        if (direction.shape() != x.shape() || direction.dtype() != x.dtype())
            throw ShapeError(fmt::format("{} {} {} {} is not like argument {} {}", what, i,
                                         to_string(direction.shape()), to_string(direction.dtype()),
                                         to_string(x.shape()), to_string(x.dtype())));
    }
}

Tensor constant_zeros_like(const Tensor& x) {
    Tensor result = zeros(x.shape(), x.dtype());
    result.state()->constant_cause = &constant_gradient;
    return result;
}

/// One evaluation of a function on a tape, and as many passes back as are asked for.
class Evaluation {
    template <class F>
    decltype(auto) located(const F& f) const {
        return wengert::located(name_, Inputs(std::span<const Tensor* const>()), where_, f);
    }

  public:
    Evaluation(std::string_view name, const TensorFunction& f, const Tensors& inputs, const SourceLine& where)
        : name_(name), where_(where) {
        for (const Tensor& x : inputs) located([&] { variables_.push_back(variable(x)); });
        value_ = f(variables_);
        located([&] {
            if (!value_.defined()) throw ValueError("the result is an undefined tensor");
            is_constant_ = tape_.find(value_) == no_node && value_.state()->constant_cause == &constant_gradient;
        });
    }

    /// The value, as the caller's tape has it, or as a constant.
    Tensor value() const { return is_recorded_ ? value_ : constant_with_tangents(value_); }

    Tensors gradients(const Tensor& cotangent, bool is_last = true) {
        located([&] {
            if (!cotangent.defined() && value_.numel() != 1)
                throw ShapeError(
                    fmt::format("the result {} is no scalar; vjp() and jacobian() take it", to_string(value_.shape())));
            if (is_constant_ && cotangent.defined() && cotangent.shape() != value_.shape())
                throw ShapeError(fmt::format("the cotangent {} is not like the result {}", to_string(cotangent.shape()),
                                             to_string(value_.shape())));
        });
        if (is_constant_) {
            Tensors zero;
            for (const Tensor& x : variables_) zero.push_back(constant_zeros_like(x));
            return zero;
        }
        const GradientOptions options{
            .create_graph = is_recorded_, .retain_graph = is_recorded_ || !is_last, .cotangent = cotangent};
        try {
            return tape_.gradient(value_, variables_, options, where_);
        } catch (Error& error) {
            if (error.op() == "gradient") error.relocate(name_, to_string(current_place()), where_);
            throw;
        }
    }

  private:
    /// A tensor that f alone is a function of, whatever else was computed from the input.
    Tensor variable(const Tensor& x) {
        require_argument(x, variables_.size());
        const Tensor result = is_recorded_ ? apply(Variable{}, {&x}, where_) : constant_with_tangents(x);
        if (tape_.find(result) == no_node) tape_.watch(result);
        return result;
    }

    const std::string_view name_;
    const SourceLine where_;
    const bool is_recorded_ = Recording::current() != nullptr;  // by a tape of the caller
    Tape tape_;
    Tensors variables_;
    Tensor value_;
    bool is_constant_ = false;
};

/// The part of a tensor [out.., in..] at one position of its first axes.
Tensor row(const Tensor& x, const Shape& at) {
    Shape shape, strides;
    std::int64_t offset = x.offset();
    for (int axis = 0; axis < x.rank(); ++axis) {
        if (axis < at.rank()) {
            offset += at[axis] * x.strides()[axis];
        } else {
            shape.push_back(x.shape()[axis]);
            strides.push_back(x.strides()[axis]);
        }
    }
    return x.view(shape, strides, offset);
}

/// One row of a Jacobian, and its adjoint: a Jacobian of zeros but for one row.
struct TakeRow {
    static constexpr std::string_view name = "jacobian_row";
    static constexpr bool linear = true;
    static constexpr bool accumulates = true;
    Shape at;
    Shape shape(const Inputs& in) const { return row(in[0], at).shape(); }
    void forward(const Inputs& in, const Destination& out) const { write(row(in[0], at), out); }
    void vjp(Backward& back) const;
};
struct PutRow {
    static constexpr std::string_view name = "jacobian_of_row";
    static constexpr bool linear = true;
    static constexpr bool accumulates = true;
    Shape at, to;
    Shape shape(const Inputs&) const { return to; }
    void forward(const Inputs& in, const Destination& out) const {
        if (!out.accumulate) fill(out.tensor, 0);
        write(in[0], {row(out.tensor, at), out.accumulate});
    }
    void vjp(Backward& back) const { back.add(0, TakeRow{at}, back.cotangent()); }
};
void TakeRow::vjp(Backward& back) const { back.add(0, PutRow{at, back.input_shape(0)}, back.cotangent()); }

/// Rows [in..], one for each element of [out..], as one tensor [out.., in..].
struct JoinRows {
    static constexpr std::string_view name = "jacobian";
    static constexpr bool linear = true;
    Shape rows, to;
    Shape shape(const Inputs&) const { return to; }
    void forward(const Inputs& in, const Destination& out) const {
        for (std::size_t i = 0; i < in.size(); ++i) write(in[i], {row(out.tensor, at(i))});
    }
    void vjp(Backward& back) const {
        for (std::size_t i = 0; i < back.input_count(); ++i) back.add(i, TakeRow{at(i)}, back.cotangent());
    }
    Shape at(std::size_t i) const { return unravel(static_cast<std::int64_t>(i), rows); }
};

/// A part of a vector as a tensor of some shape, and its adjoint: a vector of zeros but for that part.
struct TakePart {
    static constexpr std::string_view name = "hvp_part";
    static constexpr bool linear = true;
    static constexpr bool accumulates = true;
    std::int64_t begin, total;
    Shape part;
    Tensor of(const Tensor& vector) const {
        Shape strides = contiguous_strides(part);
        for (std::int64_t& stride : strides) stride *= vector.strides()[0];
        return vector.view(part, strides, vector.offset() + begin * vector.strides()[0]);
    }
    Shape shape(const Inputs&) const { return part; }
    void forward(const Inputs& in, const Destination& out) const { write(of(in[0]), out); }
    void vjp(Backward& back) const;
};
struct PutPart {
    static constexpr std::string_view name = "hvp_of_part";
    static constexpr bool linear = true;
    static constexpr bool accumulates = true;
    TakePart take;
    Shape shape(const Inputs&) const { return {take.total}; }
    void forward(const Inputs& in, const Destination& out) const {
        if (!out.accumulate) fill(out.tensor, 0);
        write(in[0], {take.of(out.tensor), out.accumulate});
    }
    void vjp(Backward& back) const { back.add(0, take, back.cotangent()); }
};
void TakePart::vjp(Backward& back) const { back.add(0, PutPart{*this}, back.cotangent()); }

/// Tensors one after another, as one vector.
struct JoinParts {
    static constexpr std::string_view name = "hvp";
    static constexpr bool linear = true;
    std::vector<TakePart> parts;
    Shape shape(const Inputs&) const { return {parts.back().total}; }
    void forward(const Inputs& in, const Destination& out) const {
        for (std::size_t i = 0; i < in.size(); ++i) write(in[i], {parts[i].of(out.tensor)});
    }
    void vjp(Backward& back) const {
        for (std::size_t i = 0; i < parts.size(); ++i) back.add(i, parts[i], back.cotangent());
    }
};
Tensor join(const Tensors& tensors, const SourceLine& where) {
    JoinParts op;
    std::vector<const Tensor*> in;
    std::int64_t total = 0;
    for (const Tensor& x : tensors) total += x.numel();
    for (std::int64_t begin = 0; const Tensor& x : tensors) {
        op.parts.push_back({begin, total, x.shape()});
        in.push_back(&x);
        begin += x.numel();
    }
    return apply(op, Inputs(in), where);
}

/// 1 at one element, 0 elsewhere.
Tensor unit(const Shape& shape, Dtype dtype, std::int64_t element) {
    Tensor result = zeros(shape, dtype);
    visit_floating(dtype, [&](auto type) { static_cast<decltype(type)*>(result.raw())[element] = 1; });
    return result;
}

Tensor jacobian_of(std::string_view name, const TensorFunction& f, const Tensor& x, const SourceLine& where) {
    Evaluation evaluation(name, f, {x}, where);
    const Tensor value = evaluation.value();
    JoinRows join{value.shape(), value.shape()};
    located(name, {&x}, where, [&] {
        for (const std::int64_t length : x.shape()) join.to.push_back(length);
    });
    const std::int64_t count = value.numel();
    if (count == 0) return zeros(join.to, x.dtype());
    std::vector<Tensor> rows;
    for (std::int64_t i = 0; i < count; ++i)
        rows.push_back(evaluation.gradients(unit(value.shape(), value.dtype(), i), i + 1 == count)[0]);
    std::vector<const Tensor*> pointers;
    for (const Tensor& row : rows) pointers.push_back(&row);
    return apply(join, Inputs(pointers), where);
}

TensorFunction of_list(const std::function<Tensor(const Tensor&)>& f) {
    return [&f](const Tensors& in) { return f(in[0]); };
}

}  // namespace

ValueAndGrad<Tensors> differentiate(std::string_view name, const TensorFunction& f, const Tensors& inputs,
                                    const Tensor& cotangent, const SourceLine& where) {
    Evaluation evaluation(name, f, inputs, where);
    return {evaluation.value(), evaluation.gradients(cotangent)};
}

ValueAndTangent push_forward(const TensorFunction& f, const Tensors& inputs, const Tensors& tangents,
                             const SourceLine& where) {
    const auto located = [&](const auto& check) {
        return wengert::located("jvp", Inputs(std::span<const Tensor* const>()), where, check);
    };
    Tensors variables;
    located([&] {
        require_directions("tangent", tangents, inputs);
        for (const Tensor& x : inputs) variables.push_back(apply(Variable{}, {&x}, where));
    });
    const ForwardPass pass;
    for (std::size_t i = 0; i < inputs.size(); ++i) pass.set(variables[i], tangents[i]);
    const Tensor value = f(variables);
    return located([&]() -> ValueAndTangent {
        if (!value.defined()) throw ValueError("the result is an undefined tensor");
        Tensor tangent = pass.take(value);
        if (!tangent.defined() && value.state()->constant_cause == &constant_gradient)
            tangent = constant_zeros_like(value);
        if (!tangent.defined())
            throw TapeError(
                "the result depends on no argument, or only through what has no derivative: an op without one, a cast, "
                "a copy, a Pause or stop_gradient()");
        if (tangent.state()->recording == 0) {
            tangent = constant_with_tangents(tangent);  // it may be the caller's
            tangent.state()->constant_cause = &constant_gradient;
        }
        return {pass.is_recorded() ? value : constant_with_tangents(value), tangent};
    });
}

Tensor jacobian(const std::function<Tensor(const Tensor&)>& f, const Input& x) {
    return jacobian_of("jacobian", of_list(f), tensor_of(x, "jacobian"), x.where());
}

Tensor hessian(const std::function<Tensor(const Tensor&)>& f, const Input& x) {
    const auto gradient = [&](const Tensors& in) {
        return differentiate("hessian", of_list(f), in, {}, x.where()).gradient[0];
    };
    return jacobian_of("hessian", gradient, tensor_of(x, "hessian"), x.where());
}

Tensors hessian_times(const TensorFunction& f, const Tensors& inputs, const Tensors& v, const SourceLine& where) {
    located("hvp", Inputs(std::span<const Tensor* const>()), where, [&] {
        if (inputs.empty()) throw ValueError("there is no argument");
        require_directions("vector", v, inputs);
        for (const Tensor& x : inputs)
            if (x.dtype() != inputs[0].dtype())
                throw DtypeError(
                    fmt::format("arguments of {} and {}", to_string(inputs[0].dtype()), to_string(x.dtype())));
    });
    const auto gradient = [&](const Tensors& in) {
        return join(differentiate("hvp", f, in, {}, where).gradient, where);
    };
    return differentiate("hvp", gradient, inputs, join(v, where), where).gradient;
}

}  // namespace wengert
