#pragma once

#include <array>
#include <span>
#include <wengert/nn/layer_norm.hpp>

/// What Gru, Lstm and Rnn have in common. Each is a cell, and a stack of such cells over sequences.
namespace WENGERT_EXPORT wengert {

/// What a stack must know of its cells, here of GruCell:
///
///     using Options = GruOptions;
///     using State = Tensor;                                                 // what a cell hands from step to step
///     static constexpr std::string_view type = "Gru", layer = "gru", cell = "gru_cell";        // for errors
///     static constexpr std::array<std::string_view, 1> parts{"state"};      // the tensors of a state
///     static auto& part(auto& state, std::size_t k);                        // the k-th of them; the 0th is the output
template <class Cell>
struct Recurrence;

/// One tensor of a state, and what errors call it.
struct StatePart {
    std::string_view name;
    const Tensor* tensor;
};
template <class Cell>
auto parts_of(const typename Recurrence<Cell>::State& state) {
    using Kind = Recurrence<Cell>;
    std::array<StatePart, Kind::parts.size()> result;
    for (std::size_t k = 0; k < result.size(); ++k) result[k] = {Kind::parts[k], &Kind::part(state, k)};
    return result;
}

/// Parameters of a cell of so many gates, [gates * H, in], [gates * H, H] and [gates * H] twice, with PyTorch's initial
/// values: uniform in +-1 / sqrt(H). Throws ValueError unless both numbers of features are 1 or more.
struct CellParameters {
    Tensor weight_ih, weight_hh, bias_ih, bias_hh;
};
CellParameters draw_cell(std::string_view type, std::int64_t gates, std::int64_t in, std::int64_t hidden,
                         Generator& generator);

/// W x + b: x [.., in] -> [.., gates * H].  Throws what linear() throws, and ValueError if there are no parameters.
Tensor project_input(std::string_view cell, const Tensor& weight_ih, const Tensor& bias_ih, const Input& x);

/// x itself if the norm has no parameters, because the cell was made without.
Tensor normalised(const LayerNorm& norm, const Tensor& x, const SourceLine& where);

/// A state as the products read it: times drop, if that is defined.
Tensor dropped(const Tensor& h, const Tensor& drop);

/// What a cell requires of a step: projection [B, gates * H], each part of the state [B, H], keep [B, 1] and drop [B,
/// H] or undefined. Throws ShapeError, DtypeError, ValueError.
void require_step(std::string_view cell, const Input& projection, const Tensor& weight_hh, const Tensor& bias_hh,
                  std::span<const StatePart> state, const Tensor& keep, const Tensor& drop);

/// Throws ValueError unless there is a layer and 0 <= p < 1 for both dropouts.
void require_stack(std::string_view type, int layers, double dropout, double recurrent_dropout);

/// What a stack requires of its operands: x [B, T, in] with T >= 1, each part of the first state [cells, B, H] unless
/// all are undefined, lengths [B] or undefined. Returns 1 where x has a step and 0 where it is padded, [B, T, 1], or an
/// undefined tensor if all rows are full. Throws ShapeError, DtypeError, ValueError.
Tensor require_sequences(std::string_view layer, const Input& x, const Tensor& lengths,
                         std::span<const StatePart> first, std::int64_t cells, std::int64_t hidden);

/// Recurrent layers one above another, with PyTorch's parameter names: weight_ih_l0, ..., weight_ih_l1_reverse.
template <class Cell>
class RecurrentStack {
    using Kind = Recurrence<Cell>;

  public:
    /// Of all cells: a tensor, or several of one shape.
    using State = typename Kind::State;
    /// What a stack computes.
    struct Result {
        Tensor outputs;  ///< [B, T, directions * H]: what the top layer gives; 0 at padded positions
        State state;     ///< [layers * directions, B, H]: each cell's state after the last real step
    };

    RecurrentStack() = default;

    /// x [B, T, in]; lengths int64 [B], or undefined if all rows are full. A padded step leaves the state as it was.
    /// Dropout needs a source of noise; without one there is none. Throws ShapeError if T is 0 and if a row has no
    /// length of its own, ValueError unless 0 <= length <= T, and if the layer has no parameters.
    Result operator()(const Input& x, const Tensor& lengths = {}, Generator* noise = nullptr) const;
    /// The same, but from the state [layers * directions, B, H] that an earlier call returned, or from zeros if it is
    /// undefined: for sequences that come in pieces. Truncated backpropagation gives stop_gradient of it. Throws
    /// ShapeError for another shape, DtypeError for another dtype than x's.
    Result operator()(const Input& x, const Tensor& lengths, const State& state, Generator* noise = nullptr) const;

    /// 2 if a second direction reads from the end, else 1.
    int directions() const { return options_.bidirectional ? 2 : 1; }

    void visit(auto&& f) {
        for (std::size_t i = 0; i < cells_.size(); ++i)
            cells_[i].visit(
                [&](std::string_view name, auto& member) { f(std::string(name) + '_' + cell_name(i), member); });
    }

  protected:
    /// make(width) is a cell that reads so many features.
    template <class Make>
    RecurrentStack(std::int64_t in, std::int64_t hidden, const typename Kind::Options& options, const Make& make);

  private:
    std::string cell_name(std::size_t i) const;
    Tensor run(const Cell& cell, bool reverse, const Input& x, const Tensor& mask, const Tensor& drop,
               State& state) const;

    typename Kind::Options options_;
    std::vector<Cell> cells_;  // layer by layer, forward before reverse
};

}  // namespace wengert
