#pragma once

#include <tuple>
#include <wengert/nn/module.hpp>

namespace wengert {
namespace sequential {

/// A layer takes an Input, which knows the caller's line; a function may take the tensor.
template <class Layer, class... Extras>
concept Takes = std::invocable<const Layer&, const Input&, const Extras&...> ||
    std::invocable<const Layer&, const Tensor&, const Extras&...>;

/// Those extras that a layer takes together, each after those before it, as a tuple of types.
template <class Layer, class Taken, class... Extras>
struct Own {
    using Types = Taken;
};
template <class Layer, class... Taken, class Extra, class... Rest>
struct Own<Layer, std::tuple<Taken...>, Extra, Rest...>
    : Own<Layer, std::conditional_t<Takes<Layer, Taken..., Extra>, std::tuple<Taken..., Extra>, std::tuple<Taken...>>,
          Rest...> {};

template <class Extra, class Types>
inline constexpr bool has = false;
template <class Extra, class... Types>
inline constexpr bool has<Extra, std::tuple<Types...>> = (std::same_as<Extra, Types> || ...);

template <class Extra, class Layers, class... Extras>
inline constexpr bool is_taken = false;
template <class Extra, class... Layers, class... Extras>
inline constexpr bool is_taken<Extra, std::tuple<Layers...>, Extras...> =
    (has<Extra, typename Own<Layers, std::tuple<>, Extras...>::Types> || ...);

/// Whether a layer would take an extra after those that it takes: where the call has it before them.
template <class Layer, class Types, class Extra>
inline constexpr bool is_left_out = false;
template <class Layer, class... Types, class Extra>
inline constexpr bool is_left_out<Layer, std::tuple<Types...>, Extra> =
    !has<Extra, std::tuple<Types...>> && Takes<Layer, Types..., Extra>;

/// The extras themselves.
template <class Layer, class... Taken>
auto own(const std::tuple<const Taken&...>& before) {
    return before;
}
template <class Layer, class... Taken, class Extra, class... Rest>
auto own(const std::tuple<const Taken&...>& before, const Extra& extra, const Rest&... rest) {
    if constexpr (Takes<Layer, Taken..., Extra>)
        return own<Layer>(std::tuple_cat(before, std::tie(extra)), rest...);
    else
        return own<Layer>(before, rest...);
}

/// The layer of x and of those extras that it takes.
template <class Layer>
Tensor run(const Layer& layer, const Input& x, const auto&... extras) {
    const auto call = [&]<class... Given>(const Given&... given) -> Tensor {
        static_assert(Takes<Layer, Given...>, "a layer of a Sequential needs more than x: give it to the call");
        static_assert(!(is_left_out<Layer, std::tuple<Given...>, std::remove_cvref_t<decltype(extras)>> || ...),
                      "a layer of a Sequential takes what the call has beside x in another order");
        if constexpr (std::invocable<const Layer&, const Input&, const Given&...>)
            return layer(x, given...);
        else
            return layer(x.tensor(), given...);
    };
    return std::apply(call, own<Layer>(std::tuple<>(), extras...));
}

}  // namespace sequential

/// Layers and functions, one after another; in files they are "0", "1", .., as in PyTorch. A Sequential of nothing but
/// a Sequential is a copy of it.
///
///     Sequential model{Linear(784, 64, generator), [](const Tensor& x) { return relu(x); }, Dropout{0.1},
///                      Linear(64, 10, generator)};
///     name_parameters(model);
///     const Tensor logits = model(images, noise);
///
/// What the call has beside x goes to those that take it, in its order: the noise here to Dropout,
/// NormStatistics::batch to BatchNorm. What none of them takes does not compile. Braces make the layers from left to
/// right, so that every compiler draws the same initial values.
template <class... Layers>
struct Sequential {
    std::tuple<Layers...> layers;

    explicit Sequential(Layers... layers) : layers(std::move(layers)...) {}

    /// x as the first takes it -> what the last returns.
    template <class... Extras>
    requires(sequential::is_taken<Extras, std::tuple<Layers...>, Extras...>&&...) Tensor operator()(
        const Input& x, const Extras&... extras) const {
        Tensor y = x.tensor();
        std::apply([&](const Layers&... layer) { ((y = sequential::run(layer, Input(y, x.where()), extras...)), ...); },
                   layers);
        return y;
    }

    void visit(auto&& f) {
        std::size_t number = 0;
        const auto name = [&](auto& layer) {
            if constexpr (Module<std::remove_reference_t<decltype(layer)>>) f(std::to_string(number), layer);
            ++number;
        };
        std::apply([&](Layers&... layer) { (name(layer), ...); }, layers);
    }
};

}  // namespace wengert
