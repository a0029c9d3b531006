#pragma once

#include <tuple>
#include <wengert/nn/module.hpp>

namespace wengert {
namespace sequential {

/// A layer takes an Input, which knows the caller's line; a function may take the tensor.
template <class Layer, class... Extras>
concept Takes = std::invocable<const Layer&, const Input&, const Extras&...> ||
    std::invocable<const Layer&, const Tensor&, const Extras&...>;

template <class Extra, class... Layers>
concept TakenByOne = (Takes<Layers, Extra> || ...);

/// The extra, if the layer takes it.
template <class Layer, class Extra>
auto taken(const Extra& extra) {
    if constexpr (Takes<Layer, Extra>)
        return std::tie(extra);
    else
        return std::tuple<>();
}

/// The layer of x and of those extras that it takes.
template <class Layer>
Tensor run(const Layer& layer, const Input& x, const auto&... extras) {
    const auto call = [&]<class... Own>(const Own&... own) -> Tensor {
        static_assert(Takes<Layer, Own...>, "a layer of a Sequential needs more than x: give it to the call");
        if constexpr (std::invocable<const Layer&, const Input&, const Own&...>)
            return layer(x, own...);
        else
            return layer(x.tensor(), own...);
    };
    return std::apply(call, std::tuple_cat(taken<Layer>(extras)...));
}

}  // namespace sequential

/// Layers and functions, one after another; in files they are "0", "1", .., as in PyTorch:
///
///     Sequential model{Linear(784, 64, generator), [](const Tensor& x) { return relu(x); }, Dropout{0.1},
///                      Linear(64, 10, generator)};
///     name_parameters(model);
///     const Tensor logits = model(images, noise);
///
/// What the call has beside x goes to those that take it: the noise here to Dropout, NormStatistics::batch to
/// BatchNorm. What none of them takes does not compile. Braces make the layers from left to right, so that every
/// compiler draws the same initial values.
template <class... Layers>
struct Sequential {
    std::tuple<Layers...> layers;

    explicit Sequential(Layers... layers) : layers(std::move(layers)...) {}

    /// x as the first takes it -> what the last returns.
    template <class... Extras>
    requires(sequential::TakenByOne<Extras, Layers...>&&...) Tensor operator()(const Input& x,
                                                                               const Extras&... extras) const {
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
