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

void relocate(Error& error, std::string_view function, std::initializer_list<Input> operands) {
    const Tensor none;
    std::vector<const Tensor*> tensors;
    for (const Input& x : operands) tensors.push_back(x.is_number() || x.is_undefined() ? &none : &x.tensor());
    error.relocate(function, describe_operands(Inputs(tensors), {}), operands.begin()->where());
}

const char* constant_because(const Inputs& in) {
    for (std::size_t i = 0; i < in.size(); ++i)
        if (const char* const op = in[i].state()->constant_because) return op;
    return nullptr;
}

}  // namespace wengert
