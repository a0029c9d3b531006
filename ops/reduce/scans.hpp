#pragma once

#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>

/// Running sums, products and recurrences along an axis. Each has the shape of its operand, and begins at the end of
/// the axis if it is reversed. Throw ShapeError for an axis that x does not have, DtypeError for integers and bools, of
/// which cumsum() alone has a form: int64, which wraps around.
namespace WENGERT_EXPORT wengert {

/// y[i] = x[0] + .. + x[i]: [.., n, ..] -> the same. Derivative: the same sum of ct from the other end.
Tensor cumsum(const Input& x, int axis, bool reverse = false);

struct CumSum {
    static constexpr std::string_view name = "cumsum";
    static constexpr bool linear = true;
    static constexpr OpDoc doc{"cumsum(x, axis, reverse = false)", "[.., n, ..] -> the same", "x[0] + .. + x[i]",
                               "the sum of ct from the other end"};
    static constexpr Saves saves = Saves::nothing;
    int axis;
    bool reverse;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();
};

/// y[i] = x[0] .. x[i], or, exclusive, the product of the elements before x[i]: [.., n, ..] -> the same. Derivative:
/// the products of the others, without a division, so that zeros are elements like any other.
Tensor cumprod(const Input& x, int axis, bool reverse = false, bool exclusive = false);

struct CumProd {
    static constexpr std::string_view name = "cumprod";
    static constexpr OpDoc doc{"cumprod(x, axis, reverse = false, exclusive = false)", "[.., n, ..] -> the same",
                               "x[0] .. x[i], exclusive without x[i]", "Σ ct[k] ∏ of the others up to k"};
    static constexpr Saves saves = Saves::inputs;
    int axis;
    bool reverse, exclusive;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    Tensor jvp(const Forward& forward) const;
    static std::vector<Sample> samples();
};

/// y[i] = a[i] y[i - 1] + b[i], from y = 0: a, b [.., n, ..] -> the same. The recurrence of linear state-space models,
/// and of the derivatives of other scans. Derivative: of b the same recurrence d of ct from the other end, with a's
/// elements one place on; of a d y[i - 1]. Throws ShapeError, too, if a and b differ in shape, DtypeError if in dtype.
Tensor linear_scan(const Input& a, const Input& b, int axis, bool reverse = false);

struct LinearScan {
    static constexpr std::string_view name = "linear_scan";
    static constexpr OpDoc doc{"linear_scan(a, b, axis, reverse = false)", "[.., n, ..], the same -> the same",
                               "a[i] y[i - 1] + b[i]", "d y[i - 1]; d, with d[i] = ct[i] + a[i + 1] d[i + 1]"};
    static constexpr Saves saves = Saves::inputs_and_output;
    int axis;
    bool reverse;
    bool lagged = false;  ///< y[i] = a[i - 1] y[i - 1] + b[i]
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    Tensor jvp(const Forward& forward) const;
    static std::vector<Sample> samples();
};

/// y[i] = ln(e^x[0] + .. + e^x[i]), without overflow: [.., n, ..] -> the same. Minus infinity as long as nothing else
/// came. Derivative: sums of ct e^(x[i] - y) from the other end; 0 by an element of minus infinity.
Tensor logcumsumexp(const Input& x, int axis, bool reverse = false);

struct LogCumSumExp {
    static constexpr std::string_view name = "logcumsumexp";
    static constexpr OpDoc doc{"logcumsumexp(x, axis, reverse = false)", "[.., n, ..] -> the same",
                               "ln(e^x[0] + .. + e^x[i])", "Σ ct[k] e^(x[i] - y[k]), from the other end"};
    static constexpr Saves saves = Saves::inputs_and_output;
    int axis;
    bool reverse;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    Tensor jvp(const Forward& forward) const;
    static std::vector<Sample> samples();
};

// clang-format off
using ScanOps = OpList<
    CumSum,
    CumProd,
    LinearScan,
    LogCumSumExp>;
// clang-format on
template <class Op>
requires is_in<Op, ScanOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
