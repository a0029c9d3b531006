#include <fmt/format.h>

#include <wengert/autograd/tape/operation.hpp>

namespace wengert {

const Tensor& Input::tensor() const {
    if (tensor_ != nullptr && tensor_->defined()) return *tensor_;
    ValueError error(tensor_ == nullptr ? "a number was given where a tensor is needed"
                                        : "an undefined tensor was given");
    error.locate("operand", to_string(current_place()), where_);
    throw error;
}

void require_defined(const Inputs& in) {
    for (std::size_t i = 0; i < in.size(); ++i)
        if (!in[i].defined()) throw ValueError(fmt::format("operand {} is an undefined tensor", i));
}

const char* nondifferentiable_op(const Inputs& in) {
    for (std::size_t i = 0; i < in.size(); ++i)
        if (const char* const op = in[i].state()->nondifferentiable_op) return op;
    return nullptr;
}

std::string describe_operands(const Inputs& in, std::span<const std::string_view> names) {
    std::string text = to_string(current_place());
    for (std::size_t i = 0; i < in.size(); ++i) {
        const Tensor& x = in[i];
        if (!x.defined() || x.name().empty()) continue;
        const std::string operand = i < names.size() ? std::string(names[i]) : fmt::format("operand {}", i);
        const bool has_own_name = x.state()->extras != nullptr && !x.state()->extras->name.empty();
        const TensorState& named = has_own_name || x.state()->origin == nullptr ? *x.state() : *x.state()->origin;
        text += fmt::format("{}{} = {}\"{}\"", text.empty() ? "" : "; ", operand, named.parameter ? "parameter " : "",
                            x.name());
    }
    return text;
}

}  // namespace wengert
