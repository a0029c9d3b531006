#include <fmt/format.h>

#include <cmath>
#include <vector>
#include <wengert/nn/positional_encoding.hpp>

namespace wengert {
namespace {

constexpr std::string_view positional_name = "positional_encoding";

void require_sequence(const Tensor& x, std::int64_t first) {
    if (x.rank() != 3) throw ShapeError("x must be [B, T, E], not " + to_string(x.shape()));
    if (first < 0) throw ValueError(fmt::format("the first step is {}, less than 0", first));
}

}  // namespace

Tensor SinusoidalEncoding::table(std::int64_t n, std::int64_t features, std::int64_t first, Dtype dtype) {
    if (n < 0 || features < 0 || first < 0)
        throw ValueError(fmt::format("positional_encoding: a number of {} steps from {} of {} features is negative", n,
                                     first, features));
    std::vector<double> frequencies, values;
    for (std::int64_t i = 0; i < features; i += 2)
        frequencies.push_back(std::pow(10000.0, -static_cast<double>(i) / static_cast<double>(features)));
    values.reserve(static_cast<std::size_t>(n * features));
    for (std::int64_t t = first; t < first + n; ++t)
        for (std::int64_t i = 0; i < features; ++i) {
            const double angle = static_cast<double>(t) * frequencies[static_cast<std::size_t>(i / 2)];
            values.push_back(i % 2 == 0 ? std::sin(angle) : std::cos(angle));
        }
    return cast(tensor(values, {n, features}), dtype);
}

Tensor SinusoidalEncoding::operator()(const Input& input, std::int64_t first) const {
    const Tensor& x = input.tensor();
    return located(positional_name, {&x}, input.where(), [&] {
        require_sequence(x, first);
        return x + table(x.dim(1), x.dim(2), first, x.dtype());
    });
}

LearnedEncoding::LearnedEncoding(std::int64_t max_len, std::int64_t features, Generator& generator) {
    require_features("LearnedEncoding", {max_len, features});
    weight = normal({max_len, features}, 0, 1, generator);
    name_parameters(*this);
}

Tensor LearnedEncoding::operator()(const Input& input, std::int64_t first) const {
    require_parameter(weight, positional_name, "weight", input.where());
    const Tensor& x = input.tensor();
    return located(positional_name, {&x, &weight}, input.where(), [&] {
        require_sequence(x, first);
        if (x.dim(2) != weight.dim(1))
            throw ShapeError(fmt::format("x must be [B, T, {}], not {}", weight.dim(1), to_string(x.shape())));
        const std::int64_t end = first + x.dim(1);
        if (end > weight.dim(0))
            throw ValueError(
                fmt::format("steps {} to {} are more than the {} that the layer has", first, end - 1, weight.dim(0)));
        return x + slice(weight, 0, first, end);
    });
}

}  // namespace wengert
