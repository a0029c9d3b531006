#pragma once

#include <wengert/nn/module.hpp>

namespace WENGERT_EXPORT wengert {

struct BatchNormOptions {
    double eps = 1e-5;      ///< added to the variance, so that it is never 0
    double momentum = 0.1;  ///< the share of a batch in the running statistics
    bool affine = true;     ///< whether there are a weight and a bias
};

/// By which statistics a batch is normalised.
enum class NormStatistics {
    running,  ///< of the training so far: evaluation
    batch,    ///< of the batch, which the running ones take in: training
};

/// Batch normalisation (see batch_norm()) of sequences and images alike: PyTorch's BatchNorm1d and BatchNorm2d, with
/// their names and initial values: weight 1, bias 0, running mean 0 and variance 1. As dropout needs a source of noise,
/// training is a matter of the call: it says which statistics it wants.
///
///     running = (1 - momentum) running + momentum of the batch
///
/// where the running variance is that of samples, divided by n - 1.
struct BatchNorm {
    Tensor weight;               ///< [C], or undefined
    Tensor bias;                 ///< [C], or undefined
    Buffer running_mean;         ///< [C]
    Buffer running_var;          ///< [C]
    Buffer num_batches_tracked;  ///< int64 []
    BatchNormOptions options;    ///< with which it was made

    BatchNorm() = default;
    /// Throws ValueError unless C is 1 or more, eps 0 or more, and 0 <= momentum <= 1.
    explicit BatchNorm(std::int64_t num_features, const BatchNormOptions& options = {});

    /// x [B, C, ..] -> the same. With the batch's statistics it writes the running ones, which copies of the layer
    /// share: one thread at a time. Throws what batch_norm() throws, and ValueError if the layer has no statistics.
    Tensor operator()(const Input& x, NormStatistics statistics = NormStatistics::running) const;

    void visit(auto&& f) {
        f("weight", weight);
        f("bias", bias);
        f("running_mean", running_mean);
        f("running_var", running_var);
        f("num_batches_tracked", num_batches_tracked);
    }
};

}  // namespace wengert
