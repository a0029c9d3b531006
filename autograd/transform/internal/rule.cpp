#include <wengert/autograd/transform/internal/rule.hpp>

namespace wengert {

Tensor cotangent_for_function(const Backward& back) {
    Tensor cotangent = back.cotangent();
    if (back.is_recorded() && Recording::current()->find(cotangent) == no_node) {
        cotangent = cotangent.detached();  // the caller's own tensor stays a constant
        Recording::current()->watch(cotangent);
    }
    return cotangent;
}

void require_followed(const Backward& back, const Tensor& contribution) {
    if (back.is_recorded() && Recording::current()->find(contribution) == no_node)
        throw NotDifferentiableError(
            "a recorded pass needs a rule whose cotangents are computed from the given one by ops, and this is a "
            "constant");
}

}  // namespace wengert
