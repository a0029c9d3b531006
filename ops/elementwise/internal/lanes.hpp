#pragma once

#include <concepts>
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
    [[gnu::always_inline]] Lanes(const Batch& batch) : v(batch) {}
    [[gnu::always_inline]] Lanes(double number) : v(static_cast<T>(number)) {}

    [[gnu::always_inline]] static Lanes load(const T* from) { return Batch::load_unaligned(from); }
    [[gnu::always_inline]] void store(T* to) const { v.store_unaligned(to); }

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
