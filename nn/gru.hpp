#pragma once

#include <wengert/nn/internal/recurrent_stack.hpp>

namespace WENGERT_EXPORT wengert {

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
///
/// With layer_norm, four layer normalisations stand in the formula (Ba et al. 2016, arXiv:1607.06450): of the projected
/// input W x + b and of the projected state U h + c, bias and all, each once over the 2H rows of r and z together and
/// once over the H rows of n. So r (U_n h + c_n) becomes r LN(U_n h + c_n), and U_n (r h) + c_n becomes
/// LN(U_n (r h) + c_n). The state itself is not normalised.
struct GruCell {
    Tensor weight_ih;   ///< [3H, in]: W
    Tensor weight_hh;   ///< [3H, H]: U
    Tensor bias_ih;     ///< [3H]: b
    Tensor bias_hh;     ///< [3H]: c
    LayerNorm norm_ih;  ///< [2H]: of W x + b for r and z. The norms have no parameters unless there is layer_norm
    LayerNorm norm_hh;  ///< [2H]: of U h + c for r and z
    LayerNorm norm_in;  ///< [H]: of W_n x + b_n
    LayerNorm norm_hn;  ///< [H]: of U_n h + c_n, or of U_n (r h) + c_n
    GruReset reset = GruReset::after_product;  ///< where the reset gate acts

    GruCell() = default;
    /// Throws ValueError unless both numbers of features are 1 or more.
    GruCell(std::int64_t in, std::int64_t hidden, Generator& generator, GruReset reset = GruReset::after_product,
            bool layer_norm = false);

    /// H, the features of the state. Throws ValueError if the layer has no parameters.
    std::int64_t hidden() const { return weight_hh.dim(1); }
    /// What the gates get from the input: x [.., in] -> [.., 3H]. For all steps at once this is one product. Throws
    /// ShapeError for another width, DtypeError for another dtype, ValueError if the layer has no parameters.
    Tensor project(const Input& x) const;
    /// Its second half: the norms of W x + b [.., 3H], for who has computed that in parts. Without norms, the same.
    /// Throws ShapeError for another width, DtypeError for another dtype than the norms'.
    Tensor normalise_input(const Input& projection) const;
    /// projection [B, 3H], h [B, H] -> [B, H].  With keep [B, 1], rows where it is 0 leave h as it was. With drop [B,
    /// H] the products read h drop. Throws ShapeError if they do not fit, DtypeError if their dtypes differ, ValueError
    /// if h is undefined or the layer has no parameters.
    Tensor operator()(const Input& projection, const Tensor& h, const Tensor& keep = {}, const Tensor& drop = {}) const;

    void visit(auto&& f) {
        f("weight_ih", weight_ih);
        f("weight_hh", weight_hh);
        f("bias_ih", bias_ih);
        f("bias_hh", bias_hh);
        f("norm_ih", norm_ih);
        f("norm_hh", norm_hh);
        f("norm_in", norm_in);
        f("norm_hn", norm_hn);
    }

  private:
    Tensor normalise(const Tensor& product, const LayerNorm& gates, const LayerNorm& candidate,
                     const SourceLine& where) const;
};

struct GruOptions {
    int layers = 1;              ///< one above the other
    bool bidirectional = false;  ///< whether a second direction reads from the end
    double dropout = 0;          ///< between layers
    bool variational = false;    ///< whether that drops a feature at all steps of a sequence or at none
    /// Of the state that a cell multiplies by its weights, one mask for all steps of a sequence (Gal and Ghahramani
    /// 2016). What a cell keeps of its state is not dropped.
    double recurrent_dropout = 0;
    bool residual = false;    ///< from the second layer on, a layer's input, before dropout, is added to its output
    bool layer_norm = false;  ///< inside the cells
    GruReset reset = GruReset::after_product;  ///< where the reset gate acts
};

template <>
struct Recurrence<GruCell> {
    using Options = GruOptions;
    using State = Tensor;
    static constexpr std::string_view type = "Gru", layer = "gru", cell = "gru_cell";
    static constexpr std::array<std::string_view, 1> parts{"state"};
    static auto& part(auto& state, std::size_t) { return state; }
};
extern template class RecurrentStack<GruCell>;

/// A stack of GRU layers over sequences, with PyTorch's parameter names: weight_ih_l0, ..., weight_ih_l1_reverse; a
/// norm's are norm_ih_l0.weight, norm_ih_l0.bias. RecurrentStack says what it is called with; its state is a tensor
/// [layers * directions, B, H].
class Gru : public RecurrentStack<GruCell> {
  public:
    Gru() = default;
    /// Throws ValueError unless there is a layer, 0 <= p < 1 for both dropouts, and the numbers of features are 1
    /// or more.
    Gru(std::int64_t in, std::int64_t hidden, Generator& generator, const GruOptions& options = {});
};

}  // namespace wengert
