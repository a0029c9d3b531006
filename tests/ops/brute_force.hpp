#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <source_location>
#include <string>
#include <vector>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/products/threads.hpp>
#include <wengert/ops/shape/concat.hpp>
#include <wengert/ops/shape/views.hpp>

#include "../values.hpp"

/// What the ops should compute, by plain loops over indices.
namespace brute_force {

using namespace wengert;

inline constexpr double infinity = std::numeric_limits<double>::infinity();

/// f, which stands in the lines of this call, throws an E of this text that ends with the place of f.
template <class E, class F>
void check_refused(const std::string& text, const F& f, std::source_location here = std::source_location::current()) {
    CAPTURE(text);
    try {
        f();
        FAIL_CHECK("nothing was thrown");
    } catch (const E& error) {
        const std::string what = error.what();
        const std::size_t place = what.rfind("\n  at "), number = what.rfind(':') + 1;
        REQUIRE(place != std::string::npos);
        CHECK(what.substr(0, place) == text);
        const std::filesystem::path file(here.file_name());
        CHECK(what.substr(0, number).ends_with((file.parent_path().filename() / file.filename()).string() + ":"));
        const unsigned long line = std::stoul(what.substr(number));
        CHECK(line >= here.line());
        CHECK(line <= here.line() + 4);
    }
}

/// Calls f with each index of a shape, in row-major order.
template <class F>
void for_each_index(const Shape& shape, const F& f) {
    for (std::int64_t i = 0; i < shape.numel(); ++i) {
        Shape index = shape;
        std::int64_t rest = i;
        for (int axis = shape.rank() - 1; axis >= 0; --axis) {
            index[axis] = rest % shape[axis];
            rest /= shape[axis];
        }
        f(index);
    }
}

/// Where the element of a tensor stands that belongs to an index of a space to which the tensor broadcasts.
inline std::int64_t broadcast_offset(const Shape& shape, const Shape& strides, const Shape& index) {
    std::int64_t offset = 0;
    for (int axis = 0; axis < shape.rank(); ++axis)
        if (shape[axis] != 1) offset += index[index.rank() - shape.rank() + axis] * strides[axis];
    return offset;
}
inline double element(const Tensor& x, const Shape& index) {
    return visit_dtype(x.dtype(), [&](auto type) {
        return static_cast<double>(
            static_cast<const decltype(type)*>(x.raw())[broadcast_offset(x.shape(), x.strides(), index)]);
    });
}

/// The distance of two numbers in units of the last place of `want`, or of `scale` if that is larger.
inline double ulps(double got, double want, Dtype dtype, double scale = 0) {
    if (got == want || (std::isnan(got) && std::isnan(want))) return 0;
    if (!std::isfinite(got) || !std::isfinite(want)) return infinity;
    const bool is_double = dtype == Dtype::float64;
    const double least = is_double ? std::numeric_limits<double>::min() : std::numeric_limits<float>::min();
    const double digits = is_double ? std::numeric_limits<double>::epsilon() : std::numeric_limits<float>::epsilon();
    const double magnitude = std::max({std::abs(want), std::abs(scale), least});
    return std::abs(got - want) / std::ldexp(digits, std::ilogb(magnitude));
}

/// Each element may be off by `tolerance` units of its last place, or of that of `scale`.
inline void check_close(const Tensor& got, const Values& want, double tolerance, double scale = 0) {
    REQUIRE(got.numel() == static_cast<std::int64_t>(want.size()));
    const Values values = elements(got);
    for (std::size_t i = 0; i < want.size(); ++i) {
        const double distance = ulps(values[i], want[i], got.dtype(), scale);
        if (distance <= tolerance) continue;
        FAIL_CHECK("element " << i << " of " << to_string(got.shape()) << " " << to_string(got.dtype()) << " is "
                              << values[i] << ", not " << want[i] << " (" << distance << " ulp)");
    }
}

/// Sets the number of threads while it lives.
class Threads {
  public:
    explicit Threads(int count) { set_thread_count(count); }
    ~Threads() { set_thread_count(before_); }
    Threads(const Threads&) = delete;
    Threads& operator=(const Threads&) = delete;

  private:
    const int before_ = thread_count();
};

/// Values in [low, high) of a shape, as they may stand in memory: 0 in order, 1 with the axes in reverse order, 2 as a
/// part of a larger tensor, 3 with gaps between all elements.
inline constexpr int layouts = 4;
inline Tensor laid_out(const Shape& shape, int layout, std::uint64_t seed, Dtype dtype = Dtype::float64,
                       double low = -1, double high = 1) {
    const auto values = [&](const Shape& s) {
        const Tensor x = sample_values(s, low, high, seed);
        if (is_floating(dtype)) return cast(x, dtype);
        Values whole = elements(x);
        for (double& v : whole) v = std::trunc(v);
        return cast(tensor(whole, s), dtype);
    };
    Shape larger = shape;
    switch (layout) {
        case 1: {
            Shape reversed = shape, order = shape;
            for (int axis = 0; axis < shape.rank(); ++axis) {
                order[axis] = shape.rank() - 1 - axis;
                reversed[axis] = shape[static_cast<int>(order[axis])];
            }
            return permute(values(reversed), order);
        }
        case 2: {
            for (std::int64_t& d : larger) d += 2;
            Tensor part = values(larger);
            for (int axis = 0; axis < shape.rank(); ++axis) part = slice(part, axis, 1, 1 + shape[axis]);
            return part;
        }
        case 3: {
            if (shape.rank() == Shape::max_rank) return values(shape);
            larger.push_back(3);
            return select(values(larger), -1, 1);
        }
        default:
            return values(shape);
    }
}

/// The gradient of f(inputs) by every input, under a cotangent.
template <class F>
std::vector<Tensor> gradients(const F& f, const std::vector<Tensor>& inputs, const Tensor& cotangent) {
    Tape tape;
    for (const Tensor& input : inputs) tape.watch(input);
    return tape.gradient(f(inputs), inputs, {.cotangent = cotangent});
}

/// Fixed values of a tensor's shape and type.
inline Tensor cotangent_of(const Tensor& x, std::uint64_t seed = 99) {
    return cast(sample_values(x.shape(), -1, 1, seed), x.dtype());
}

}  // namespace brute_force
