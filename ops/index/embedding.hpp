#pragma once

#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>

namespace wengert {

/// Rows of a table: weight [V, E], ids int64 [..] -> [.., E]. Derivative: row i of the table's cotangent is the sum of
/// the cotangents of all places where id i stands (scatter-add; rows that do not occur are not touched). Throws
/// ValueError for an id outside [0, V).
Tensor embedding(const Input& weight, const Tensor& ids);

struct EmbeddingLookup {
    static constexpr std::string_view name = "embedding";
    static constexpr Saves saves = Saves::inputs;
    static constexpr bool accumulates = true;
    static constexpr std::array<std::string_view, 2> operands{"weight", "ids"};
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();
};

/// A table of `rows` rows to which values [.., E] are added at ids [..]: the reverse of the lookup.
struct ScatterRows {
    static constexpr std::string_view name = "scatter_rows";
    static constexpr Saves saves = Saves::inputs;
    static constexpr bool accumulates = true;
    std::int64_t rows;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();
};

}  // namespace wengert
