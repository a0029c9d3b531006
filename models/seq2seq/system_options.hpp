#pragma once

#include <wengert/models/seq2seq/option.hpp>
#include <wengert/nn/gru.hpp>

namespace WENGERT_EXPORT wengert {

/// Which cell a recurrent system has.
enum class CellKind { gru, lstm, rnn };
/// The cells as options name them.
inline constexpr std::array cell_names{Choice<CellKind>{"gru", CellKind::gru}, Choice<CellKind>{"lstm", CellKind::lstm},
                                       Choice<CellKind>{"rnn", CellKind::rnn}};

/// Where the reset gate of a GRU acts, as options name it.
inline constexpr std::array gru_reset_names{Choice<GruReset>{"after-product", GruReset::after_product},
                                            Choice<GruReset>{"before-product", GruReset::before_product}};

/// What the output layer reads: the state, tanh of a layer over state, context and token (deep output), or the greater
/// of features j and j + E of such a layer, E those of a token (maxout); or what the system's article has.
enum class Readout { usual, state, deep, maxout };
/// What the output layer reads, as options name it.
inline constexpr std::array readout_names{
    Choice<Readout>{"usual", Readout::usual}, Choice<Readout>{"state", Readout::state},
    Choice<Readout>{"deep", Readout::deep}, Choice<Readout>{"maxout", Readout::maxout}};

/// Which tables are one: none, the decoder's embedding and output layer, or these and the encoder's embedding.
enum class Tying { none, target, all };
/// The tables that are one, as options name them.
inline constexpr std::array tying_names{Choice<Tying>{"none", Tying::none}, Choice<Tying>{"target", Tying::target},
                                        Choice<Tying>{"all", Tying::all}};

/// Sizes and parts of a system. Each system reads those that it has a use for.
struct SystemOptions {
    std::int64_t source_vocabulary = 5000, target_vocabulary = 5000;  ///< those of a translator follow from its data
    std::int64_t embedding = 256;
    std::int64_t hidden = 1024;
    std::int64_t attention = 0;
    int layers = 2;
    bool bidirectional = false;
    double dropout = 0;
    CellKind cell = CellKind::gru;
    GruReset gru_reset = GruReset::after_product;
    Readout readout = Readout::usual;
    Tying tying = Tying::none;
    bool residual = false;
    bool layer_norm = false;
    bool reverse_source = false;
    bool backward_bridge = false;
    double context_dropout = 0;
    double output_dropout = 0;
    double word_dropout = 0;
    double recurrent_dropout = 0;
    bool variational = false;
    int window = 10;
    int heads = 4;
    std::int64_t feed_forward = 0;

    void describe(auto&& f) {
        constexpr Bounds<std::int64_t> features{1, most_features}, features_or_default{0, most_features};
        constexpr Bounds<double> probability{0, 0.999};
        constexpr Bounds<int> count{1, 1000};
        f(OptionText{"embedding", "Features of a token"}, embedding, features);
        f(OptionText{"hidden", "Features of a state"}, hidden, features);
        f(OptionText{"attention", "Features of attention's keys and queries; 0: as many as hidden"}, attention,
          features_or_default);
        f(OptionText{"layers", "Layers of the encoder, and of a deep decoder"}, layers, count);
        f(OptionText{"bidirectional", "The encoder reads in both directions"}, bidirectional);
        f(OptionText{"dropout", "Probability, at embeddings, between layers and before the output layer"}, dropout,
          probability);
        f(OptionText{"cell", "Recurrent cell, where the system leaves a choice"}, cell, cell_names);
        f(OptionText{"gru_reset",
                     "Where a GRU's reset gate acts: as PyTorch has it, or on the state, as Cho et al. have"},
          gru_reset, gru_reset_names);
        f(OptionText{"readout",
                     "What the output layer reads: the state, a layer over state, context and token, or what is "
                     "usual for the system"},
          readout, readout_names);
        f(OptionText{"tying", "Tables that are one: the decoder's two, or with the encoder's all"}, tying, tying_names);
        f(OptionText{"residual", "Layers from the second on add their input to their output"}, residual);
        f(OptionText{"layer_norm", "Layer normalisation inside the cells"}, layer_norm);
        f(OptionText{"reverse_source", "The encoder reads the source from its end, where there is no attention"},
          reverse_source);
        f(OptionText{"backward_bridge", "The decoder begins from the backward encoder alone"}, backward_bridge);
        f(OptionText{"context_dropout", "Probability, at what attention returns, or, of conditional, reads"},
          context_dropout, probability);
        f(OptionText{"output_dropout",
                     "Probability, before the output layer; 0: as dropout, but of a Transformer none"},
          output_dropout, probability);
        f(OptionText{"word_dropout", "Probability that a whole word's embedding is zero"}, word_dropout, probability);
        f(OptionText{"recurrent_dropout",
                     "Probability, at the state that a cell multiplies: one mask for all steps of a sentence"},
          recurrent_dropout, probability);
        f(OptionText{"variational",
                     "One dropout mask for all steps of a sentence at the other places, but inside a Transformer"},
          variational);
        f(OptionText{"window", "Half the width of a local attention"}, window, count);
        f(OptionText{"heads", "Heads of multi-head attention"}, heads, count);
        f(OptionText{"feed_forward", "Features inside a Transformer's layers; 0: four times hidden"}, feed_forward,
          features_or_default);
    }

    /// Features of attention's keys: `hidden` unless `attention` is given.
    std::int64_t attention_size() const { return attention > 0 ? attention : hidden; }
    /// What the output layer reads, where the system's article has `usual`.
    Readout readout_or(Readout usual) const { return readout == Readout::usual ? usual : readout; }
    /// The dropout before the output layer: `dropout` unless `output_dropout` is given.
    double dropout_at_output() const { return output_dropout > 0 ? output_dropout : dropout; }
};

}  // namespace wengert
