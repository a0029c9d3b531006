#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>
#include <wengert/autograd/tensor/tensor.hpp>

namespace wengert {

/// What gradcheck() compares with differences: a map of tensors to tensors, and its vector-Jacobian product by the
/// float64 ones among its inputs.
struct Differentiated {
    std::string title;
    std::vector<std::string> input_names, output_names;
    std::function<std::vector<Tensor>(const std::vector<Tensor>& inputs)> values;
    std::function<std::vector<Tensor>(const std::vector<Tensor>& inputs, const std::vector<Tensor>& cotangents)> vjp;
};

/// For each float64 input, by how much each element moves.
using InputDirection = std::vector<std::vector<double>>;

/// What one derivative is of: the map's outputs times the cotangents, summed, along a line through its inputs.
struct Line {
    std::vector<Tensor> cotangents;
    InputDirection direction;
    double step;  ///< that suits the inputs
};

/// Copies of the inputs, moved by distance * direction.
std::vector<Tensor> moved(const std::vector<Tensor>& inputs, const InputDirection& direction, double distance);
/// The sum at inputs + distance * direction.
double value_on(const Line& line, const Differentiated& map, const std::vector<Tensor>& inputs, double distance);
/// What the sum at the inputs rounds to.
double rounding_on(const Line& line, const std::vector<double>& values);

std::vector<Tensor> clones(const std::vector<Tensor>& tensors);
/// Those that are float32 or float64.
std::vector<Tensor> floating(const std::vector<Tensor>& tensors);
/// The elements of several tensors in one row.
std::vector<double> flat(const std::vector<Tensor>& tensors);
/// "[2, 3] at [1, 0]", for the element 3 in row-major order.
std::string position(std::int64_t element, const Shape& shape);

/// Numbers whose magnitudes lie between 1/2 and 3/2, so that none hides what it is multiplied with.
class RandomNumbers {
  public:
    explicit RandomNumbers(std::uint64_t seed) : bits_(seed) {}
    double next();
    std::vector<double> next(std::int64_t count);
    /// A direction for each float64 tensor: every finite element has a part, of the size of max(1, |x|).
    InputDirection next_direction(const std::vector<Tensor>& inputs);

  private:
    std::mt19937_64 bits_;
};

}  // namespace wengert
