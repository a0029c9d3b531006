#pragma once

#include <wengert/autograd/tensor/export.hpp>

namespace WENGERT_EXPORT wengert {

/// The ops of a family, over which checks, tests and the reference run.
template <class... Ops>
struct OpList {};

template <class... Lists>
struct JoinedLists;
template <class... Ops>
struct JoinedLists<OpList<Ops...>> {
    using type = OpList<Ops...>;
};
template <class... First, class... Second, class... Rest>
struct JoinedLists<OpList<First...>, OpList<Second...>, Rest...> : JoinedLists<OpList<First..., Second...>, Rest...> {};
/// The ops of several families.
template <class... Lists>
using Join = typename JoinedLists<Lists...>::type;

template <class Op, class List>
inline constexpr bool is_in = false;
template <class Op, class... Ops>
inline constexpr bool is_in<Op, OpList<Ops...>> = (__is_same(Op, Ops) || ...);

/// Whether an op stands in its family's list. A family's file says so for its list, at its end:
///
///     template <class Op>
///     requires is_in<Op, ViewOps>
///     inline constexpr bool is_listed<Op> = true;
template <class Op>
inline constexpr bool is_listed = false;

}  // namespace wengert
