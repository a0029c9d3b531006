#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <wengert/autograd/tensor/parallel.hpp>
#include <wengert/autograd/tensor/strided.hpp>
#include <wengert/nn/clipping.hpp>

namespace wengert {
namespace {

/// One thread sums a whole block, so that the sum does not depend on who sums what.
constexpr std::int64_t block = 4096;

template <class T>
double sum_of_squares(const T* x, std::int64_t n) {
    std::array<double, 16> lanes{};
    std::int64_t i = 0;
    for (; i + 16 <= n; i += 16)
        for (std::size_t lane = 0; lane < 16; ++lane) {
            const auto value = static_cast<double>(x[i + static_cast<std::int64_t>(lane)]);
            lanes[lane] += value * value;
        }
    for (std::size_t lane = 0; i < n; ++i, ++lane) lanes[lane] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    return std::accumulate(lanes.begin(), lanes.end(), 0.0);
}

double sum_of_squares(const Tensor& x) {
    const std::int64_t n = x.numel();
    Tensor sums = Tensor::empty({(n + block - 1) / block}, Dtype::float64);
    double* const sum = sums.mutable_data<double>();
    visit_floating(x.dtype(), [&](auto type) {
        const auto* const from = x.data<decltype(type)>();
        parallel_ranges(n, block, n, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; i += block)
                sum[i / block] = sum_of_squares(from + i, std::min(block, end - i));
        });
    });
    return std::accumulate(sum, sum + sums.numel(), 0.0);
}

void scale(Tensor& x, double factor) {
    visit_floating(x.dtype(), [&](auto type) {
        using T = decltype(type);
        T* const elements = x.mutable_data<T>();
        parallel_ranges(x.numel(), block, x.numel(), [elements, factor = static_cast<T>(factor)](auto begin, auto end) {
            for (std::int64_t i = begin; i < end; ++i) elements[i] *= factor;
        });
    });
}

}  // namespace

double clip_gradient_norm(std::vector<Tensor>& gradients, double max_norm) {
    if (!(max_norm >= 0)) throw ValueError(fmt::format("clip_gradient_norm: max_norm is {}, not 0 or more", max_norm));
    for (std::size_t i = 0; i < gradients.size(); ++i) {
        if (!gradients[i].defined()) throw ValueError(fmt::format("clip_gradient_norm: gradient {} is undefined", i));
        if (!is_floating(gradients[i].dtype()))
            throw DtypeError(fmt::format("clip_gradient_norm: gradient {} is {}", i, to_string(gradients[i].dtype())));
    }
    double sum = 0;
    for (const Tensor& gradient : gradients) sum += sum_of_squares(packed(gradient));
    const double norm = std::sqrt(sum);
    if (!std::isfinite(norm)) return norm;
    const double factor = max_norm / (norm + 1e-6);
    if (factor >= 1) return norm;
    for (Tensor& gradient : gradients) {
        if (!gradient.is_unique() || !gradient.is_contiguous()) gradient = gradient.clone();
        scale(gradient, factor);
    }
    return norm;
}

}  // namespace wengert
