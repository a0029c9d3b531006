#pragma once

#include <vector>
#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>

/// Ops that join tensors of any dtype. Of different dtypes they make one first, as operators do.
namespace WENGERT_EXPORT wengert {

/// Tensors one after another along an axis: [.., m, ..], [.., n, ..], .. -> [.., m + n + .., ..]. Derivative: each
/// part's share of ct. Throws ValueError if there is no part or one is undefined, ShapeError if the axis does not exist
/// or another axis differs, DtypeError for a part that is stored only.
Tensor concat(const std::vector<Tensor>& parts, int axis, const SourceLine& where = std::source_location::current());

struct Concat {
    static constexpr std::string_view name = "concat";
    static constexpr bool linear = true;
    static constexpr OpDoc doc{"concat(parts, axis)", "[.., m, ..], [.., n, ..], .. -> [.., m + n + .., ..]",
                               "one after another", "each part's share of ct"};
    static constexpr Saves saves = Saves::nothing;
    int axis;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();

    std::vector<std::int64_t> lengths;  ///< of the parts along the axis
};

/// n tensors of one shape along a new axis: T of [B, H] stacked at axis 1 are [B, T, H]. Derivative: part i gets
/// position i of ct. Throws as concat(), and ShapeError if the shapes differ or there are six axes already.
Tensor stack(const std::vector<Tensor>& parts, int axis, const SourceLine& where = std::source_location::current());

struct Stack {
    static constexpr std::string_view name = "stack";
    static constexpr bool linear = true;
    static constexpr OpDoc doc{"stack(parts, axis)", "n of [.., ..] -> [.., n, ..]", "side by side along a new axis",
                               "position i of ct for part i"};
    static constexpr Saves saves = Saves::nothing;
    int axis;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();
};

// clang-format off
using JoinOps = OpList<
    Concat,
    Stack>;
// clang-format on
template <class Op>
requires is_in<Op, JoinOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
