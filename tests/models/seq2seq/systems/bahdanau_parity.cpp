// Mirrors no file: the reference model beside PyTorch.
#include <doctest/doctest.h>

#include <wengert/models/seq2seq/systems/attention_decoder.hpp>
#include <wengert/nn/optimizers.hpp>

#include "../../../nn/parity.hpp"
#include "../small_seq2seq.hpp"

using namespace wengert;

TEST_CASE("seq2seq: values and gradients are PyTorch's") {
    for (const bool bidirectional : {false, true})
        for (const parity::Precision& precision : parity::precisions) {
            const parity::Fixture fixture(bidirectional ? "seq2seq_bidirectional" : "seq2seq", precision);
            Generator generator(1);
            const Bahdanau model = fixture.load(Bahdanau(with(bidirectional ? 1 : 2, bidirectional), generator));
            const Tensor source = fixture["source"], lengths = fixture["source_lengths"], target = fixture["target"];
            const Bahdanau::Result result = model(source, lengths, target);
            fixture.check("logits", result.logits);
            fixture.check("weights", result.weights);
            Tape tape;
            const Tensor loss = model.loss(source, lengths, target);
            fixture.check("loss", loss);
            fixture.check_gradients(tape, loss, named_parameters(model));
        }
}

TEST_CASE("seq2seq: three steps of Adam are PyTorch's") {
    for (const parity::Precision& precision : parity::precisions) {
        const parity::Fixture start("seq2seq", precision), after("adam", precision);
        Generator generator(1);
        const Bahdanau model = start.load(Bahdanau(with(2, false), generator));
        Adam optimizer(parameters(model), {.learning_rate = 1e-2});
        std::vector<Tensor> losses;
        for (int step = 0; step < 3; ++step) {
            Tape tape;
            const Tensor loss = model.loss(start["source"], start["source_lengths"], start["target"]);
            optimizer.step(tape.gradient(loss, parameters(model)));
            losses.push_back(loss.detached());
        }
        after.check("losses", stack(losses, 0));
        for (const auto& [name, parameter] : named_parameters(model)) after.check("after." + name, parameter);
    }
}
