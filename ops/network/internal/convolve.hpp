#pragma once

#include <wengert/ops/network/convolution.hpp>

/// The kernels of convolutions, over contiguous tensors.
namespace wengert::convolutions {

/// One convolution: images by filters, in groups, to results.
struct Problem {
    Conv2dOptions options;
    std::int64_t batch, channels, filters;  ///< channels and filters of one group
    Size2d image, kernel, result;

    std::int64_t planes() const { return batch * options.groups; }
    /// How many numbers a filter has; how many places of an image it is laid on.
    std::int64_t taps() const { return channels * kernel.area(); }
    std::int64_t positions() const { return result.area(); }
    std::int64_t work() const { return planes() * filters * taps() * positions(); }
};

/// y = the convolution of x by w, plus the bias of each filter unless it is null.
template <class T>
void convolve(const Problem& problem, const T* x, const T* w, const T* bias, T* y);
/// x = the adjoint of that at y, plus the bias of each channel unless it is null.
template <class T>
void convolve_transposed(const Problem& problem, const T* y, const T* w, const T* bias, T* x);
/// w = the adjoint by w at y.
template <class T>
void convolve_weight(const Problem& problem, const T* x, const T* y, T* w);

}  // namespace wengert::convolutions
