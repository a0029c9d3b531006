#pragma once

#include <wengert/nn/internal/recurrent_stack.hpp>

namespace WENGERT_EXPORT wengert {

/// What an LSTM hands from step to step: its output h and its memory c, of one shape.
struct LstmState {
    Tensor h;  ///< [B, H], or [layers * directions, B, H] of a stack: the output
    Tensor c;  ///< of the same shape: the memory
};

/// One step of a long short-term memory (Hochreiter and Schmidhuber 1997, Long short-term memory) with a forget gate
/// (Gers et al. 2000, Learning to forget):
///
///     i = sigmoid(W_i x + b_i + U_i h + d_i)
///     f = sigmoid(W_f x + b_f + U_f h + d_f)
///     g = tanh(W_g x + b_g + U_g h + d_g)
///     o = sigmoid(W_o x + b_o + U_o h + d_o)
///     c' = f c + i g
///     h' = o tanh(c')
///
/// The rows of the weights are i, f, g, o one after another. Initial values as PyTorch's: uniform in +-1 / sqrt(H).
///
/// With layer_norm, two layer normalisations stand in the formula (Ba et al. 2016, arXiv:1607.06450): of the projected
/// input W x + b and of the projected state U h + d, bias and all, each over its 4H rows together. The memory c is not
/// normalised.
struct LstmCell {
    Tensor weight_ih;   ///< [4H, in]: W
    Tensor weight_hh;   ///< [4H, H]: U
    Tensor bias_ih;     ///< [4H]: b
    Tensor bias_hh;     ///< [4H]: d
    LayerNorm norm_ih;  ///< [4H]: of W x + b. The norms have no parameters unless there is layer_norm
    LayerNorm norm_hh;  ///< [4H]: of U h + d

    LstmCell() = default;
    /// Throws ValueError unless both numbers of features are 1 or more.
    LstmCell(std::int64_t in, std::int64_t hidden, Generator& generator, bool layer_norm = false);

    /// H, the features of the state. Throws ValueError if the layer has no parameters.
    std::int64_t hidden() const { return weight_hh.dim(1); }
    /// What the gates get from the input: x [.., in] -> [.., 4H]. For all steps at once this is one product. Throws
    /// ShapeError for another width, DtypeError for another dtype, ValueError if the layer has no parameters.
    Tensor project(const Input& x) const;
    /// Its second half: the norm of W x + b [.., 4H], for who has computed that in parts. Without norms, the same.
    /// Throws ShapeError for another width, DtypeError for another dtype than the norms'.
    Tensor normalise_input(const Input& projection) const;
    /// projection [B, 4H], h and c [B, H] -> the next h and c.  With keep [B, 1], rows where it is 0 leave both as they
    /// were. With drop [B, H] the products read h drop. Throws ShapeError if they do not fit, DtypeError if their
    /// dtypes differ, ValueError if h or c is undefined or the layer has no parameters.
    LstmState operator()(const Input& projection, const LstmState& state, const Tensor& keep = {},
                         const Tensor& drop = {}) const;

    void visit(auto&& f) {
        f("weight_ih", weight_ih);
        f("weight_hh", weight_hh);
        f("bias_ih", bias_ih);
        f("bias_hh", bias_hh);
        f("norm_ih", norm_ih);
        f("norm_hh", norm_hh);
    }
};

struct LstmOptions {
    int layers = 1;              ///< one above the other
    bool bidirectional = false;  ///< whether a second direction reads from the end
    double dropout = 0;          ///< between layers
    bool variational = false;    ///< whether that drops a feature at all steps of a sequence or at none
    /// Of the state that a cell multiplies by its weights, one mask for all steps of a sequence (Gal and Ghahramani
    /// 2016). What a cell keeps of its state is not dropped.
    double recurrent_dropout = 0;
    bool residual = false;    ///< from the second layer on, a layer's input, before dropout, is added to its output
    bool layer_norm = false;  ///< inside the cells
};

template <>
struct Recurrence<LstmCell> {
    using Options = LstmOptions;
    using State = LstmState;
    static constexpr std::string_view type = "Lstm", layer = "lstm", cell = "lstm_cell";
    static constexpr std::array<std::string_view, 2> parts{"state's h", "state's c"};
    static auto& part(auto& state, std::size_t k) { return k == 0 ? state.h : state.c; }
};
extern template class RecurrentStack<LstmCell>;

/// A stack of LSTM layers over sequences, with PyTorch's parameter names: weight_ih_l0, ..., weight_ih_l1_reverse; a
/// norm's are norm_ih_l0.weight, norm_ih_l0.bias. RecurrentStack says what it is called with; its state is {h, c}, each
/// [layers * directions, B, H].
class Lstm : public RecurrentStack<LstmCell> {
  public:
    Lstm() = default;
    /// Throws ValueError unless there is a layer, 0 <= p < 1 for both dropouts, and the numbers of features are 1
    /// or more.
    Lstm(std::int64_t in, std::int64_t hidden, Generator& generator, const LstmOptions& options = {});
};

}  // namespace wengert
