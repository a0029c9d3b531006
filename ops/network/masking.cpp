#include <fmt/format.h>

#include <wengert/autograd/tensor/parallel.hpp>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/network/masking.hpp>

namespace wengert {

Tensor length_mask(const Input& lengths, std::int64_t n, Dtype dtype) {
    return located("length_mask", {lengths}, [&] {
        const Tensor x = as_int64(lengths.tensor());
        if (x.rank() != 1) throw ShapeError("lengths must be [B], not " + to_string(x.shape()));
        if (x.dtype() != Dtype::int64)
            throw DtypeError(fmt::format("lengths must be int64 or int32, not {}", to_string(x.dtype())));
        if (!is_floating(dtype) && dtype != Dtype::boolean)
            throw DtypeError(fmt::format("a mask is bool, float32 or float64, not {}", to_string(dtype)));
        const Tensor rows = packed(x);
        Tensor mask = zeros({x.shape()[0], n}, dtype);
        visit_dtype(dtype, [&](auto type) {
            auto* out = static_cast<decltype(type)*>(mask.raw());
            for (const std::int64_t length :
                 std::span(rows.data<std::int64_t>(), static_cast<std::size_t>(rows.numel()))) {
                if (length < 0 || length > n) throw ValueError(fmt::format("length {} is outside [0, {}]", length, n));
                std::fill_n(out, length, decltype(type){1});
                out += n;
            }
        });
        return mask;
    });
}

Tensor masked_fill(const Input& x, const Tensor& mask, double value) {
    return located("masked_fill", {x, mask}, [&] {
        const Tensor filler = scalar(value, x.tensor().dtype());
        return where(Input(mask, x.where()), filler, x);
    });
}

}  // namespace wengert
