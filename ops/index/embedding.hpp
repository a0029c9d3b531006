#pragma once

#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>

namespace WENGERT_EXPORT wengert {

/// Rows of a table: weight [V, E], ids int64 [..] -> [.., E]. Derivative by the weight: scatter_rows(ct, ids, V), that
/// is, row i gets the sum of ct over all places where id i stands. Throws ShapeError for another table, DtypeError for
/// an integer table or ids that are no int64 or int32, ValueError for an id outside [0, V).
Tensor embedding(const Input& weight, const Tensor& ids);

struct EmbeddingLookup {
    static constexpr std::string_view name = "embedding";
    static constexpr bool linear = true;
    static constexpr OpDoc doc{"embedding(weight, ids)", "[V, E], int64 [..] -> [.., E]", "weight[ids]",
                               "rows of ct added where ids say"};
    static constexpr Saves saves = Saves::inputs;
    static constexpr bool accumulates = true;
    static constexpr std::array<std::string_view, 2> operands{"weight", "ids"};
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();
};

/// A table of zeros [rows, E] to whose rows `ids`, int64 [..], values [.., E] are added: the reverse of embedding().
/// Sums are taken in the order of the ids, whatever the number of threads. Derivative: embedding(ct, ids). Throws
/// ShapeError unless the values are rows for the ids, DtypeError for integer values or ids that are no int64 or int32,
/// ValueError for an id outside [0, rows) and for rows < 0.
Tensor scatter_rows(const Input& values, const Tensor& ids, std::int64_t rows);

struct ScatterRows {
    static constexpr std::string_view name = "scatter_rows";
    static constexpr bool linear = true;
    static constexpr OpDoc doc{"scatter_rows(values, ids, rows)", "[.., E], int64 [..] -> [rows, E]",
                               "0, with values added at rows ids", "ct[ids]"};
    static constexpr Saves saves = Saves::inputs;
    static constexpr bool accumulates = true;
    static constexpr std::array<std::string_view, 2> operands{"values", "ids"};
    std::int64_t rows;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();
};

// clang-format off
using IndexOps = OpList<
    EmbeddingLookup,
    ScatterRows>;
// clang-format on
template <class Op>
requires is_in<Op, IndexOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
