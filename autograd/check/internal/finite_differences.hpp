#pragma once

#include <random>
#include <wengert/autograd/check/internal/diagnosis.hpp>

namespace wengert {

/// What gradcheck() compares with differences: a map of tensors to tensors, and its vector-Jacobian product by the
/// float64 ones among its inputs.
struct Differentiated {
    std::string title;
    std::vector<std::string> input_names, output_names;
    std::function<std::vector<Tensor>(const std::vector<Tensor>& inputs)> values;
    std::function<std::vector<Tensor>(const std::vector<Tensor>& inputs, const std::vector<Tensor>& cotangents)> vjp;
};

/// Compares the map's vector-Jacobian products at `inputs` with central differences of its values. Raises `worst_error`
/// to the largest difference met; returns what is wrong, with the whole message.
Diagnosis compare_with_differences(const Differentiated& map, const std::vector<Tensor>& inputs,
                                   const GradcheckOptions& options, double& worst_error);

std::vector<Tensor> clones(const std::vector<Tensor>& tensors);
/// Those that are not int64.
std::vector<Tensor> floating(const std::vector<Tensor>& tensors);
/// "[2, 3] at [1, 0]", for the element 3 in row-major order.
std::string position(std::int64_t element, const Shape& shape);

/// Numbers whose magnitudes lie between 1/2 and 3/2, so that none hides what it is multiplied with.
class RandomNumbers {
  public:
    explicit RandomNumbers(std::uint64_t seed) : bits_(seed) {}
    double next();
    std::vector<double> next(std::int64_t count);

  private:
    std::mt19937_64 bits_;
};

}  // namespace wengert
