#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <vector>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/ops/all_ops.hpp>

/// How far a function of one operand is from exact, for the test that holds it to its bound and the program that
/// measures it everywhere.
namespace ulp_errors {

using namespace wengert;

/// What a dtype's numbers are.
struct Limits {
    long double least, largest, beyond;  ///< the least normal number, the largest, and what would follow that
    int digits;

    explicit Limits(Dtype dtype) : Limits(dtype == Dtype::float64 ? of<double>() : of<float>()) {}
    template <class T>
    static Limits of() {
        using Of = std::numeric_limits<T>;
        return {Of::min(), Of::max(), std::ldexp(1.0L, Of::max_exponent), Of::digits};
    }

  private:
    Limits(long double min, long double max, long double next, int bits)
        : least(min), largest(max), beyond(next), digits(bits) {}
};

/// How far a number is from an exact one, in units of the last place of the exact one, but of no number below `scale`
/// and the least normal one. Infinity counts as the number that would follow the largest.
inline double distance(double got, long double exact, const Limits& limits, long double scale = 0) {
    if (std::isnan(got) || std::isnan(exact))
        return std::isnan(got) && std::isnan(exact) ? 0 : std::numeric_limits<double>::infinity();
    const auto bounded = [&](long double x) { return std::fmin(std::fmax(x, -limits.beyond), limits.beyond); };
    const long double want = bounded(exact), have = bounded(got);
    if (have == want) return 0;
    const long double size = std::fmin(std::fmax(std::fmax(std::abs(want), scale), limits.least), limits.largest);
    return static_cast<double>(std::abs(have - want) / std::ldexp(1.0L, std::ilogb(size) + 1 - limits.digits));
}

/// What an Accuracy says of values or of derivatives.
struct Bound {
    double ulps, least_normals;
    Range root{0, 0};

    /// Whether a result may be taken for zero, or be off by as much.
    bool may_lose(double got, long double exact, const Limits& limits) const {
        const long double size = least_normals * limits.least;
        return std::abs(exact) < size && std::abs(got) <= 2 * size;
    }
    /// That of a result for the first operand x.
    double distance(double x, double got, long double exact, const Limits& limits) const {
        return ulp_errors::distance(got, exact, limits, x > root.low && x < root.high ? 1 : 0);
    }
};
inline Bound value_bound(const Accuracy& a) { return {a.ulps, a.least_normals}; }
inline Bound slope_bound(const Accuracy& a) { return {a.slope_ulps, a.slope_least_normals, a.slope_root}; }

/// The largest error, and where it is.
struct Worst {
    double ulps = 0, x = 0, got = 0;
    long double exact = 0;

    void take(const Worst& other) {
        if (other.ulps > ulps) *this = other;
    }
};

/// Of a function's values or derivatives.
struct Errors {
    Worst held;       ///< where the function is held to its bound
    Worst beyond;     ///< outside of Accuracy::between
    double lost = 0;  ///< the largest exact result that was taken for zero, in least normal numbers

    void add(const Range& between, const Bound& bound, double x, double got, long double exact, const Limits& limits) {
        const double ulps = bound.distance(x, got, exact, limits);
        if (ulps > bound.ulps && bound.may_lose(got, exact, limits))
            lost = std::fmax(lost, static_cast<double>(std::abs(exact) / limits.least));
        else
            (x < between.low || x > between.high ? beyond : held).take({ulps, x, got, exact});
    }
    void take(const Errors& other) {
        held.take(other.held);
        beyond.take(other.beyond);
        lost = std::fmax(lost, other.lost);
    }
};

struct FunctionErrors {
    Errors values, slopes;

    void take(const FunctionErrors& other) {
        values.take(other.values);
        slopes.take(other.slopes);
    }
};

/// Of a function of one operand, at each of x. Where the value is not finite, there is no derivative to speak of.
template <class T>
FunctionErrors measure(const FunctionEntry& f, std::span<const T> x) {
    const Tensor operand = tensor(x, {static_cast<std::int64_t>(x.size())});
    Tape tape;
    tape.watch(operand);
    const Tensor value = f.apply(operand, operand),
                 slope = tape.gradient(value, operand, {.cotangent = ones(operand.shape(), operand.dtype())});
    const Limits limits(operand.dtype());
    FunctionErrors errors;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const long double exact = f.exact(x[i], x[i]);
        const Range& between = f.accuracy.between;
        errors.values.add(between, value_bound(f.accuracy), x[i], value.data<T>()[i], exact, limits);
        if (!(std::abs(exact) <= limits.largest)) continue;
        const long double exact_slope = f.exact_slopes(x[i], x[i])[0];
        if (!std::isnan(exact_slope))
            errors.slopes.add(between, slope_bound(f.accuracy), x[i], slope.data<T>()[i], exact_slope, limits);
    }
    return errors;
}

/// Whether a function has its rows in docs/accuracy.md.
inline bool is_measured(const FunctionEntry& f) { return f.operands == 1 && f.differentiable; }

/// Measures at n numbers that `next` gives, some thousands at a time.
template <class T, class Next>
FunctionErrors measure_all(const FunctionEntry& f, std::int64_t n, const Next& next) {
    FunctionErrors errors;
    std::vector<T> x;
    for (std::int64_t i = 0; i < n; ++i) {
        x.push_back(next(i));
        if (x.size() < 1 << 14 && i + 1 < n) continue;
        errors.take(measure<T>(f, x));
        x.clear();
    }
    return errors;
}

/// At every stride-th bit pattern of float32.
inline FunctionErrors over_float32(const FunctionEntry& f, std::int64_t stride) {
    return measure_all<float>(f, ((std::int64_t{1} << 32) - 1) / stride + 1, [stride](std::int64_t i) {
        return std::bit_cast<float>(static_cast<std::uint32_t>(i * stride));
    });
}

/// At numbers of float64, of which a quarter is of every magnitude, and the others are between 2^-20 and 2^12 in size.
inline FunctionErrors over_float64(const FunctionEntry& f, std::int64_t samples) {
    std::mt19937_64 random(7);
    return measure_all<double>(f, samples, [&random](std::int64_t i) {
        const std::uint64_t bits = random();
        if (i % 4 == 0) return std::bit_cast<double>(bits);
        const double size =
            std::ldexp(1 + std::ldexp(static_cast<double>(bits >> 12), -52), static_cast<int>(bits % 32) - 20);
        return (bits >> 5 & 1) != 0 ? -size : size;
    });
}

}  // namespace ulp_errors
