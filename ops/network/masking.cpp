#include <fmt/format.h>

#include <wengert/autograd/tensor/parallel.hpp>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/network/masking.hpp>

namespace wengert {

Tensor length_mask(const Input& lengths, std::int64_t n, Dtype dtype) {
    const Tensor& x = lengths.tensor();
    return located("length_mask", {&x}, lengths.where(), [&] {
        if (x.rank() != 1) throw ShapeError("lengths must be [B], not " + to_string(x.shape()));
        if (x.dtype() != Dtype::int64)
            throw DtypeError(fmt::format("lengths must be int64, not {}", to_string(x.dtype())));
        if (!is_floating(dtype)) throw DtypeError("a mask is float32 or float64, not int64");
        const Tensor rows = packed(x);
        Tensor mask = zeros({x.shape()[0], n}, dtype);
        visit_floating(dtype, [&](auto type) {
            auto* out = static_cast<decltype(type)*>(mask.raw());
            for (const std::int64_t length :
                 std::span(rows.data<std::int64_t>(), static_cast<std::size_t>(rows.numel()))) {
                if (length < 0 || length > n) throw ValueError(fmt::format("length {} is outside [0, {}]", length, n));
                std::fill_n(out, length, 1);
                out += n;
            }
        });
        return mask;
    });
}

Tensor masked_fill(const Input& x, const Tensor& mask, double value) { return where(Input(mask, x.where()), value, x); }

Tensor dropout(const Input& x, double p, Generator& generator) {
    located("dropout", {&x.tensor()}, x.where(), [&] {
        if (!(p >= 0 && p < 1)) throw ValueError(fmt::format("p is {}, outside [0, 1)", p));
    });
    if (p == 0) return x.tensor();
    Tensor mask = uniform(x.tensor().shape(), 0, 1, generator, x.tensor().dtype());
    visit_floating(mask.dtype(), [&](auto type) {
        auto* const keep = static_cast<decltype(type)*>(mask.raw());
        const auto scale = static_cast<decltype(type)>(1 / (1 - p));
        parallel_ranges(mask.numel(), 64, mask.numel(), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) keep[i] = keep[i] < p ? 0 : scale;
        });
    });
    return x * mask;
}

}  // namespace wengert
