#include <fmt/format.h>

#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/network/masking.hpp>
#include <wengert/ops/shape/copies.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {

Tensor length_mask(const Input& lengths, std::int64_t n, Dtype dtype) {
    return located("length_mask", {lengths}, [&] {
        const Tensor x = as_int64(lengths.tensor());
        if (x.rank() != 1) throw ShapeError("lengths must be [B], not " + to_string(x.shape()));
        if (x.dtype() != Dtype::int64)
            throw DtypeError(fmt::format("lengths must be int64 or int32, not {}", to_string(x.dtype())));
        if (!is_floating(dtype) && dtype != Dtype::boolean)
            throw DtypeError(fmt::format("a mask is bool, float32 or float64, not {}", to_string(dtype)));
        for (const std::int64_t length : x.to_vector<std::int64_t>())
            if (length < 0 || length > n) throw ValueError(fmt::format("length {} is outside [0, {}]", length, n));
        const Tensor mask = arange(n) < unsqueeze({x, lengths.where()}, 1);
        return dtype == Dtype::boolean ? mask : convert(mask, dtype);
    });
}

Tensor masked_fill(const Input& x, const Tensor& mask, double value) {
    return located("masked_fill", {x, mask}, [&] {
        const Tensor filler = scalar(value, x.tensor().dtype());
        return where(Input(mask, x.where()), filler, x);
    });
}

}  // namespace wengert
