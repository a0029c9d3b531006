#pragma once

#include <wengert/models/seq2seq/systems/decoder.hpp>
#include <wengert/models/seq2seq/systems/encoder.hpp>
#include <wengert/models/seq2seq/systems/recurrent.hpp>

namespace wengert {

/// Translation by a GRU encoder, additive attention and a GRU decoder (Bahdanau et al. 2015, arXiv:1409.0473): the
/// reference model. With `bidirectional`, `backward_bridge` and the maxout readout it is the article's.
struct Bahdanau : Recurrent<Bahdanau> {
    Encoder encoder;
    Decoder decoder;

    using Memory = Decoder::Memory;
    using State = Decoder::State;
    struct Encoded {
        Memory memory;
        State state;
    };

    Bahdanau() = default;
    Bahdanau(const SystemOptions& options, Generator& generator);

    /// source int64 [B, S], lengths int64 [B], or undefined if all rows are full. Dropout acts if there is a source of
    /// noise, here and below.
    Encoded encode(const Tensor& source, const Tensor& lengths = {}, Generator* noise = nullptr) const;

    Tensor embed(const Tensor& ids, Generator* noise) const { return decoder.embed(ids, noise); }
    Tensor project(const Tensor& embedded) const { return decoder.project(embedded); }
    Decoder::Advance advance(const Tensor& projection, const State& state, const Memory& memory,
                             Generator* noise) const {
        return decoder.advance(projection, state, memory, noise);
    }
    Tensor readout(const std::vector<Tensor>& features, const Tensor& embedded, Generator* noise) const {
        return decoder.read_out(features, embedded, noise);
    }
    const Linear& output_layer() const { return decoder.output; }

    void visit(auto&& f) {
        f("encoder", encoder);
        f("decoder", decoder);
    }
};

}  // namespace wengert
