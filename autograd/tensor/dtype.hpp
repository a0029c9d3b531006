#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>
#include <wengert/autograd/tensor/half.hpp>

namespace WENGERT_EXPORT wengert {

/// What a tensor's elements are. float32 is the default; float64 serves checking, int64 and int32 hold ids and lengths,
/// bool holds masks. float16 and bfloat16 are stored only: what computes takes them after a cast(). The first five
/// stand in the order of promotion (see ops/elementwise/promotion.hpp).
enum class Dtype : std::uint8_t { boolean, int32, int64, float32, float64, float16, bfloat16 };

/// The bytes of one element.
constexpr std::size_t size_of(Dtype dtype) {
    constexpr std::uint32_t sizes = 0x2284841;  // a digit each, the first one's last
    return sizes >> 4 * static_cast<std::uint32_t>(dtype) & 15u;
}

/// The name, as NumPy has it; "bool" for boolean.
constexpr std::string_view to_string(Dtype dtype) {
    switch (dtype) {
        case Dtype::boolean:
            return "bool";
        case Dtype::int32:
            return "int32";
        case Dtype::int64:
            return "int64";
        case Dtype::float32:
            return "float32";
        case Dtype::float64:
            return "float64";
        case Dtype::float16:
            return "float16";
        case Dtype::bfloat16:
            return "bfloat16";
    }
    return "unknown";
}

/// float32 and float64: what kernels of real numbers compute with, and what has a gradient.
constexpr bool is_floating(Dtype dtype) { return dtype == Dtype::float32 || dtype == Dtype::float64; }
/// bool, int32 and int64.
constexpr bool is_integral(Dtype dtype) { return dtype <= Dtype::int64; }
/// float16 and bfloat16.
constexpr bool is_stored_only(Dtype dtype) { return dtype >= Dtype::float16; }

template <class T>
struct DtypeOf;
template <>
struct DtypeOf<bool> {
    static constexpr Dtype value = Dtype::boolean;
};
template <>
struct DtypeOf<std::int32_t> {
    static constexpr Dtype value = Dtype::int32;
};
template <>
struct DtypeOf<std::int64_t> {
    static constexpr Dtype value = Dtype::int64;
};
template <>
struct DtypeOf<float> {
    static constexpr Dtype value = Dtype::float32;
};
template <>
struct DtypeOf<double> {
    static constexpr Dtype value = Dtype::float64;
};
template <>
struct DtypeOf<Float16> {
    static constexpr Dtype value = Dtype::float16;
};
template <>
struct DtypeOf<Bfloat16> {
    static constexpr Dtype value = Dtype::bfloat16;
};
/// The Dtype of a C++ element type: bool, std::int32_t, std::int64_t, float, double, Float16 or Bfloat16.
template <class T>
inline constexpr Dtype dtype_of = DtypeOf<T>::value;

/// The element types of the dtypes that are stored only.
template <class T>
concept Half = std::same_as<T, Float16> || std::same_as<T, Bfloat16>;

/// Throws ValueError saying that an integer dtype cannot hold the number.
[[noreturn]] void refuse_number(double number, Dtype dtype);
[[noreturn]] void refuse_number(std::int64_t number, Dtype dtype);
/// Throws DtypeError for an operand that is no float32 or float64, or that nothing computes with; `name` is the
/// caller's word for it.
[[noreturn]] void refuse_dtype(Dtype dtype, std::string_view name = "the operand");

/// Whether an element may have no counterpart in another type.
template <class To, class From>
inline constexpr bool may_refuse =
    std::integral<To> && !std::same_as<To, bool> && (!std::integral<From> || sizeof(From) > sizeof(To));

/// A number as another element type, rounded to the nearest; only a whole number becomes an int64 or int32, and all but
/// 0 are true, NaN too. Throws ValueError for any other, for NaN and for those out of range.
template <class To, class From>
To convert(From number) {
    if constexpr (Half<From> && !std::same_as<To, From>) {
        return convert<To>(static_cast<float>(number));
    } else if constexpr (Half<To> && std::integral<From>) {
        return To(static_cast<std::int64_t>(number));
    } else if constexpr (std::same_as<To, bool>) {
        return number != From{0};
    } else {
        if constexpr (may_refuse<To, From> && std::floating_point<From>) {
            constexpr From end = static_cast<From>(std::uint64_t{1} << std::numeric_limits<To>::digits);
            if (!(number >= -end && number < end) || number != static_cast<From>(static_cast<To>(number)))
                refuse_number(static_cast<double>(number), dtype_of<To>);
        } else if constexpr (may_refuse<To, From>) {
            if (number != static_cast<From>(static_cast<To>(number))) refuse_number(number, dtype_of<To>);
        }
        return static_cast<To>(number);
    }
}

/// Calls `f(T{})` with the C++ element type of `dtype`. Throws DtypeError for those that are stored only.
template <class F>
decltype(auto) visit_dtype(Dtype dtype, F&& f) {
    if (dtype == Dtype::float32) return f(float{});
    if (dtype == Dtype::float64) return f(double{});
    if (dtype == Dtype::int64) return f(std::int64_t{});
    if (dtype == Dtype::int32) return f(std::int32_t{});
    if (dtype != Dtype::boolean) refuse_dtype(dtype);
    return f(bool{});
}

/// The same for all dtypes: for what moves elements or converts them.
template <class F>
decltype(auto) visit_stored(Dtype dtype, F&& f) {
    if (dtype == Dtype::float16) return f(Float16{});
    if (dtype == Dtype::bfloat16) return f(Bfloat16{});
    return visit_dtype(dtype, f);
}

/// The same for the integers and bool; others are the caller's error and must be excluded before.
template <class F>
decltype(auto) visit_integral(Dtype dtype, F&& f) {
    if (dtype == Dtype::int64) return f(std::int64_t{});
    return dtype == Dtype::int32 ? f(std::int32_t{}) : f(bool{});
}

/// The same for kernels that exist in floating point only.
template <class F>
decltype(auto) visit_floating(Dtype dtype, F&& f) {
    return dtype == Dtype::float64 ? f(double{}) : f(float{});
}

}  // namespace wengert
