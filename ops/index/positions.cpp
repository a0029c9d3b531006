#include <fmt/format.h>

#include <vector>
#include <wengert/ops/index/gather.hpp>
#include <wengert/ops/index/internal/positions.hpp>
#include <wengert/ops/index/positions.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {
namespace {

/// The places of the elements that are not 0 among all, in row-major order.
std::vector<std::int64_t> places_not_zero(const Tensor& x) {
    const Tensor in_order = packed(x);
    std::vector<std::int64_t> places;
    visit_dtype(x.dtype(), [&](auto type) {
        const auto* const value = in_order.data<decltype(type)>();
        for (std::int64_t i = 0; i < x.numel(); ++i)
            if (value[i] != 0) places.push_back(i);
    });
    return places;
}

}  // namespace

Tensor nonzero(const Input& x) {
    return located("nonzero", {x}, [&] {
        const Shape& shape = x.tensor().shape();
        const std::vector<std::int64_t> places = places_not_zero(x.tensor());
        Tensor positions = Tensor::empty({static_cast<std::int64_t>(places.size()), shape.rank()}, Dtype::int64);
        auto* const row = positions.mutable_data<std::int64_t>();
        for (std::size_t i = 0; i < places.size(); ++i) {
            std::int64_t rest = places[i];
            for (int axis = shape.rank() - 1; axis >= 0; --axis) {
                row[i * static_cast<std::size_t>(shape.rank()) + static_cast<std::size_t>(axis)] = rest % shape[axis];
                rest /= shape[axis];
            }
        }
        return positions;
    });
}

Tensor masked_select(const Input& x, const Tensor& mask) {
    return located("masked_select", {x, {mask, x.where()}}, [&] {
        const Shape shape = broadcast(x.tensor().shape(), mask.shape());
        const std::vector<std::int64_t> places = places_not_zero(expand(mask, shape));
        const Tensor flat = reshape({expand(x, shape), x.where()}, {-1});
        return index_select({flat, x.where()}, 0, tensor(places, {static_cast<std::int64_t>(places.size())}));
    });
}

Tensor one_hot(const Input& ids, std::int64_t n, Dtype dtype) {
    return located("one_hot", {ids}, [&] {
        if (n < 0) throw ValueError(fmt::format("n is {}, less than 0", n));
        const Tensor x = checked_positions(ids.tensor(), n, {"ids", "id"});
        Shape shape = x.shape();
        shape.push_back(n);
        require_countable(shape);
        const Tensor result = zeros(shape, dtype), in_order = packed(x);
        const auto* const id = in_order.data<std::int64_t>();
        visit_dtype(dtype, [&](auto type) {
            auto* const out = static_cast<decltype(type)*>(result.raw());
            for (std::int64_t i = 0; i < x.numel(); ++i) out[i * n + id[i]] = 1;
        });
        return result;
    });
}

}  // namespace wengert
