#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <wengert/ops/elementwise/internal/xsimd.hpp>

namespace wengert {

/// The first reading of an elementwise formula: as many elements as a vector register holds. `Lanes<float>` is what a
/// lambda's `auto` stands for in a forward kernel.
template <class T>
struct Lanes {
    using Batch = xsimd::batch<T>;
    static constexpr std::int64_t size = static_cast<std::int64_t>(Batch::size);

    Batch v;

    Lanes() = default;
    Lanes(const Batch& batch) : v(batch) {}
    Lanes(double number) : v(static_cast<T>(number)) {}

    static Lanes load(const T* from) { return Batch::load_unaligned(from); }
    void store(T* to) const { v.store_unaligned(to); }

    /// The first n elements, if a row ends before a register does; the others are zero. A register that is put together
    /// from elements in memory has to wait for them to be written, so that hardware which can load a part does.
    static Lanes load(const T* from, std::int64_t n) {
#ifdef __AVX512F__
        const unsigned first = (1u << n) - 1;
        if constexpr (std::is_same_v<T, float>)
            return Batch(_mm512_maskz_loadu_ps(static_cast<__mmask16>(first), from));
        else
            return Batch(_mm512_maskz_loadu_pd(static_cast<__mmask8>(first), from));
#else
        alignas(64) T buffer[size] = {};
        std::copy_n(from, n, buffer);
        return Batch::load_aligned(buffer);
#endif
    }
    void store(T* to, std::int64_t n) const {
#ifdef __AVX512F__
        const unsigned first = (1u << n) - 1;
        if constexpr (std::is_same_v<T, float>)
            _mm512_mask_storeu_ps(to, static_cast<__mmask16>(first), v);
        else
            _mm512_mask_storeu_pd(to, static_cast<__mmask8>(first), v);
#else
        alignas(64) T buffer[size];
        v.store_aligned(buffer);
        std::copy_n(buffer, n, to);
#endif
    }

    /// The sum of all elements.
    T total() const {
        if constexpr (requires { reduce_add(v); })
            return reduce_add(v);
        else
            return hadd(v);  // its name before xsimd 10
    }
};

/// What a comparison of two readings gives, and where() takes.
template <class Reading>
struct Mask;

template <class T>
struct Mask<Lanes<T>> {
    typename Lanes<T>::Batch::batch_bool_type m;
};

template <class T>
Lanes<T> where(const Mask<Lanes<T>>& mask, const std::type_identity_t<Lanes<T>>& yes,
               const std::type_identity_t<Lanes<T>>& no) {
    return xsimd::select(mask.m, yes.v, no.v);
}

}  // namespace wengert
