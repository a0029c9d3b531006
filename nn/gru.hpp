#pragma once

#include <wengert/nn/module.hpp>

namespace wengert {

/// Where the reset gate acts: on the product of the state, as in PyTorch and cuDNN, or on the state before the product,
/// as in Cho et al. 2014.
enum class GruReset { after_product, before_product };

/// One step of a gated recurrent unit (Cho et al. 2014, arXiv:1406.1078):
///
///     r = sigmoid(W_r x + b_r + U_r h + c_r)
///     z = sigmoid(W_z x + b_z + U_z h + c_z)
///     n = tanh(W_n x + b_n + r (U_n h + c_n))        or, with the reset before the product, + U_n (r h) + c_n
///     h' = (1 - z) n + z h
///
/// The rows of the weights are the gates r, z, n one after another. Initial values as PyTorch's: uniform in +-1 /
/// sqrt(H).
struct GruCell {
    Tensor weight_ih;  ///< [3H, in]: W
    Tensor weight_hh;  ///< [3H, H]: U
    Tensor bias_ih;    ///< [3H]: b
    Tensor bias_hh;    ///< [3H]: c
    GruReset reset = GruReset::after_product;

    GruCell() = default;
    /// Throws ValueError unless both numbers of features are 1 or more.
    GruCell(std::int64_t in, std::int64_t hidden, Generator& generator, GruReset reset = GruReset::after_product);

    std::int64_t hidden() const { return weight_hh.dim(1); }
    /// What the gates get from the input: x [.., in] -> [.., 3H]. For all steps at once this is one product. Throws
    /// ShapeError for another width, DtypeError for another dtype, ValueError if the layer has no parameters.
    Tensor project(const Input& x) const;
    /// projection [B, 3H], h [B, H] -> [B, H].  With keep [B, 1], rows where it is 0 leave h as it was. Throws
    /// ShapeError if they do not fit, DtypeError if their dtypes differ, ValueError if h is undefined or the layer has
    /// no parameters.
    Tensor operator()(const Input& projection, const Tensor& h, const Tensor& keep = {}) const;

    void visit(auto&& f) {
        f("weight_ih", weight_ih);
        f("weight_hh", weight_hh);
        f("bias_ih", bias_ih);
        f("bias_hh", bias_hh);
    }

  private:
    void require_fitting(const Input& projection, const Tensor& h, const Tensor& keep) const;
};

struct GruOptions {
    int layers = 1;
    bool bidirectional = false;
    double dropout = 0;  ///< between layers
    GruReset reset = GruReset::after_product;
};

/// A stack of GRU layers over sequences, with PyTorch's parameter names: weight_ih_l0, ..., weight_ih_l1_reverse.
class Gru {
  public:
    struct Result {
        Tensor outputs;  ///< [B, T, directions * H]: the top layer's states; 0 at padded positions
        Tensor state;    ///< [layers * directions, B, H]: each cell's state after the last real step
    };

    Gru() = default;
    /// Throws ValueError unless there is a layer, 0 <= dropout < 1, and the numbers of features are 1 or more.
    Gru(std::int64_t in, std::int64_t hidden, Generator& generator, const GruOptions& options = {});

    /// x [B, T, in]; lengths int64 [B], or undefined if all rows are full. A padded step leaves the state as it was.
    /// Dropout needs a source of noise; without one there is none. Throws ShapeError if T is 0 and if a row has no
    /// length of its own, ValueError unless 0 <= length <= T, and if the layer has no parameters.
    Result operator()(const Input& x, const Tensor& lengths = {}, Generator* noise = nullptr) const;
    /// The same, but from the state [layers * directions, B, H] that an earlier call returned, or from zeros if it is
    /// undefined: for sequences that come in pieces. Truncated backpropagation gives stop_gradient(state). Throws
    /// ShapeError for another shape, DtypeError for another dtype than x's.
    Result operator()(const Input& x, const Tensor& lengths, const Tensor& state, Generator* noise = nullptr) const;

    int directions() const { return options_.bidirectional ? 2 : 1; }

    void visit(auto&& f) {
        for (std::size_t i = 0; i < cells_.size(); ++i)
            cells_[i].visit(
                [&](std::string_view name, Tensor& member) { f(std::string(name) + '_' + cell_name(i), member); });
    }

  private:
    std::string cell_name(std::size_t i) const;
    Tensor run(const GruCell& cell, bool reverse, const Input& x, const Tensor& mask, Tensor& state) const;

    GruOptions options_;
    std::vector<GruCell> cells_;  // layer by layer, forward before reverse
};

}  // namespace wengert
