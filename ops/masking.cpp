#include <fmt/format.h>

#include <wengert/ops/elementwise.hpp>
#include <wengert/ops/masking.hpp>

namespace wengert {

Tensor length_mask(const Tensor& lengths, std::int64_t n, Dtype dtype) {
    if (lengths.rank() != 1) throw ShapeError("length_mask: lengths must be [B], not " + to_string(lengths.shape()));
    if (lengths.dtype() != Dtype::int64)
        throw DtypeError(fmt::format("length_mask: lengths must be int64, not {}", to_string(lengths.dtype())));
    if (!is_floating(dtype)) throw DtypeError("length_mask: a mask is float32 or float64, not int64");
    const Tensor rows = packed(lengths);
    Tensor mask = zeros({lengths.shape()[0], n}, dtype);
    visit_floating(dtype, [&](auto type) {
        auto* out = static_cast<decltype(type)*>(mask.raw());
        for (const std::int64_t length : std::span(rows.data<std::int64_t>(), static_cast<std::size_t>(rows.numel()))) {
            if (length < 0 || length > n)
                throw ValueError(fmt::format("length_mask: length {} is outside [0, {}]", length, n));
            std::fill_n(out, length, 1);
            out += n;
        }
    });
    return mask;
}

Tensor masked_fill(const Input& x, const Tensor& mask, double value) { return where(Input(mask, x.where()), value, x); }

Tensor dropout(const Input& x, double p, Generator& generator) {
    if (!(p >= 0 && p < 1)) throw ValueError(fmt::format("dropout: p is {}, outside [0, 1)", p));
    if (p == 0) return x.tensor();
    Tensor mask = uniform(x.tensor().shape(), 0, 1, generator, x.tensor().dtype());
    visit_floating(mask.dtype(), [&](auto type) {
        auto* const keep = static_cast<decltype(type)*>(mask.raw());
        const auto scale = static_cast<decltype(type)>(1 / (1 - p));
        for (std::int64_t i = 0; i < mask.numel(); ++i) keep[i] = keep[i] < p ? 0 : scale;
    });
    return x * mask;
}

}  // namespace wengert
