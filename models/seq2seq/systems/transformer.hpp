#pragma once

#include <wengert/models/seq2seq/system.hpp>
#include <wengert/models/seq2seq/systems/target_words.hpp>

namespace WENGERT_EXPORT wengert {

/// Attention alone (Vaswani et al. 2017, arXiv:1706.03762), with sines and cosines for positions. Embeddings are of
/// `hidden` features, whatever `embedding` says, and are multiplied by its square root. Unlike the article's, norms
/// come first in each layer, and a last one behind each stack: that trains without a long warm-up (Xiong et al. 2020,
/// arXiv:2002.04745).
struct TransformerModel {
    struct Encoder {
        Embedding embedding;
        TransformerEncoder transformer;
        void visit(auto&& f) {
            f("embedding", embedding);
            f("transformer", transformer);
        }
    };
    struct Decoder : TargetWords {
        TransformerDecoder transformer;
        Decoder() = default;
        Decoder(const SystemOptions& options, Generator& generator);
        void visit(auto&& f) {
            f("embedding", embedding);
            f("transformer", transformer);
            f("output", output);
        }
    };
    Encoder encoder;
    Decoder decoder;

    struct Memory {
        TransformerDecoder::Memory layers;
        void visit(auto&& f) {
            for (std::size_t i = 0; i < layers.size(); ++i) f(std::to_string(i), layers[i]);
        }
    };
    struct State {
        TransformerDecoder::Past past;  ///< none before the first step
        std::int64_t step = 0;          ///< of all rows alike
        void visit(auto&& f) {
            for (std::size_t i = 0; i < past.size(); ++i) f(std::to_string(i), past[i]);
        }
    };
    struct Encoded {
        Memory memory;
        State state;
    };
    struct Result {
        Tensor logits;   ///< [B, T - 1, V]
        Tensor weights;  ///< [B, T - 1, S]: the last layer's, the mean over its heads
    };
    struct Step {
        Tensor logits, weights;
        State state;
        Tensor heads;  ///< [N, H, S]: the last layer's
    };

    TransformerModel() = default;
    TransformerModel(SystemOptions options, Generator& generator);

    Encoded encode(const Tensor& source, const Tensor& lengths = {}, Generator* noise = nullptr) const;
    Step step(const Tensor& tokens, const State& state, const Memory& memory) const;
    Tensor loss(const Tensor& source, const Tensor& lengths, const Tensor& target, Generator* noise = nullptr,
                const LossOptions& options = {}) const;
    Result operator()(const Tensor& source, const Tensor& lengths, const Tensor& target,
                      Generator* noise = nullptr) const;

    void visit(auto&& f) {
        f("encoder", encoder);
        f("decoder", decoder);
    }

  private:
    Tensor place(const Tensor& embedded, std::int64_t first, Generator* noise) const;
    TransformerDecoder::Step follow(const Tensor& source, const Tensor& lengths, const Tensor& target,
                                    Generator* noise) const;

    SystemOptions options_;
};

}  // namespace wengert
