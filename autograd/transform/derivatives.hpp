#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>
#include <wengert/autograd/tape/operation.hpp>

/// Derivatives of functions of tensors: what takes a function and gives numbers, without a tape in sight.
///
///     const Tensor dx = grad([](const Tensor& x) { return sum(x * x); }, x);
///     const auto [dx, dy] = grad([](const Tensor& x, const Tensor& y) { return sum(x * y); }, x, y);
///     const auto [value, gradients] = value_and_grad(loss, parameters);   // of a std::vector: loss(p[0], p[1], ..)
///
/// They are derivatives by the arguments: what f knows of else, the same tensors or what was computed from them too, is
/// held. All nest, grad of grad say, and under a tape of the caller their results are recorded, so that it may
/// differentiate through them; otherwise they are constants.
///
/// Zero or error? The derivative by an argument that the result does not depend on is zero, and so is every derivative
/// of a derivative that is constant, as a linear function's is. A result that depends on no argument at all is the
/// error that Tape::gradient() throws, because it is almost always an op without derivative, a cast or a Pause on the
/// way: TapeError or NotDifferentiableError.
///
/// All throw ValueError for an undefined argument or result and DtypeError for an argument that is not float32 or
/// float64; f may capture ids.
namespace WENGERT_EXPORT wengert {

/// A function of any number of tensors.
using TensorFunction = std::function<Tensor(const std::vector<Tensor>&)>;

/// A function's value, and its derivatives: one for each argument, of its shape.
template <class Gradient>
struct ValueAndGrad {
    Tensor value;       ///< what the function returned
    Gradient gradient;  ///< a tensor, or one for each argument
};

/// What the templates below call: the value, and the gradients by all inputs. An undefined cotangent is 1, for a result
/// that must be a scalar then. Errors are `name`'s.
ValueAndGrad<std::vector<Tensor>> differentiate(std::string_view name, const TensorFunction& f,
                                                const std::vector<Tensor>& inputs, const Tensor& cotangent,
                                                const SourceLine& where);

/// f(x, more..) as a function of the list of its arguments.
template <std::size_t n, class F>
TensorFunction function_of_list(const F& f) {
    return [f](const std::vector<Tensor>& in) {
        return [&]<std::size_t... i>(std::index_sequence<i...>) { return f(in[i]...); }
        (std::make_index_sequence<n>());
    };
}

/// The value [] of a scalar function of one or more tensors, and its gradient: one tensor of the shape of x, or for
/// several arguments a std::array of as many. Throws ShapeError if f's result is no scalar.
template <class F, std::same_as<Tensor>... More>
auto value_and_grad(const F& f, const Input& x, const More&... more) {
    constexpr std::size_t n = 1 + sizeof...(More);
    auto [value, gradients] = differentiate("value_and_grad", function_of_list<n>(f),
                                            {tensor_of(x, "value_and_grad"), more...}, {}, x.where());
    if constexpr (n == 1) {
        return ValueAndGrad<Tensor>{value, gradients[0]};
    } else {
        ValueAndGrad<std::array<Tensor, n>> result{value, {}};
        std::ranges::move(gradients, result.gradient.begin());
        return result;
    }
}
/// The same of a function of a list, and a list of gradients.
template <class F>
ValueAndGrad<std::vector<Tensor>> value_and_grad(const F& f, const std::vector<Tensor>& inputs,
                                                 const SourceLine& where = std::source_location::current()) {
    return differentiate("value_and_grad", f, inputs, {}, where);
}

/// The gradient of a scalar function: of the shape of x, or a std::array of gradients for several arguments. Throws
/// ShapeError if f's result is no scalar.
template <class F, std::same_as<Tensor>... More>
auto grad(const F& f, const Input& x, const More&... more) {
    constexpr std::size_t n = 1 + sizeof...(More);
    std::vector<Tensor> gradients =
        differentiate("grad", function_of_list<n>(f), {tensor_of(x, "grad"), more...}, {}, x.where()).gradient;
    if constexpr (n == 1) {
        return gradients[0];
    } else {
        std::array<Tensor, n> result;
        std::ranges::move(gradients, result.begin());
        return result;
    }
}
template <class F>
std::vector<Tensor> grad(const F& f, const std::vector<Tensor>& inputs,
                         const SourceLine& where = std::source_location::current()) {
    return differentiate("grad", f, inputs, {}, where).gradient;
}

/// The vector-Jacobian product of any function: x [in..], cotangent of the shape of f's result [out..] -> [in..], the
/// sum over the result's elements of cotangent_i df_i / dx. Throws ShapeError if the cotangent is not like the result.
template <class F>
Tensor vjp(const F& f, const Input& x, const Tensor& cotangent) {
    return differentiate("vjp", function_of_list<1>(f), {tensor_of(x, "vjp")}, cotangent, x.where()).gradient[0];
}
template <class F>
std::vector<Tensor> vjp(const F& f, const std::vector<Tensor>& inputs, const Tensor& cotangent,
                        const SourceLine& where = std::source_location::current()) {
    return differentiate("vjp", f, inputs, cotangent, where).gradient;
}

/// What jvp() gives: the function's value, and its derivative in a direction, of the same shape.
struct ValueAndTangent {
    Tensor value, tangent;  ///< what the function returned, and its derivative in the direction
};
/// What the templates below call.
ValueAndTangent push_forward(const TensorFunction& f, const std::vector<Tensor>& inputs,
                             const std::vector<Tensor>& tangents, const SourceLine& where);

/// The Jacobian-vector product of any function: x [in..], tangent [in..] -> f(x) [out..] and the sum over x's elements
/// of df / dx_j tangent_j [out..]. By one forward pass, in which each op computes its result's tangent beside its
/// result (Wengert 1964, A simple automatic derivative evaluation program): at the cost of a few evaluations of f, and
/// without a tape's memory. f computes in the calling thread. Throws ShapeError if a tangent is not like its argument,
/// NotDifferentiableError at an op that has no forward rule, TapeError if the result depends on no argument, ValueError
/// unless there is a tangent for each argument.
template <class F>
ValueAndTangent jvp(const F& f, const Input& x, const Tensor& tangent) {
    return push_forward(function_of_list<1>(f), {tensor_of(x, "jvp")}, {tangent}, x.where());
}
template <class F>
ValueAndTangent jvp(const F& f, const std::vector<Tensor>& inputs, const std::vector<Tensor>& tangents,
                    const SourceLine& where = std::source_location::current()) {
    return push_forward(f, inputs, tangents, where);
}

/// All derivatives of a function: x [in..] -> [out.., in..], entry [i.., j..] is df_i / dx_j. One backward pass for
/// each element of the result. Throws ShapeError if the shapes have more than 6 axes together.
Tensor jacobian(const std::function<Tensor(const Tensor&)>& f, const Input& x);

/// The second derivatives of a scalar function: x [in..] -> [in.., in..]. The Jacobian of the gradient. Throws
/// ShapeError if f's result is no scalar, or x has more than 3 axes.
Tensor hessian(const std::function<Tensor(const Tensor&)>& f, const Input& x);

/// What the templates below call.
std::vector<Tensor> hessian_times(const TensorFunction& f, const std::vector<Tensor>& inputs,
                                  const std::vector<Tensor>& v, const SourceLine& where);

/// The Hessian of a scalar function times a vector: x [in..], v [in..] -> [in..], at the cost of a few gradients: the
/// derivative of the gradient (Pearlmutter 1994, Fast exact multiplication by the Hessian). Of a list the Hessian is
/// that by all its tensors, and so is the vector. Throws ShapeError if v is not like x or f's result is no scalar,
/// DtypeError if the tensors differ in dtype.
template <class F>
Tensor hvp(const F& f, const Input& x, const Tensor& v) {
    return hessian_times(function_of_list<1>(f), {tensor_of(x, "hvp")}, {v}, x.where())[0];
}
template <class F>
std::vector<Tensor> hvp(const F& f, const std::vector<Tensor>& inputs, const std::vector<Tensor>& v,
                        const SourceLine& where = std::source_location::current()) {
    return hessian_times(f, inputs, v, where);
}

}  // namespace wengert
