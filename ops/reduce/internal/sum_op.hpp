#pragma once

#include <vector>
#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/ops/elementwise/internal/map_op.hpp>

namespace wengert {

/// What sum() sums.
struct SumOf {
    static constexpr std::string_view name = "sum";
    static constexpr OpDoc doc{"sum(x, axes = all_axes, keepdim = false)", "[.., n, ..] -> [.., ..]", "Σ x", "ct"};
    static constexpr bool linear = true;
    [[gnu::always_inline]] auto operator()(const auto& x) const { return x; }
    static std::vector<Sample> samples();
};

/// The op of sum().
MapOp<false, true> sum_op(const ReductionAxes& axes);

// clang-format off
using SumOps = OpList<
    SumOf>;
// clang-format on
template <class Op>
requires is_in<Op, SumOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
