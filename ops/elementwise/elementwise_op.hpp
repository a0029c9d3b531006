#pragma once

#include <wengert/ops/elementwise/map.hpp>

namespace wengert {

/// A table entry as a formula.
template <class P>
struct Function {
    static constexpr std::string_view name = P::name;
    static constexpr bool linear = [] {
        if constexpr (requires { P::linear; })
            return P::linear;
        else
            return false;
    }();
    [[gnu::always_inline]] auto operator()(const auto&... x) const { return evaluate<P>(x...); }
    static std::vector<Sample> samples();
};

/// A comparison as a formula: 1 where it holds, 0 elsewhere.
template <class P>
struct Comparison {
    static constexpr std::string_view name = P::name;
    static constexpr bool differentiable = false;
    [[gnu::always_inline]] auto operator()(const auto& x, const auto& y) const {
        return where(compare<P>(x, y), 1.0, 0.0);
    }
    static std::vector<Sample> samples();
};

struct Where {
    static constexpr std::string_view name = "where";
    [[gnu::always_inline]] auto operator()(const auto& condition, const auto& yes, const auto& no) const {
        return where(condition != 0.0, yes, no);
    }
    static std::vector<Sample> samples();
};

/// What sum() sums.
struct SumOf {
    static constexpr std::string_view name = "sum";
    static constexpr bool linear = true;
    [[gnu::always_inline]] auto operator()(const auto& x) const { return x; }
    static std::vector<Sample> samples();
};

}  // namespace wengert
