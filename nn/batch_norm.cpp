#include <fmt/format.h>

#include <wengert/autograd/tape/recording.hpp>
#include <wengert/autograd/transform/draws.hpp>
#include <wengert/nn/batch_norm.hpp>
#include <wengert/nn/internal/epsilon.hpp>

namespace wengert {

BatchNorm::BatchNorm(std::int64_t num_features, const BatchNormOptions& o) : options(o) {
    require_features("BatchNorm", {num_features});
    require_epsilon("BatchNorm", options.eps);
    if (!(options.momentum >= 0 && options.momentum <= 1))
        throw ValueError(fmt::format("BatchNorm: the momentum is {}, outside [0, 1]", options.momentum));
    if (options.affine) {
        weight = ones({num_features});
        bias = zeros({num_features});
    }
    running_mean.tensor = zeros({num_features});
    running_var.tensor = ones({num_features});
    num_batches_tracked.tensor = zeros({}, Dtype::int64);
    name_parameters(*this);
}

Tensor BatchNorm::operator()(const Input& x, NormStatistics statistics) const {
    require_parameter(running_mean.tensor, "batch_norm", "running_mean", x.where());
    if (statistics == NormStatistics::running)
        return batch_norm(x, running_mean.tensor, running_var.tensor, weight, bias, options.eps);
    return located("batch_norm", {x, {weight, x.where()}, {bias, x.where()}}, [&] {
        Tensor mean = running_mean.tensor, variance = running_var.tensor, count = num_batches_tracked.tensor;
        const BatchNormalised result = batch_norm(x, weight, bias, options.eps);
        if (result.mean.shape() != mean.shape())
            throw ShapeError(fmt::format("the running statistics are of {} channels, but x is {}", mean.numel(),
                                         to_string(x.tensor().shape())));
        if (mean.dtype() != x.tensor().dtype())
            throw DtypeError(fmt::format("the running statistics are {}, but x {}", to_string(mean.dtype()),
                                         to_string(x.tensor().dtype())));
        // A checkpoint's second run has seen the batch before.
        if (Draws::is_repeating()) return result.outputs;
        const Pause pause;
        const auto n = static_cast<double>(x.tensor().numel() / mean.numel());
        const auto take_in = [share = options.momentum](auto running, auto batch) {
            return (1.0 - share) * running + share * batch;
        };
        const Tensor next_mean = map(take_in, mean, result.mean),
                     next_variance = map(take_in, variance, result.variance * (n / (n - 1)));
        mean.copy_from(next_mean);
        variance.copy_from(next_variance);
        ++*count.mutable_data<std::int64_t>();
        return result.outputs;
    });
}

}  // namespace wengert
