#include <wengert/autograd/tape/scope.hpp>
#include <wengert/models/seq2seq/systems/bahdanau.hpp>

namespace wengert {

Bahdanau::Bahdanau(const SystemOptions& options, Generator& generator)
    : encoder(options, generator), decoder(options, encoder.features(), generator) {
    name_parameters(*this);
}

Bahdanau::Encoded Bahdanau::encode(const Tensor& source, const Tensor& lengths, Generator* noise) const {
    Encoder::Result encoded;
    {
        const Scope scope("encoder");
        encoded = encoder(source, lengths, noise);
    }
    const Scope scope("decoder");
    return {decoder.remember(encoded.outputs, lengths), {encoded.state}};
}

}  // namespace wengert
