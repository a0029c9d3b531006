#pragma once

#include <wengert/nn/internal/recurrent_stack.hpp>

namespace WENGERT_EXPORT wengert {

/// What a cell applies to the sum of its products.
enum class RnnNonlinearity { tanh, relu };

/// One step of a simple recurrent layer (Elman 1990, Finding structure in time):
///
///     h' = tanh(W x + b + U h + c)        or relu of it
///
/// Initial values as PyTorch's: uniform in +-1 / sqrt(H).
///
/// With layer_norm, two layer normalisations stand in the formula (Ba et al. 2016, arXiv:1607.06450): of the projected
/// input W x + b and of the projected state U h + c, bias and all, each over its H rows.
struct RnnCell {
    Tensor weight_ih;   ///< [H, in]: W
    Tensor weight_hh;   ///< [H, H]: U
    Tensor bias_ih;     ///< [H]: b
    Tensor bias_hh;     ///< [H]: c
    LayerNorm norm_ih;  ///< [H]: of W x + b. The norms have no parameters unless there is layer_norm
    LayerNorm norm_hh;  ///< [H]: of U h + c
    RnnNonlinearity nonlinearity = RnnNonlinearity::tanh;  ///< what is applied to the sum of the products

    RnnCell() = default;
    /// Throws ValueError unless both numbers of features are 1 or more.
    RnnCell(std::int64_t in, std::int64_t hidden, Generator& generator,
            RnnNonlinearity nonlinearity = RnnNonlinearity::tanh, bool layer_norm = false);

    /// H, the features of the state. Throws ValueError if the layer has no parameters.
    std::int64_t hidden() const { return weight_hh.dim(1); }
    /// What the step gets from the input: x [.., in] -> [.., H]. For all steps at once this is one product. Throws
    /// ShapeError for another width, DtypeError for another dtype, ValueError if the layer has no parameters.
    Tensor project(const Input& x) const;
    /// Its second half: the norm of W x + b [.., H], for who has computed that in parts. Without norms, the same.
    /// Throws ShapeError for another width, DtypeError for another dtype than the norms'.
    Tensor normalise_input(const Input& projection) const;
    /// projection [B, H], h [B, H] -> [B, H].  With keep [B, 1], rows where it is 0 leave h as it was. With drop [B, H]
    /// the products read h drop. Throws ShapeError if they do not fit, DtypeError if their dtypes differ, ValueError if
    /// h is undefined or the layer has no parameters.
    Tensor operator()(const Input& projection, const Tensor& h, const Tensor& keep = {}, const Tensor& drop = {}) const;

    void visit(auto&& f) {
        f("weight_ih", weight_ih);
        f("weight_hh", weight_hh);
        f("bias_ih", bias_ih);
        f("bias_hh", bias_hh);
        f("norm_ih", norm_ih);
        f("norm_hh", norm_hh);
    }
};

struct RnnOptions {
    int layers = 1;              ///< one above the other
    bool bidirectional = false;  ///< whether a second direction reads from the end
    double dropout = 0;          ///< between layers
    bool variational = false;    ///< whether that drops a feature at all steps of a sequence or at none
    /// Of the state that a cell multiplies by its weights, one mask for all steps of a sequence (Gal and Ghahramani
    /// 2016). What a cell keeps of its state is not dropped.
    double recurrent_dropout = 0;
    bool residual = false;    ///< from the second layer on, a layer's input, before dropout, is added to its output
    bool layer_norm = false;  ///< inside the cells
    RnnNonlinearity nonlinearity = RnnNonlinearity::tanh;  ///< what cells apply to the sum of their products
};

template <>
struct Recurrence<RnnCell> {
    using Options = RnnOptions;
    using State = Tensor;
    static constexpr std::string_view type = "Rnn", layer = "rnn", cell = "rnn_cell";
    static constexpr std::array<std::string_view, 1> parts{"state"};
    static auto& part(auto& state, std::size_t) { return state; }
};
extern template class RecurrentStack<RnnCell>;

/// A stack of simple recurrent layers over sequences, with PyTorch's parameter names: weight_ih_l0, ...,
/// weight_ih_l1_reverse; a norm's are norm_ih_l0.weight, norm_ih_l0.bias. RecurrentStack says what it is called with;
/// its state is a tensor [layers * directions, B, H].
class Rnn : public RecurrentStack<RnnCell> {
  public:
    Rnn() = default;
    /// Throws ValueError unless there is a layer, 0 <= p < 1 for both dropouts, and the numbers of features are 1
    /// or more.
    Rnn(std::int64_t in, std::int64_t hidden, Generator& generator, const RnnOptions& options = {});
};

}  // namespace wengert
