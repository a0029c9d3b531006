#include <fmt/format.h>

#include <vector>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/autograd/tensor/parallel.hpp>
#include <wengert/ops/linalg/internal/matrices.hpp>
#include <wengert/ops/products/internal/products.hpp>
#include <wengert/ops/products/matmul.hpp>

namespace wengert::matrices {

void require(const Tensor& x, std::string_view name) {
    require_floating(x, name);
    if (x.rank() < 2) throw ShapeError(fmt::format("{} {} is no matrix", name, to_string(x.shape())));
    products::require_alike({&x}, std::array{name});
}

void require_square(const Tensor& x, std::string_view name) {
    require(x, name);
    if (x.dim(-2) != x.dim(-1)) throw ShapeError(fmt::format("{} {} is not square", name, to_string(x.shape())));
}

constexpr std::array<std::string_view, 2> names{"a", "b"};  // of an equation's operands

void require_equation(const Tensor& a, const Tensor& b) {
    require(a, names[0]);
    const bool is_vector = b.rank() == 1;
    if (!is_vector) require(b, names[1]);
    products::require_alike({&a, &b}, names);
    if (a.dim(-2) != b.dim(is_vector ? 0 : -2))
        throw ShapeError(fmt::format("a {} has not as many rows as b {}", to_string(a.shape()), to_string(b.shape())));
}

Shape solution_shape(const Inputs& in) {
    const Tensor &a = in[0], &b = in[1];
    require_square(a, names[0]);
    require(b, names[1]);
    require_equation(a, b);
    Shape result = products::leading_axes(names[0], a, names[1], b);
    result.push_back(b.dim(-2));
    result.push_back(b.dim(-1));
    return result;
}

std::int64_t count(const Tensor& x) { return products::batch_shape(x).numel(); }

std::string place(const Tensor& x, std::string_view name, std::int64_t matrix) {
    const Shape batch = products::batch_shape(x);
    return batch.empty() ? std::string(name) : fmt::format("{}{}", name, to_string(unravel(matrix, batch)));
}

std::optional<Refusal> walk(std::int64_t n, std::int64_t cost, std::int64_t room, Body body, const void* f) {
    const std::int64_t parts = n == 0 ? 0 : parallel_parts(n, 1, n * cost);
    room = (room + 63) / 64 * 64;
    const Tensor rooms = Tensor::empty({parts, room / 8}, Dtype::float64);
    std::vector<Refusal, CachedAllocator<Refusal>> refusals(static_cast<std::size_t>(parts), Refusal{0, 0});
    parallel_ranges(parts, 1, n * cost, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t part = first; part < last; ++part) {
            Refusal& refusal = refusals[static_cast<std::size_t>(part)];
            std::byte* const own = static_cast<std::byte*>(rooms.raw()) + part * room;
            for (std::int64_t i = n * part / parts; i < n * (part + 1) / parts && refusal.reason == 0; ++i)
                refusal = {i, body(f, i, own)};
        }
    });
    for (const Refusal& refusal : refusals)
        if (refusal.reason != 0) return refusal;
    return std::nullopt;
}

Counterpart::Counterpart(const Tensor& x, const Shape& shape) : batch_(shape) {
    batch_.erase(batch_.rank() - 1);
    batch_.erase(batch_.rank() - 1);
    steps_ = contiguous_strides(batch_);
    const Shape own = products::batch_shape(x), strides = contiguous_strides(own);
    const int missing = batch_.rank() - own.rank();
    strides_ = batch_;
    for (int axis = 0; axis < batch_.rank(); ++axis)
        strides_[axis] = axis < missing || own[axis - missing] == 1 ? 0 : strides[axis - missing];
}

std::int64_t Counterpart::operator()(std::int64_t matrix) const {
    std::int64_t result = 0;
    for (int axis = 0; axis < batch_.rank(); ++axis) result += matrix / steps_[axis] % batch_[axis] * strides_[axis];
    return result;
}

Tensor identity_like(const Tensor& x) {
    const std::int64_t n = x.dim(-1);
    const Tensor result = zeros({n, n}, x.dtype());
    fill(result.view({n}, {n + 1}, 0), 1);
    return result;
}

Tensor product(const Tensor& a, const Tensor& b) { return apply(MatMul{Precision::float32}, {&a, &b}, {}); }

}  // namespace wengert::matrices
