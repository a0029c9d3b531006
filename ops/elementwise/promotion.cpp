#include <wengert/ops/elementwise/promotion.hpp>
#include <wengert/ops/shape/copies.hpp>

namespace wengert {

Dtype promoted_dtype(std::span<const Input> operands) {
    Dtype with_axes = Dtype::int64, without = Dtype::int64;
    for (const Input& x : operands) {
        if (x.is_number() || !is_floating(x.tensor().dtype())) continue;
        Dtype& widest = x.tensor().rank() > 0 ? with_axes : without;
        if (widest != Dtype::float64) widest = x.tensor().dtype();
    }
    return with_axes != Dtype::int64 ? with_axes : without;
}

std::vector<Tensor> promoted(std::span<const Input> operands) {
    const Dtype dtype = promoted_dtype(operands);
    std::vector<Tensor> tensors;
    for (const Input& x : operands) tensors.push_back(x.is_number() ? Tensor() : convert(x, dtype));
    return tensors;
}

}  // namespace wengert
