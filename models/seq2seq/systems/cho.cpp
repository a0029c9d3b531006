#include <wengert/autograd/tape/scope.hpp>
#include <wengert/models/seq2seq/systems/cho.hpp>

namespace wengert {

Cho::Decoder::Decoder(const SystemOptions& o, Generator& generator)
    : TargetWords(o, Readout::maxout, o.hidden, o.hidden, generator),
      start(o.hidden, o.hidden, generator),
      cell(o, o.embedding + o.hidden, generator) {}

Cho::Cho(const SystemOptions& options, Generator& generator)
    : encoder(options, false, generator), decoder(options, generator) {
    encoder.tie(decoder.embedding);
    name_parameters(*this);
}

Cho::Encoded Cho::encode(const Tensor& source, const Tensor& lengths, Generator* noise) const {
    Tensor context;
    {
        const Scope scope("encoder");
        context = encoder(source, lengths, noise).state;
    }
    const Scope scope("decoder");
    const Tensor& weight = decoder.cell.weight_ih();
    const Tensor projection = linear(context, slice(weight, 1, decoder.embedding.weight.dim(1), weight.dim(1)),
                                     zeros({weight.dim(0)}, weight.dtype()));
    return {{context, projection}, {tanh(decoder.start(context)), decoder.cell.first_state(context.dim(0)).c}};
}

Tensor Cho::project(const Tensor& embedded) const {
    const Scope scope("cell");
    return decoder.cell.project(embedded);
}

Cho::Advance Cho::advance(const Tensor& projection, const State& state, const Memory& memory, StepDropout& drop) const {
    const Scope scope("cell");
    const CellState next = decoder.cell(projection + memory.projection, state, drop);
    return {next, {next.h, memory.context}, {}};
}

}  // namespace wengert
