#pragma once

#include <cmath>
#include <numbers>
#include <wengert/ops/random/random.hpp>

/// First values of parameters. Each function overwrites the elements of x, float32 or float64; a slice of a parameter
/// is filled as a tensor of its own. For a constant there is Tensor::fill. All throw DtypeError unless x is float32 or
/// float64, and ValueError for an undefined tensor.
///
/// The fan-in of [out, in] is `in`, its fan-out `out`; further axes count to both, as in a convolution's kernel
/// [out, in, height, width]. Where they are used, ShapeError if x has fewer than two axes, and a gain makes up for what
/// the function that follows takes from the variance; ValueError unless it is finite and 0 or more.
namespace WENGERT_EXPORT wengert {
namespace initialize {

namespace gain {
/// Of no function, and of sigmoid().
inline constexpr double linear = 1, sigmoid = 1;
/// Of tanh(), as PyTorch has it.
inline constexpr double tanh = 5.0 / 3;
/// Of relu(), which takes half of the variance.
inline constexpr double relu = std::numbers::sqrt2;
/// Of leaky_relu().
inline double leaky_relu(double negative_slope) { return std::sqrt(2 / (1 + negative_slope * negative_slope)); }
}  // namespace gain

/// Uniform in [low, high). Throws ValueError unless low <= high.
void uniform(Tensor x, double low, double high, Generator& generator);
/// Normal with that mean and standard deviation. Throws ValueError unless the deviation is finite and 0 or more.
void normal(Tensor x, double mean, double deviation, Generator& generator);

/// Variance gain^2 * 2 / (fan_in + fan_out), the mean of what keeps values and what keeps gradients from growing or
/// fading (Glorot and Bengio 2010, Understanding the difficulty of training deep feedforward neural networks).
void xavier_uniform(Tensor x, Generator& generator, double gain = gain::linear);
void xavier_normal(Tensor x, Generator& generator, double gain = gain::linear);

/// Whether values keep their variance on the way forward, or gradients on the way back.
enum class Fan { in, out };
struct KaimingOptions {
    Fan fan = Fan::in;         ///< which variance stays
    double gain = gain::relu;  ///< for the function that follows
};
/// Variance gain^2 / fan (He et al. 2015, Delving deep into rectifiers).
void kaiming_uniform(Tensor x, Generator& generator, const KaimingOptions& options = {});
void kaiming_normal(Tensor x, Generator& generator, const KaimingOptions& options = {});

/// Rows, or columns if there are fewer, of length `gain` at right angles to one another, in a direction that is
/// uniformly random; axes after the first count as one (Saxe et al. 2014, Exact solutions to the nonlinear dynamics of
/// learning in deep linear neural networks). A negative gain mirrors them. Computed in float64. Throws ShapeError if x
/// has fewer than two axes.
void orthogonal(Tensor x, Generator& generator, double gain = gain::linear);

}  // namespace initialize
}  // namespace wengert
