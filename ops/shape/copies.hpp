#pragma once

#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>

/// Ops that copy a tensor's elements to other places, of any dtype.
namespace WENGERT_EXPORT wengert {

/// x itself if its elements stand in row-major order without gaps, else a copy that does: [..] -> the same. Derivative:
/// ct.
Tensor contiguous(const Input& x);

struct Contiguous {
    static constexpr std::string_view name = "contiguous";
    static constexpr bool linear = true;
    static constexpr OpDoc doc{"contiguous(x)", "[..] -> the same", "x, copied if its elements do not stand in order",
                               "ct"};
    static constexpr Saves saves = Saves::nothing;
    Shape shape(const Inputs& in) const { return in[0].shape(); }
    void forward(const Inputs& in, const Destination& out) const { write(in[0], out); }
    void vjp(Backward& back) const { back.add(0, back.cotangent()); }
    static std::vector<Sample> samples();
};

/// Zeros of a shape, but for the elements [begin, end) of an axis, which are x: the reverse of slice(). Derivative: the
/// slice of ct. Throws ShapeError if x is not like that part.
Tensor put_slice(const Input& x, const Shape& shape, int axis, std::int64_t begin, std::int64_t end);

struct PutSlice {
    static constexpr std::string_view name = "put_slice";
    static constexpr bool linear = true;
    static constexpr OpDoc doc{"put_slice(x, shape, axis, begin, end)", "[.., end - begin, ..] -> shape",
                               "x as elements begin .. end - 1 of an axis, 0 elsewhere", "the slice of ct"};
    static constexpr Saves saves = Saves::nothing;
    Shape to;
    int axis;
    std::int64_t begin, end;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();
};

/// Zeros, to which windows are added where unfold() shows them: [.., w, .., size] -> [.., length, ..]. Derivative:
/// unfold(ct). Throws ShapeError unless unfold() of an axis of this length has so many windows, ValueError for a step
/// below 1.
Tensor overlap_add(const Input& windows, int axis, std::int64_t length, std::int64_t step);

struct OverlapAdd {
    static constexpr std::string_view name = "overlap_add";
    static constexpr bool linear = true;
    static constexpr OpDoc doc{"overlap_add(windows, axis, length, step)", "[.., w, .., size] -> [.., length, ..]",
                               "0, with windows added where unfold() shows them", "the windows of ct"};
    static constexpr Saves saves = Saves::nothing;
    int axis;
    std::int64_t length, step;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();
};

/// The same elements in another floating type: [..] of any dtype -> the same; x itself if it has that dtype. cast() as
/// an op: a tape follows it. Derivative: ct in x's dtype; none for others. Throws DtypeError unless `dtype` is float32
/// or float64.
Tensor convert(const Input& x, Dtype dtype);

struct Convert {
    static constexpr std::string_view name = "convert";
    static constexpr OpDoc doc{"convert(x, dtype)", "[..] -> the same", "the same elements as float32 or float64",
                               "ct in x's dtype"};
    static constexpr bool linear = true;
    static constexpr Saves saves = Saves::nothing;
    Dtype from, to;
    Shape shape(const Inputs& in) const { return in[0].shape(); }
    Dtype dtype(const Inputs&) const { return to; }
    void forward(const Inputs& in, const Destination& out) const { write(in[0], out); }
    void vjp(Backward& back) const { back.add(0, convert(back.cotangent(), from)); }
    static std::vector<Sample> samples();
};

// clang-format off
using CopyOps = OpList<
    Contiguous,
    PutSlice,
    OverlapAdd,
    Convert>;
// clang-format on
template <class Op>
requires is_in<Op, CopyOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
