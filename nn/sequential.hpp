#pragma once

#include <tuple>
#include <wengert/nn/module.hpp>

namespace WENGERT_EXPORT wengert {
namespace sequential {

/// A layer takes an Input, which knows the caller's line; a function may take the tensor.
template <class Layer, class... Extras>
concept Takes = std::invocable<const Layer&, const Input&, const Extras&...> ||
    std::invocable<const Layer&, const Tensor&, const Extras&...>;

/// Those extras that a layer takes together, each after those before it.
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

/// Whether a type is among those of a tuple of references.
template <class Extra, class Taken>
inline constexpr bool has = false;
template <class Extra, class... Taken>
inline constexpr bool has<Extra, std::tuple<const Taken&...>> = (std::same_as<Extra, Taken> || ...);

/// The layer of x and of those extras that it takes.
template <class Layer, class... Extras>
Tensor run(const Layer& layer, const Input& x, const Extras&... extras) {
    const auto call = [&]<class... Given>(const Given&... given) -> Tensor {
        static_assert(Takes<Layer, Given...>, "a layer of a Sequential needs more than x: give it to the call");
        static_assert(((has<Extras, std::tuple<const Given&...>> || !Takes<Layer, Given..., Extras>)&&...),
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
///     const Tensor logits = model(images, &noise);
///
/// What the call has beside x goes to those that take it, in its order: the noise here to Dropout,
/// NormStatistics::batch to BatchNorm. What none of them takes does not compile. Braces make the layers from left to
/// right, so that every compiler draws the same initial values.
template <class... Layers>
struct Sequential {
    std::tuple<Layers...> layers;  ///< in the order in which they are applied

    /// In the order in which they are to be applied.
    explicit Sequential(Layers... in_order) : layers(std::move(in_order)...) {}

    /// Whether a layer takes an argument of this type beside x.
    template <class Extra, class... Extras>
    static constexpr bool is_taken =
        (sequential::has<Extra, decltype(sequential::own<Layers>(std::tuple<>(), std::declval<const Extras&>()...))> ||
         ...);

    /// x as the first takes it -> what the last returns. Throws what the layers throw, and ValueError if x is
    /// undefined.
    template <class... Extras>
    requires(is_taken<Extras, Extras...>&&...) Tensor operator()(const Input& x, const Extras&... extras) const {
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
