#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>
#include <wengert/autograd/tape/operation.hpp>

namespace WENGERT_EXPORT wengert {

/// A differentiable function that is made of two others, its value and its vector-Jacobian product:
///
///     const CustomOp cube = custom_op(
///         "cube", [](const auto& in) { return in[0] * in[0] * in[0]; },
///         [](const auto& in, const Tensor&, const Tensor& ct) { return std::vector{3 * in[0] * in[0] * ct}; });
///     const Tensor y = cube(x);
///     gradcheck(cube, {x}, {.order = 2});
///
/// A third function is its Jacobian-vector product, which jvp() needs: 3 x² tangent.
///
/// It is one node, whatever ops the two call, and keeps its operands and its value. Graphs, profiles and errors know it
/// by its name. A formula of elements is better a map(), which needs no derivative; an op that is to write into
/// cotangents itself is a struct, see operation.hpp.
class CustomOp {
  public:
    /// Operands -> the result, float32 or float64 of any shape.
    using Forward = std::function<Tensor(const std::vector<Tensor>& operands)>;
    /// Operands, the result and its cotangent -> one cotangent for each operand, of its shape. An undefined one is
    /// zero; so should be that of an int64 operand. If it computes by ops, derivatives of all orders follow; if not, a
    /// recorded pass throws NotDifferentiableError.
    using Vjp = std::function<std::vector<Tensor>(const std::vector<Tensor>& operands, const Tensor& result,
                                                  const Tensor& cotangent)>;

    /// Operands, the result and the operands' tangents -> the result's tangent, of its shape; an undefined one is zero.
    /// The tangent of an integer operand is undefined. It computes by ops, so that derivatives of it follow.
    using Jvp = std::function<Tensor(const std::vector<Tensor>& operands, const Tensor& result,
                                     const std::vector<Tensor>& tangents)>;

    /// `name` is what errors, graphs and profiles call the op. Without a `jvp` forward mode throws
    /// NotDifferentiableError at it. Throws ValueError if one of the other functions is empty.
    CustomOp(std::string_view name, Forward forward, Vjp vjp, Jvp jvp = nullptr);

    /// The value for one or more operands. Throws what the forward function throws, ValueError if its result is
    /// undefined, DtypeError unless that is float32 or float64, TapeError if it computes with a followed tensor that is
    /// no operand. A gradient through it throws ValueError if the vjp has not one cotangent for each operand,
    /// ShapeError or DtypeError if one is not like its operand.
    template <std::same_as<Tensor>... More>
    Tensor operator()(const Input& x, const More&... more) const {
        return (*this)({tensor_of(x, name()), more...}, x.where());
    }
    Tensor operator()(const std::vector<Tensor>& operands,
                      const SourceLine& where = std::source_location::current()) const;

    /// As the constructor was given it.
    std::string_view name() const;

  private:
    friend struct CustomNode;
    struct Definition;
    std::shared_ptr<const Definition> definition_;
};

/// The op of a forward function, its vjp and, for jvp(), its jvp. Throws as CustomOp's constructor.
inline CustomOp custom_op(std::string_view name, CustomOp::Forward forward, CustomOp::Vjp vjp,
                          CustomOp::Jvp jvp = nullptr) {
    return CustomOp(name, std::move(forward), std::move(vjp), std::move(jvp));
}

}  // namespace wengert
