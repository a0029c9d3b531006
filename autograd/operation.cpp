#include <wengert/autograd/operation.hpp>

namespace wengert {

const Tensor& Input::tensor() const {
    if (tensor_ == nullptr) throw ValueError("an operand is a number where a tensor is needed");
    if (!tensor_->defined()) throw ValueError("an operand is an undefined tensor");
    return *tensor_;
}

}  // namespace wengert
