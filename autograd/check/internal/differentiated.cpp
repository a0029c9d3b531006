#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <wengert/autograd/check/internal/differentiated.hpp>
#include <wengert/autograd/tensor/unit_interval.hpp>

namespace wengert {

std::vector<Tensor> moved(const std::vector<Tensor>& inputs, const InputDirection& direction, double distance) {
    std::vector<Tensor> result = clones(inputs), moving = floating(result);
    for (std::size_t a = 0; a < moving.size(); ++a) {
        double* const x = moving[a].mutable_data<double>();
        for (std::size_t i = 0; i < direction[a].size(); ++i)
            if (direction[a][i] != 0) x[i] += distance * direction[a][i];
    }
    return result;
}

double value_on(const Line& line, const Differentiated& map, const std::vector<Tensor>& inputs, double distance) {
    const std::vector<double> values = flat(map.values(moved(inputs, line.direction, distance)));
    const std::vector<double> cotangent = flat(line.cotangents);
    double sum = 0;
    for (std::size_t j = 0; j < values.size(); ++j)
        if (cotangent[j] != 0) sum += cotangent[j] * values[j];
    return sum;
}

double rounding_on(const Line& line, const std::vector<double>& values) {
    const std::vector<double> cotangent = flat(line.cotangents);
    double scale = 0;
    for (std::size_t j = 0; j < values.size(); ++j) scale += std::abs(cotangent[j] * values[j]);
    return std::numeric_limits<double>::epsilon() * scale;
}

std::vector<Tensor> clones(const std::vector<Tensor>& tensors) {
    std::vector<Tensor> copies;
    for (const Tensor& tensor : tensors) copies.push_back(tensor.clone());
    return copies;
}

std::vector<Tensor> floating(const std::vector<Tensor>& tensors) {
    std::vector<Tensor> result;
    std::ranges::copy_if(tensors, std::back_inserter(result), [](const Tensor& t) { return is_floating(t.dtype()); });
    return result;
}

std::vector<double> flat(const std::vector<Tensor>& tensors) {
    std::vector<double> all;
    for (const Tensor& tensor : tensors) {
        const std::vector<double> elements = tensor.to_vector<double>();
        all.insert(all.end(), elements.begin(), elements.end());
    }
    return all;
}

std::string position(std::int64_t element, const Shape& shape) {
    Shape index = shape;
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
        index[axis] = element % shape[axis];
        element /= shape[axis];
    }
    return fmt::format("{} at {}", to_string(shape), to_string(index));
}

double RandomNumbers::next() {
    const std::uint64_t bits = bits_();
    const double magnitude = 0.5 + unit_interval(bits);
    return bits & 1 ? magnitude : -magnitude;
}

std::vector<double> RandomNumbers::next(std::int64_t count) {
    std::vector<double> numbers(static_cast<std::size_t>(count));
    for (double& number : numbers) number = next();
    return numbers;
}

InputDirection RandomNumbers::next_direction(const std::vector<Tensor>& inputs) {
    InputDirection direction;
    for (const Tensor& input : floating(inputs)) {
        std::vector<double> part = next(input.numel());
        const double* x = input.data<double>();
        for (double& weight : part) {
            weight *= std::isfinite(*x) ? std::max(1.0, std::abs(*x)) : 0;
            ++x;
        }
        direction.push_back(std::move(part));
    }
    return direction;
}

}  // namespace wengert
