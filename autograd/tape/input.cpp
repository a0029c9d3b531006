#include <wengert/autograd/tape/input.hpp>
#include <wengert/autograd/tape/scope.hpp>
#include <wengert/autograd/tensor/internal/undefined_error.hpp>

namespace wengert {

const Tensor& Input::tensor() const {
    if (tensor_ != nullptr && tensor_->defined()) return *tensor_;
    if (is_undefined()) {
        UndefinedError error("an undefined tensor was given");
        error.locate("operand", to_string(current_place()), where_);
        throw error;
    }
    ValueError error("a number was given where a tensor is needed");
    error.locate("operand", to_string(current_place()), where_);
    throw error;
}

Tensor Input::as(Dtype dtype) const {
    if (!is_number()) return tensor();
    if (is_floating(dtype_)) return scalar(std::bit_cast<double>(number_), dtype);
    if (is_floating(dtype)) return scalar(static_cast<double>(number_), dtype);
    return cast(wengert::tensor(std::span(&number_, 1), {}), dtype);
}

}  // namespace wengert
