#pragma once

#include <vector>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/ops/elementwise/internal/map_op.hpp>

namespace wengert {

/// What sum() sums.
struct SumOf {
    static constexpr std::string_view name = "sum";
    static constexpr bool linear = true;
    [[gnu::always_inline]] auto operator()(const auto& x) const { return x; }
    static std::vector<Sample> samples();
};

/// The op of sum().
MapOp<false, true> sum_op(const ReductionAxes& axes);

}  // namespace wengert
