#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace wengert {

/// What a tensor's elements are. float32 is the default; float64 serves checking, int64 holds ids and lengths.
enum class Dtype : std::uint8_t { float32, float64, int64 };

constexpr std::size_t size_of(Dtype dtype) { return dtype == Dtype::float32 ? 4 : 8; }

constexpr std::string_view to_string(Dtype dtype) {
    switch (dtype) {
        case Dtype::float32:
            return "float32";
        case Dtype::float64:
            return "float64";
        case Dtype::int64:
            return "int64";
    }
    return "unknown";
}

constexpr bool is_floating(Dtype dtype) { return dtype != Dtype::int64; }

template <class T>
struct DtypeOf;
template <>
struct DtypeOf<float> {
    static constexpr Dtype value = Dtype::float32;
};
template <>
struct DtypeOf<double> {
    static constexpr Dtype value = Dtype::float64;
};
template <>
struct DtypeOf<std::int64_t> {
    static constexpr Dtype value = Dtype::int64;
};
/// The Dtype of a C++ element type: float, double or std::int64_t.
template <class T>
inline constexpr Dtype dtype_of = DtypeOf<T>::value;

/// Throws ValueError saying that an int64 cannot hold the number.
[[noreturn]] void refuse_int64(double number);

/// A number as another element type, rounded to the nearest float; only a whole number becomes an int64. Throws
/// ValueError for any other, for NaN and for those out of range.
template <class To, class From>
To convert(From number) {
    if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>)
        if (!(number >= From{-0x1p63} && number < From{0x1p63}) || number != static_cast<From>(static_cast<To>(number)))
            refuse_int64(static_cast<double>(number));
    return static_cast<To>(number);
}

/// Calls `f(T{})` with the C++ element type of `dtype`.
template <class F>
decltype(auto) visit_dtype(Dtype dtype, F&& f) {
    if (dtype == Dtype::float32) return f(float{});
    if (dtype == Dtype::float64) return f(double{});
    return f(std::int64_t{});
}

/// The same for kernels that exist in floating point only; int64 is the caller's error and must be excluded before.
template <class F>
decltype(auto) visit_floating(Dtype dtype, F&& f) {
    return dtype == Dtype::float64 ? f(double{}) : f(float{});
}

}  // namespace wengert
