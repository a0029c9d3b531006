#include <algorithm>
#include <array>
#include <optional>
#include <wengert/ops/elementwise/promotion.hpp>
#include <wengert/ops/shape/copies.hpp>

namespace wengert {
namespace {

/// The order of kinds: bool, integers, floats.
int kind_of(Dtype dtype) { return dtype == Dtype::boolean ? 1 : is_integral(dtype) ? 2 : 3; }

}  // namespace

Dtype promoted_dtype(std::span<const Input> operands) {
    // Of tensors with axes, tensors without, and numbers.
    std::array<std::optional<Dtype>, 3> ranks;
    for (const Input& x : operands) {
        const Dtype dtype = x.is_number() ? x.number_dtype() : x.tensor().dtype();
        if (is_stored_only(dtype)) refuse_dtype(dtype, "an operand");
        std::optional<Dtype>& last = ranks[x.is_number() ? 2 : x.tensor().rank() > 0 ? 0 : 1];
        last = std::max(last.value_or(dtype), dtype);
    }
    std::optional<Dtype> result;
    for (const std::optional<Dtype>& dtype : ranks)
        if (dtype && (!result || kind_of(*dtype) > kind_of(*result))) result = dtype;
    return result.value_or(Dtype::float32);
}

std::vector<Tensor> promoted(std::span<const Input> operands, Dtype dtype) {
    std::vector<Tensor> tensors;
    for (const Input& x : operands)
        tensors.push_back(x.is_number()        ? x.as(dtype)
                          : is_floating(dtype) ? convert(x, dtype)
                                               : cast(x.tensor(), dtype));
    return tensors;
}

}  // namespace wengert
