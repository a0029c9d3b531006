#pragma once

#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/op_list.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/network/size2d.hpp>

/// The largest elements and the means of windows: of images [.., H, W] -> [.., H', W'], of sequences [.., L] -> [..,
/// L'], as PyTorch has them. A window of a kernel's size stands at every `stride` elements, from `padding` before the
/// first one on, as long as it ends within the padding: H' = (H + 2 padding - reach) / stride + 1, rounded down, where
/// a window reaches over dilation (kernel - 1) + 1 elements. An adaptive window i of n reaches from H i / n, rounded
/// down, to H (i + 1) / n, rounded up.
///
/// Throw ShapeError if x has too few axes, an axis is empty, no window fits, or one sees padding alone; ValueError
/// unless kernel, stride, dilation and size are 1 or more and padding is half of what a window reaches over at most;
/// DtypeError unless x is float32 or float64.
namespace WENGERT_EXPORT wengert {

/// How max_pool's windows lie.
template <class Size>
struct MaxPoolOptions {
    Size stride = 0;    ///< 0: the kernel's size
    Size padding = 0;   ///< beyond each end; it is never the largest
    Size dilation = 1;  ///< from one element of a window to the next
};
/// Of max_pool1d().
using MaxPool1dOptions = MaxPoolOptions<std::int64_t>;
/// Of max_pool2d().
using MaxPool2dOptions = MaxPoolOptions<Size2d>;

/// How avg_pool's windows lie.
template <class Size>
struct AvgPoolOptions {
    Size stride = 0;                ///< 0: the kernel's size
    Size padding = 0;               ///< beyond each end
    bool count_include_pad = true;  ///< whether padding counts as elements that are 0
};
/// Of avg_pool1d().
using AvgPool1dOptions = AvgPoolOptions<std::int64_t>;
/// Of avg_pool2d().
using AvgPool2dOptions = AvgPoolOptions<Size2d>;

/// How windows lie on the last two axes, or on the last one: then a kernel or a size has height 1. Adaptive ones have a
/// size only.
struct PoolWindows {
    int axes = 2;                                ///< 1 or 2: how many axes windows have
    Size2d kernel = 0, stride = 0, padding = 0;  ///< of windows that are not adaptive
    Size2d dilation = 1;                         ///< the same; of a mean 1
    Size2d size = 0;                             ///< how many windows adaptive ones are; 0: others
    bool count_include_pad = true;               ///< whether padding counts as elements that are 0
};

/// The largest element of each window; NaN if there is one. Derivative: ct at the first of the largest elements, in
/// row-major order, or at the first NaN, added where windows overlap.
Tensor max_pool2d(const Input& x, Size2d kernel, const MaxPool2dOptions& options = {});
Tensor max_pool1d(const Input& x, std::int64_t kernel, const MaxPool1dOptions& options = {});
Tensor adaptive_max_pool2d(const Input& x, Size2d size);
Tensor adaptive_max_pool1d(const Input& x, std::int64_t size);

/// Where in its image the element stands that max_pool2d() takes of each window: [.., H, W] -> int64 [.., H', W'].
struct PoolArgMax {
    static constexpr std::string_view name = "pool_argmax";
    static constexpr OpDoc doc{"pool_argmax(x, windows)", "[.., H, W] -> int64 [.., H', W']",
                               "the position of the first of the largest elements of each window, or of the first NaN",
                               "none"};
    PoolWindows windows;
    Shape shape(const Inputs& in) const;
    Dtype dtype(const Inputs&) const { return Dtype::int64; }
    void forward(const Inputs& in, const Destination& out) const;
    static std::vector<Sample> samples();
};

/// The mean of each window, summed in float64. Derivative: ct / n at each of its n elements.
Tensor avg_pool2d(const Input& x, Size2d kernel, const AvgPool2dOptions& options = {});
Tensor avg_pool1d(const Input& x, std::int64_t kernel, const AvgPool1dOptions& options = {});
Tensor adaptive_avg_pool2d(const Input& x, Size2d size);
Tensor adaptive_avg_pool1d(const Input& x, std::int64_t size);

struct AvgPool {
    static constexpr std::string_view name = "avg_pool";
    static constexpr bool linear = true;
    static constexpr OpDoc doc{
        "avg_pool2d(x, kernel, options), avg_pool1d(x, kernel, options), adaptive_avg_pool2d(x, size), "
        "adaptive_avg_pool1d(x, size)",
        "[.., H, W] -> [.., H', W']; [.., L] -> [.., L']", "the mean of each window",
        "ct / n at the n elements of each window"};
    static constexpr Saves saves = Saves::nothing;
    PoolWindows windows;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();
};

/// The adjoint of AvgPool: what the elements of images of this size get from a cotangent.
struct SpreadPool {
    static constexpr std::string_view name = "spread_pool";
    static constexpr bool linear = true;
    static constexpr OpDoc doc{"spread_pool(x, windows, image)", "[.., H', W'] -> [.., H, W]",
                               "x / n at the n elements of each window", "avg_pool(ct, windows)"};
    static constexpr Saves saves = Saves::nothing;
    PoolWindows windows;
    Size2d image;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();
};

// clang-format off
using PoolOps = OpList<
    PoolArgMax,
    AvgPool,
    SpreadPool>;
// clang-format on
template <class Op>
requires is_in<Op, PoolOps>
inline constexpr bool is_listed<Op> = true;

}  // namespace wengert
