#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <wengert/autograd/transform/custom_op.hpp>
#include <wengert/autograd/transform/internal/captured.hpp>
#include <wengert/autograd/transform/internal/rule.hpp>

namespace wengert {
namespace {

/// The same name for as long as the program lives: profiles quote names of ops that are gone.
std::string_view lasting(std::string_view name) {
    static std::mutex& mutex = *new std::mutex;
    static std::set<std::string, std::less<>>& names = *new std::set<std::string, std::less<>>;
    const std::lock_guard lock(mutex);
    return *names.emplace(name).first;
}

}  // namespace

struct CustomOp::Definition {
    std::string_view name;
    Forward forward;
    Vjp vjp;
    Jvp jvp;
};

struct CustomNode {
    static constexpr Saves saves = Saves::inputs_and_output;
    std::shared_ptr<const CustomOp::Definition> definition;
    const Recording* recording;  ///< that the call is recorded in; null if in none

    std::string_view name() const { return definition->name; }
    Tensor compute(const Inputs& in) const {
        std::vector<Tensor> operands;
        for (std::size_t i = 0; i < in.size(); ++i) operands.push_back(in[i]);
        std::optional<Captured> captured;  // by this function, not by the jvp that may follow
        if (recording != nullptr) captured.emplace(*recording);
        const Tensor result = definition->forward(operands);
        if (captured) require_operands(captured->tensors(), operands);
        if (!result.defined()) throw ValueError("the result is an undefined tensor");
        if (!is_floating(result.dtype()))
            throw DtypeError(fmt::format("the result is {}, which has no derivative", to_string(result.dtype())));
        return result.detached();  // it may be an operand
    }
    static void require_operands(const std::vector<Tensor>& captured, const std::vector<Tensor>& operands) {
        for (const Tensor& x : captured)
            if (std::ranges::find(operands, x.state(), &Tensor::state) == operands.end())
                throw TapeError(
                    fmt::format("the function computes with {} {}, which is no operand: no gradient would "
                                "reach it; give it as an operand, or stop_gradient() of it",
                                x.name().empty() ? "a followed tensor" : '"' + x.name() + '"', to_string(x.shape())));
    }
    void vjp(Backward& back) const {
        const std::size_t n = back.input_count();
        std::vector<Tensor> operands;
        for (std::size_t i = 0; i < n; ++i) operands.push_back(back.saved(i));
        std::vector<Tensor> cotangents = definition->vjp(operands, back.saved(n), cotangent_for_function(back));
        if (cotangents.size() != n)
            throw ValueError(fmt::format("the vjp returned {} cotangents for {} operands", cotangents.size(), n));
        for (std::size_t i = 0; i < n; ++i) {
            if (!cotangents[i].defined() || !back.needs(i)) continue;
            require_followed(back, cotangents[i]);
            back.add(i, std::move(cotangents[i]));
        }
    }
    Tensor jvp(const Forward& forward) const {
        if (definition->jvp == nullptr)
            throw NotDifferentiableError(
                "the op has no forward rule, which jvp() needs: custom_op() takes one after the vjp");
        std::vector<Tensor> operands, tangents;
        for (std::size_t i = 0; i < forward.input_count(); ++i) {
            operands.push_back(forward.input(i));
            tangents.push_back(is_floating(operands[i].dtype()) ? forward.tangent_or_zeros(i) : Tensor());
        }
        return definition->jvp(operands, forward.output(), tangents);
    }
};

CustomOp::CustomOp(std::string_view name, Forward forward, Vjp vjp, Jvp jvp)
    : definition_(
          std::make_shared<Definition>(Definition{lasting(name), std::move(forward), std::move(vjp), std::move(jvp)})) {
    if (definition_->forward == nullptr || definition_->vjp == nullptr)
        throw ValueError(fmt::format("custom_op: {} needs a function for the value and one for the cotangents", name));
}

Tensor CustomOp::operator()(const std::vector<Tensor>& operands, const SourceLine& where) const {
    std::vector<const Tensor*> pointers;
    for (const Tensor& x : operands) pointers.push_back(&x);
    return apply(CustomNode{definition_, Recording::current()}, Inputs(pointers), where);
}

std::string_view CustomOp::name() const { return definition_->name; }

}  // namespace wengert
