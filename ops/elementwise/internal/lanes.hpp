#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <numeric>
#include <type_traits>
#include <wengert/ops/elementwise/internal/xsimd.hpp>

#ifdef __AVX512BW__
#include <immintrin.h>
#endif

namespace WENGERT_EXPORT wengert {

/// A register has no more than this.
inline constexpr std::size_t most_register_bytes = 64;
template <class T>
inline constexpr std::int64_t most_lanes = static_cast<std::int64_t>(most_register_bytes / sizeof(T));

/// Copies fewer elements than a register has. One that is put together from elements in memory has to wait for them to
/// be written, so that hardware which can copy a part does.
template <class T>
[[gnu::always_inline]] inline void copy_part(const T* from, T* to, std::int64_t n) {
#ifdef __AVX512BW__
    const __mmask64 first = (std::uint64_t{1} << (static_cast<std::size_t>(n) * sizeof(T))) - 1;
    _mm512_mask_storeu_epi8(to, first, _mm512_maskz_loadu_epi8(first, from));
#else
    std::copy_n(from, n, to);
#endif
}

/// A register of which fewer elements than it has are set to those in memory, the others to zero.
template <class T>
[[gnu::always_inline]] inline void load_part(const T* from, T* to, std::int64_t n) {
#ifdef __AVX512BW__
    const __mmask64 first = (std::uint64_t{1} << (static_cast<std::size_t>(n) * sizeof(T))) - 1;
    _mm512_store_si512(to, _mm512_maskz_loadu_epi8(first, from));
#else
    std::fill_n(std::copy_n(from, n, to), most_lanes<T> - n, T{0});
#endif
}

/// The first reading of an elementwise formula: as many elements as a vector register holds. `Lanes<float>` is what a
/// lambda's `auto` stands for in a forward kernel. The instruction set is part of the type, so that a program and a
/// library that are compiled for different processors share no kernel by mistake.
template <class T, class InstructionSet = xsimd::default_arch>
struct Lanes {
    using Batch = xsimd::batch<T, InstructionSet>;
    static constexpr std::int64_t size = static_cast<std::int64_t>(Batch::size);

    Batch v;

    Lanes() = default;
    [[gnu::always_inline]] Lanes(const Batch& batch) : v(batch) {}
    [[gnu::always_inline]] Lanes(double number) : v(static_cast<T>(number)) {}

    [[gnu::always_inline]] static Lanes load(const T* from) { return Batch::load_unaligned(from); }
    [[gnu::always_inline]] void store(T* to) const { v.store_unaligned(to); }

    /// Of a row of n elements as many as a register takes. If they are fewer, the others of the register are zero.
    [[gnu::always_inline]] static Lanes load(const T* from, std::int64_t n) {
        if (n >= size) return load(from);
        alignas(64) std::array<T, most_lanes<T>> buffer;
        load_part(from, buffer.data(), n);
        return load(buffer.data());
    }
    [[gnu::always_inline]] void store(T* to, std::int64_t n) const {
        if (n >= size) return store(to);
        alignas(64) std::array<T, most_lanes<T>> buffer;
        store(buffer.data());
        copy_part(buffer.data(), to, n);
    }
    /// The first n elements, the others zero.
    [[gnu::always_inline]] Lanes first(std::int64_t n) const {
        if (n >= size) return *this;
        static constexpr std::array<T, size> numbers = [] {
            std::array<T, size> places;
            std::iota(places.begin(), places.end(), T{0});
            return places;
        }();
        return xsimd::select(Batch::load_unaligned(numbers.data()) < Batch(static_cast<T>(n)), v, Batch(0));
    }

    /// The sum of all elements.
    [[gnu::always_inline]] T total() const {
        if constexpr (requires { reduce_add(v); })
            return reduce_add(v);
        else
            return hadd(v);  // its name before xsimd 10
    }
};

/// What a comparison of two readings gives, and where() takes. It is no bool: each element may go another way.
template <class Reading>
struct Mask;

template <class T>
struct Mask<Lanes<T>> {
    typename Lanes<T>::Batch::batch_bool_type m;

    template <std::same_as<bool> Bool>
    explicit operator Bool() const {
        static_assert(!std::same_as<Bool, bool>,
                      "a formula cannot branch on its operands: write where(condition, yes, no) instead of if or ?:");
        return false;
    }
};

/// Conditions of a formula combine as those of the language do, but both sides are always evaluated.
template <class T>
[[gnu::always_inline]] inline Mask<Lanes<T>> operator&&(const Mask<Lanes<T>>& a, const Mask<Lanes<T>>& b) {
    return {a.m & b.m};
}
template <class T>
[[gnu::always_inline]] inline Mask<Lanes<T>> operator||(const Mask<Lanes<T>>& a, const Mask<Lanes<T>>& b) {
    return {a.m | b.m};
}
template <class T>
[[gnu::always_inline]] inline Mask<Lanes<T>> operator!(const Mask<Lanes<T>>& a) {
    return {!a.m};
}

template <class T>
[[gnu::always_inline]] inline Lanes<T> where(const Mask<Lanes<T>>& mask, const std::type_identity_t<Lanes<T>>& yes,
                                             const std::type_identity_t<Lanes<T>>& no) {
    return xsimd::select(mask.m, yes.v, no.v);
}

}  // namespace wengert
