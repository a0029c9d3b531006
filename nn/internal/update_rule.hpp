#pragma once

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <wengert/autograd/tensor/parallel.hpp>
#include <wengert/autograd/tensor/tensor.hpp>

/// What rules of optimizers are made of: the domains of their options, and one pass over a parameter.
namespace wengert::update_rule {

inline constexpr double infinity = std::numeric_limits<double>::infinity();

/// NaN is outside of any interval.
inline void require(std::string_view what, double value, double least, double below) {
    if (!(value >= least && value < below))
        throw ValueError(fmt::format("{} is {}, not in [{}, {})", what, value, least, below));
}

/// For the options of Adam and of AdamW.
void require_adam(const auto& options) {
    require("beta1", options.beta1, 0, 1);
    require("beta2", options.beta2, 0, 1);
    require("epsilon", options.epsilon, 0, infinity);
    require("weight_decay", options.weight_decay, 0, infinity);
}

/// What a rule's constructor and step ask of its parameters and their gradients; optimizers.hpp says what they throw.
void require_parameters(const std::vector<Tensor>& parameters);
void require_gradients(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients);
void require_finite(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients);
/// Somebody beside the optimizer, and its caller, holds each parameter.
void require_held(const std::vector<Tensor>& parameters);
/// The name of a parameter, or its number if it has none.
std::string label(const std::vector<Tensor>& parameters, std::size_t which);

/// Adam's averages of one element's gradient g and of its square: m = beta1 m + (1 - beta1) g, v = beta2 v + (1 -
/// beta2) g^2. With `l2` above 0 that times the parameter is added to the gradient first.
template <class T>
struct Averages {
    T b1, c1, b2, c2, l2;

    explicit Averages(const auto& options, double decay = 0)
        : b1(static_cast<T>(options.beta1)),
          c1(static_cast<T>(1 - options.beta1)),
          b2(static_cast<T>(options.beta2)),
          c2(static_cast<T>(1 - options.beta2)),
          l2(static_cast<T>(decay)) {}
    void operator()(const T& p, T& g, T& m, T& v) const {
        g += l2 * p;
        m = b1 * m + c1 * g;
        v = b2 * v + c2 * g * g;
    }
};

/// Calls rule(p, g, kept...) for each element, with references to all but the gradient's.
template <class T, std::size_t... k, class Rule>
void sweep(Tensor& parameter, const Tensor& gradient, [[maybe_unused]] std::span<Tensor> kept,
           std::index_sequence<k...>, const Rule& rule) {
    T* const p = parameter.mutable_data<T>();
    const T* const g = gradient.data<T>();
    const std::array<T*, sizeof...(k)> state{kept[k].mutable_data<T>()...};
    constexpr std::int64_t cache_line = 64 / sizeof(T);
    parallel_ranges(parameter.numel(), cache_line, parameter.numel(), [&](std::int64_t begin, std::int64_t end) {
        // Copies, so that the compiler need not fear that an element's new value changes the rule.
        const Rule own_rule = rule;
        const auto own_state = state;
        // The tensors of an element are read before they are written, and no two share elements.
        // clang has no such word, and finds out when it runs.
#ifndef __clang__
#pragma GCC ivdep
#endif
        for (std::int64_t i = begin; i < end; ++i) own_rule(p[i], g[i], own_state[k][i]...);
    });
}

}  // namespace wengert::update_rule
