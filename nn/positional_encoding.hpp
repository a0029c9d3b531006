#pragma once

#include <wengert/nn/module.hpp>

/// What tells a layer that treats all positions alike where each one stands. Both add a vector of the position t to
/// each state x_t. In a Transformer x is the embedding times sqrt(E).
namespace WENGERT_EXPORT wengert {

/// Sines and cosines of falling frequency (Vaswani et al. 2017, Attention is all you need, arXiv:1706.03762), for any
/// number of steps:
///
///     y_t,2i   = x_t,2i   + sin(t / 10000^(2i / E))
///     y_t,2i+1 = x_t,2i+1 + cos(t / 10000^(2i / E))
///
/// It has no parameters.
struct SinusoidalEncoding {
    /// x [B, T, E], whose first step is step `first` -> [B, T, E]. Throws ShapeError for another rank, ValueError if
    /// `first` is negative.
    Tensor operator()(const Input& x, std::int64_t first = 0) const;
    /// What is added: steps first ... first + n - 1, [n, features]. A constant. Throws ValueError for a negative
    /// number.
    static Tensor table(std::int64_t n, std::int64_t features, std::int64_t first = 0, Dtype dtype = Dtype::float32);
};

/// A learned vector for each step, initially standard normal as an Embedding's:  y_t = x_t + weight_t.
struct LearnedEncoding {
    Tensor weight;  ///< [max_len, E]

    LearnedEncoding() = default;
    /// Throws ValueError unless both numbers are 1 or more.
    LearnedEncoding(std::int64_t max_len, std::int64_t features, Generator& generator);

    /// x [B, T, E], whose first step is step `first` -> [B, T, E]. Throws ShapeError for another rank or width,
    /// ValueError unless 0 <= first and first + T <= max_len, and if the layer has no weight.
    Tensor operator()(const Input& x, std::int64_t first = 0) const;

    void visit(auto&& f) { f("weight", weight); }
};

}  // namespace wengert
