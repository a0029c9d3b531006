#pragma once

#include <wengert/models/seq2seq/decoder.hpp>
#include <wengert/models/seq2seq/encoder.hpp>

namespace wengert {

struct Seq2SeqOptions {
    std::int64_t source_vocabulary = 5000, target_vocabulary = 5000;
    std::int64_t embedding = 256;
    std::int64_t hidden = 1024;
    std::int64_t attention = 0;  ///< features of keys and queries; 0: as many as hidden
    int layers = 2;              ///< of the encoder
    bool bidirectional = false;  ///< the encoder's directions
    double dropout = 0;
};

/// Translation by a GRU encoder, Bahdanau attention and a GRU decoder (Bahdanau et al. 2015, arXiv:1409.0473).
///
/// Sentences are rows of ids: a source ends with </s>, a target begins with <s> and ends with </s>; <pad> follows.
struct Seq2Seq {
    Encoder encoder;
    Decoder decoder;

    /// A source as the decoder begins with it.
    struct Encoded {
        Tensor state;  ///< [B, H]
        Decoder::Memory memory;
    };
    struct Result {
        Tensor logits;   ///< [B, T - 1, V]: for the token after each of target[:, :-1]
        Tensor weights;  ///< [B, T - 1, S]: attention
    };
    struct Translation {
        std::vector<std::vector<std::int64_t>> tokens;  ///< of each row, without <s>, </s> and what follows
        Tensor weights;                                 ///< [B, steps, S]: attention
    };

    Seq2Seq() = default;
    Seq2Seq(const Seq2SeqOptions& options, Generator& generator);

    /// source int64 [B, S], lengths int64 [B], or undefined if all rows are full. Dropout acts if there is a source of
    /// noise, here and below.
    Encoded encode(const Tensor& source, const Tensor& lengths = {}, Generator* noise = nullptr) const;
    /// Teacher forcing: target int64 [B, T], T > 1.
    Result operator()(const Tensor& source, const Tensor& lengths, const Tensor& target,
                      Generator* noise = nullptr) const;
    /// The mean cross entropy of the target tokens after the first, padding left out. The logits are never there all at
    /// once, and a tape that follows the parameters gets the output layer's gradients along with it.
    Tensor loss(const Tensor& source, const Tensor& lengths, const Tensor& target, Generator* noise = nullptr) const;
    /// The most probable token at each step, until each row has ended or has max_length tokens. Records nothing.
    Translation greedy(const Tensor& source, const Tensor& lengths, std::int64_t max_length) const;

    void visit(auto&& f) {
        f("encoder", encoder);
        f("decoder", decoder);
    }

  private:
    /// Teacher forcing up to the output layer.
    Decoder::Outputs follow(const Tensor& source, const Tensor& lengths, const Tensor& target, Generator* noise) const;
};

}  // namespace wengert
