#include <fmt/format.h>

#include <wengert/autograd/tensor/parallel.hpp>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/network/dropout.hpp>

namespace wengert {

Tensor dropout(const Input& x, double p, Generator& generator, const ReductionAxes& shared) {
    return located("dropout", {x}, [&] {
        if (!(p >= 0 && p < 1)) throw ValueError(fmt::format("p is {}, outside [0, 1)", p));
        require_floating(x.tensor());
        const Shape shape = shared.kept(x.tensor().shape());
        if (p == 0) return x.tensor();
        const Tensor mask = uniform(shape, 0, 1, generator, x.tensor().dtype());
        visit_floating(mask.dtype(), [&](auto type) {
            auto* const keep = static_cast<decltype(type)*>(mask.raw());
            const auto scale = static_cast<decltype(type)>(1 / (1 - p));
            parallel_ranges(mask.numel(), 64, mask.numel(), [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t i = begin; i < end; ++i) keep[i] = keep[i] < p ? 0 : scale;
            });
        });
        return x * mask;
    });
}

}  // namespace wengert
