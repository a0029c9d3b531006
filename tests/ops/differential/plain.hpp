#pragma once

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>
#include <wengert/autograd/tensor/tensor.hpp>

#include "ops/brute_force.hpp"

/// Naive references: every number is a long double, which holds those of all dtypes, and stands in row-major order.
namespace differential {

using namespace brute_force;

using Numbers = std::vector<long double>;

/// The elements of a tensor, found by its strides.
inline Numbers numbers_of(const Tensor& x) {
    Numbers all;
    all.reserve(static_cast<std::size_t>(x.numel()));
    visit_dtype(x.dtype(), [&](auto type) {
        const auto* const data = static_cast<const decltype(type)*>(x.raw());
        for_each_index(x.shape(), [&](const Shape& index) {
            std::int64_t offset = 0;
            for (int axis = 0; axis < index.rank(); ++axis) offset += index[axis] * x.strides()[axis];
            all.push_back(static_cast<long double>(data[offset]));
        });
    });
    return all;
}

/// Where an index stands in row-major order.
inline std::size_t place_of(const Shape& index, const Shape& shape) {
    std::int64_t place = 0;
    for (int axis = 0; axis < shape.rank(); ++axis) place = place * shape[axis] + index[axis];
    return static_cast<std::size_t>(place);
}

struct Plain {
    Shape shape;
    Dtype dtype = Dtype::float64;
    Numbers values;

    long double at(const Shape& index) const { return values[place_of(index, shape)]; }
    /// The element that belongs to an index of a space to which the array broadcasts.
    long double broadcast_at(const Shape& index) const {
        Shape own = shape;
        for (int axis = 0; axis < shape.rank(); ++axis)
            own[axis] = shape[axis] == 1 ? 0 : index[index.rank() - shape.rank() + axis];
        return at(own);
    }
};
inline Plain plain(const Tensor& x) { return {x.shape(), x.dtype(), numbers_of(x)}; }

/// An array of a shape, of what f makes of each index.
template <class F>
Plain made(const Shape& shape, Dtype dtype, const F& f) {
    Plain result{shape, dtype, {}};
    for_each_index(shape, [&](const Shape& index) { result.values.push_back(f(index)); });
    return result;
}

inline long double epsilon_of(Dtype dtype) {
    return dtype == Dtype::float32   ? std::numeric_limits<float>::epsilon()
           : dtype == Dtype::float64 ? std::numeric_limits<double>::epsilon()
                                     : 0;
}
inline long double least_of(Dtype dtype) {
    return dtype == Dtype::float32 ? std::numeric_limits<float>::min() : std::numeric_limits<double>::min();
}
inline long double largest_of(Dtype dtype) {
    return dtype == Dtype::float32 ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
}

/// A tolerance that accepts all: where the order of rounding decides what comes out.
inline constexpr long double anything = std::numeric_limits<long double>::infinity();

/// An exact sum, and how far one that is rounded in any order may be from it.
struct Sum {
    long double value = 0, size = 0;
    std::int64_t count = 0;

    /// A summand, which may be a product of numbers: then it underflows in the worst case.
    void add(long double x) {
        value += x;
        if (std::isfinite(x)) size += std::abs(x);
        ++count;
    }
    long double tolerance(Dtype dtype) const {
        if (size > largest_of(dtype) / 2) return anything;  // some order overflows
        return static_cast<long double>(count + 1) *
               (epsilon_of(dtype) * size + 2 * least_of(dtype) * epsilon_of(dtype));
    }
};

/// An exact product in the same way.
struct Product {
    long double value = 1, above = 1, below = 1;
    std::int64_t count = 0;

    void multiply(long double x) {
        value *= x;
        const long double size = std::abs(x);
        if (std::isfinite(x) && size != 0) (size > 1 ? above : below) *= size;
        ++count;
    }
    long double tolerance(Dtype dtype) const {
        if (above > largest_of(dtype) / 2 || below < 2 * least_of(dtype)) return anything;
        return static_cast<long double>(count + 1) * epsilon_of(dtype) * (std::isfinite(value) ? std::abs(value) : 0);
    }
};

/// What differs between a result and the reference, or nothing. An element may be off by its tolerance, and infinite if
/// the exact one is beyond the dtype's numbers; without tolerances all must be equal.
inline std::string difference(const Tensor& got, const Plain& want, const Numbers& tolerances = {}) {
    if (got.shape() != want.shape || got.dtype() != want.dtype)
        return fmt::format("the result is {} {}, not {} {}", to_string(got.dtype()), to_string(got.shape()),
                           to_string(want.dtype), to_string(want.shape));
    const Numbers values = numbers_of(got);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const long double have = values[i], expected = want.values[i],
                          tolerance = tolerances.empty() ? 0 : tolerances[i];
        const bool is_beyond = is_floating(want.dtype) && std::isinf(have) && (have < 0) == (expected < 0) &&
                               std::abs(expected) + tolerance > largest_of(want.dtype);
        if (have == expected || (std::isnan(have) && std::isnan(expected)) || tolerance == anything || is_beyond ||
            std::abs(have - expected) <= tolerance)
            continue;
        return fmt::format("element {} is {:.20Lg}, not {:.20Lg} within {:Lg}", i, have, expected, tolerance);
    }
    return "";
}

}  // namespace differential
