#pragma once

#include <wengert/nn/gru.hpp>
#include <wengert/nn/linear.hpp>

namespace WENGERT_EXPORT wengert {

/// What the coverage of a source position is.
enum class CoverageKind {
    accumulated,  ///< the sum of the weights that the position has got
    fertility,    ///< the same, over how many target words the position is expected to give
    neural,       ///< a vector that a GRU keeps
};

struct CoverageOptions {
    CoverageKind kind = CoverageKind::accumulated;  ///< what is kept of each position
    double most_words = 2;                          ///< N of fertility: at most so many target words for a source word
    std::int64_t features = 10;                     ///< d of neural; the others have one
};

/// Additive attention that knows what it has translated already (Tu et al. 2016, Modeling coverage for neural machine
/// translation, arXiv:1601.04811). C_s is the coverage of position s before the step, C'_s after it:
///
///     score_s = v . tanh(W_q state + b + W_k memory_s + W_c C_s)
///     weights = softmax(scores), exactly 0 at padded positions
///     context = sum_s weights_s memory_s
///     C'_s    = C_s + weights_s                                              accumulated
///     C'_s    = C_s + weights_s / phi_s,  phi_s = N sigmoid(W_f memory_s)    fertility
///     C'_s    = GRU([weights_s; memory_s; state], C_s)                       neural
///
/// The caller carries the coverage from step to step. It is 0 at the first, and stays 0 at padded positions. It is
/// differentiable: gradients go through it from each step to those before.
struct CoverageAttention {
    Linear query;             ///< W_q [A, H] and b [A]
    Linear key;               ///< W_k [A, M]
    Linear cover;             ///< W_c [A, d]
    Linear score;             ///< v [1, A]
    Linear fertility;         ///< W_f [1, M]; fertility only
    GruCell cell;             ///< in = 1 + M + H, hidden = d; neural only
    CoverageOptions options;  ///< with which it was made

    /// What a batch's encoder states are looked up by; the keys are projected once.
    struct Memory {
        Tensor states;      ///< [B, S, M]
        Tensor keys;        ///< [B, S, A]
        Tensor padding;     ///< [B, S], 1 where there is no token; undefined if all rows are full
        Tensor fertility;   ///< [B, S, 1]: phi, 1 at padding; fertility only
        Tensor projection;  ///< [B, S, 3d]: what the cell gets from the states; neural only

        /// What has a row for each source.
        void visit(auto&& f) {
            f("states", states);
            f("keys", keys);
            f("padding", padding);
            f("fertility", fertility);
            f("projection", projection);
        }
    };
    /// What a step gets.
    struct Result {
        Tensor context;   ///< [B, M]
        Tensor weights;   ///< [B, S]
        Tensor coverage;  ///< [B, S, d]: for the next step
    };

    CoverageAttention() = default;
    /// Throws ValueError unless the numbers of features are 1 or more and N is finite and above 0.
    CoverageAttention(std::int64_t state, std::int64_t memory, std::int64_t attention, Generator& generator,
                      const CoverageOptions& options = {});

    /// states [B, S, M]; lengths int64 [B], or bool [B, S], true where there is no token, or undefined if all rows are
    /// full. Throws ShapeError if they do not fit, ValueError unless 0 <= length <= S, and if the layer has no
    /// parameters.
    Memory remember(const Input& states, const Tensor& lengths = {}) const;
    /// state [B, H]; coverage [B, S, d] as the step before returned it, or undefined at the first. Throws ShapeError
    /// unless the memory is of as many rows (or either has one), and if the coverage does not fit, DtypeError if it is
    /// of another dtype, ValueError if the memory is empty and if the layer has no parameters.
    Result operator()(const Input& state, const Memory& memory, const Tensor& coverage = {}) const;

    void visit(auto&& f) {
        f("query", query);
        f("key", key);
        f("cover", cover);
        f("score", score);
        f("fertility", fertility);
        f("cell", cell);
    }

  private:
    Tensor next(const Tensor& state, const Memory& memory, const Tensor& weights, const Tensor& coverage) const;
};

}  // namespace wengert
