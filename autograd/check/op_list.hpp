#pragma once

namespace wengert {

/// Ops as a list of types. Each family of ops ends with one; gradient checks and the op reference run over all of them.
template <class... Ops>
struct OpList {};

template <class... Lists>
struct Joined;
template <class... Ops>
struct Joined<OpList<Ops...>> {
    using Type = OpList<Ops...>;
};
template <class... First, class... Second, class... Rest>
struct Joined<OpList<First...>, OpList<Second...>, Rest...> : Joined<OpList<First..., Second...>, Rest...> {};

/// The ops of several lists, in their order, as one list.
template <class... Lists>
using Join = typename Joined<OpList<>, Lists...>::Type;

}  // namespace wengert
