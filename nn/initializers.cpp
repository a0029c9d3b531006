#include <fmt/format.h>

#include <algorithm>
#include <wengert/nn/initializers.hpp>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/products/matmul.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert::initialize {
namespace {

struct Fans {
    double in, out;
};

void require_axes(const Tensor& x, const char* function) {
    if (x.rank() < 2)
        throw ShapeError(fmt::format("{}: at least two axes are needed, not {}", function, to_string(x.shape())));
}

Fans fans(const Tensor& x, const char* function) {
    require_axes(x, function);
    double kernel = 1;
    for (int axis = 2; axis < x.rank(); ++axis) kernel *= static_cast<double>(x.dim(axis));
    return {static_cast<double>(x.dim(1)) * kernel, static_cast<double>(x.dim(0)) * kernel};
}

void require_gain(double gain, const char* function) {
    if (!(gain >= 0 && std::isfinite(gain)))
        throw ValueError(fmt::format("{}: the gain is {}, not a finite number of 0 or more", function, gain));
}

/// Without elements the fans may be 0, and the deviation infinite.
void normal_of_deviation(const Tensor& x, double deviation, Generator& generator) {
    if (x.numel() > 0) normal(x, 0, deviation, generator);
}

void uniform_of_deviation(const Tensor& x, double deviation, Generator& generator) {
    const double bound = std::sqrt(3.0) * deviation;
    if (x.numel() > 0) uniform(x, -bound, bound, generator);
}

double xavier_deviation(const Tensor& x, double gain, const char* function) {
    require_gain(gain, function);
    const Fans fan = fans(x, function);
    return gain * std::sqrt(2 / (fan.in + fan.out));
}

double kaiming_deviation(const Tensor& x, const KaimingOptions& options, const char* function) {
    require_gain(options.gain, function);
    const Fans fan = fans(x, function);
    return options.gain / std::sqrt(options.fan == Fan::in ? fan.in : fan.out);
}

/// The modified Gram-Schmidt process on rows that all are at right angles to those before: scales each to length 1 and
/// takes its part from the rows that follow.
void orthonormalize_panel(Tensor rows) {
    const std::int64_t length = rows.dim(1), stride = rows.strides()[0];
    double* const first = rows.mutable_data<double>();
    const auto dot = [length](const double* a, const double* b) {
        double sum = 0;
        for (std::int64_t i = 0; i < length; ++i) sum += a[i] * b[i];
        return sum;
    };
    for (std::int64_t j = 0; j < rows.dim(0); ++j) {
        double* const row = first + j * stride;
        const double scale = 1 / std::sqrt(dot(row, row));
        for (std::int64_t i = 0; i < length; ++i) row[i] *= scale;
        for (std::int64_t k = j + 1; k < rows.dim(0); ++k) {
            double* const other = first + k * stride;
            const double part = dot(row, other);
            for (std::int64_t i = 0; i < length; ++i) other[i] -= part * row[i];
        }
    }
}

/// The same for any number of rows: panels of a few, whose parts in the rows that follow are two matrix products.
void orthonormalize(const Tensor& rows) {
    constexpr std::int64_t panel_rows = 32;
    const std::int64_t n = rows.dim(0);
    for (std::int64_t begin = 0; begin < n; begin += panel_rows) {
        const std::int64_t end = std::min(n, begin + panel_rows);
        const Tensor panel = slice(rows, 0, begin, end);
        orthonormalize_panel(panel);
        if (end == n) break;
        Tensor rest = slice(rows, 0, end, n);
        rest.copy_from(rest - matmul(matmul(rest, transpose(panel)), panel));
    }
}

}  // namespace

void uniform(Tensor x, double low, double high, Generator& generator) {
    x.copy_from(wengert::uniform(x.shape(), low, high, generator, x.dtype()));
}

void normal(Tensor x, double mean, double deviation, Generator& generator) {
    x.copy_from(wengert::normal(x.shape(), mean, deviation, generator, x.dtype()));
}

void xavier_uniform(Tensor x, Generator& generator, double gain) {
    uniform_of_deviation(x, xavier_deviation(x, gain, "xavier_uniform"), generator);
}

void xavier_normal(Tensor x, Generator& generator, double gain) {
    normal_of_deviation(x, xavier_deviation(x, gain, "xavier_normal"), generator);
}

void kaiming_uniform(Tensor x, Generator& generator, const KaimingOptions& options) {
    uniform_of_deviation(x, kaiming_deviation(x, options, "kaiming_uniform"), generator);
}

void kaiming_normal(Tensor x, Generator& generator, const KaimingOptions& options) {
    normal_of_deviation(x, kaiming_deviation(x, options, "kaiming_normal"), generator);
}

void orthogonal(Tensor x, Generator& generator, double gain) {
    require_axes(x, "orthogonal");
    if (!is_floating(x.dtype()))
        throw DtypeError(fmt::format("orthogonal: random values are float32 or float64, not {}", to_string(x.dtype())));
    if (x.numel() == 0) return;
    const std::int64_t m = x.dim(0), n = x.numel() / m;
    const Tensor rows = wengert::normal({std::min(m, n), std::max(m, n)}, 0, 1, generator, Dtype::float64);
    // The first pass leaves errors as large as the random rows are close to one another; the second starts with rows
    // that are far apart, and leaves rounding errors only (Giraud et al. 2005, The loss of orthogonality in the
    // Gram-Schmidt orthogonalization process).
    orthonormalize(rows);
    orthonormalize(rows);
    x.copy_from(reshape(gain * (m <= n ? rows : transpose(rows)), x.shape()));
}

}  // namespace wengert::initialize
