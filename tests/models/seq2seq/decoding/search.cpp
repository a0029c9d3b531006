#include <doctest/doctest.h>

#include <wengert/models/seq2seq/systems/attention_decoder.hpp>
#include <wengert/models/text/vocabulary.hpp>

#include "../../../nn/close.hpp"
#include "../small_seq2seq.hpp"

using namespace wengert;

TEST_CASE("seq2seq: greedy decoding takes the most probable token of teacher forcing at each step") {
    const SmallBatch batch;
    Generator generator(3);
    Bahdanau model = to(Bahdanau(with(2, true), generator), Dtype::float64);
    // No row ends, and what search() never writes is no token here either.
    for (const std::int64_t token : {Vocabulary::end, Vocabulary::pad, Vocabulary::start})
        model.decoder.output.bias.mutable_data<double>()[token] = -1e3;
    constexpr std::int64_t steps = 6;
    const Greedy found = greedy(model, batch.source, batch.lengths, steps);
    REQUIRE(found.tokens.size() == 3);
    Tensor target = full({3, 1}, Vocabulary::start, Dtype::int64);
    for (std::int64_t t = 0; t < steps; ++t) {
        // The last column of a target is not read.
        const Bahdanau::Result forced =
            model(batch.source, batch.lengths, concat({target, zeros({3, 1}, Dtype::int64)}, 1));
        target = concat({target, argmax(slice(forced.logits, 1, t, t + 1), -1)}, 1);
        CHECK(difference(select(found.weights, 1, t), select(forced.weights, 1, t), 1e-14) == "");
    }
    CHECK(found.weights.shape() == Shape{3, steps, 4});
    for (int row = 0; row < 3; ++row)
        CHECK(found.tokens[static_cast<std::size_t>(row)] ==
              slice(select(target, 0, row), 0, 1, steps + 1).to_vector<std::int64_t>());
}

TEST_CASE("seq2seq: greedy decoding ends a row at </s> and stops when all rows have ended") {
    const SmallBatch batch;
    Generator generator(1);
    // The output's bias alone decides.
    Bahdanau model(with(1, false), generator);
    for (Tensor p : parameters(model.decoder.output)) p.fill(0);
    model.decoder.output.bias.mutable_data<float>()[Vocabulary::end] = 1;
    Greedy result = greedy(model, batch.source, batch.lengths, 10);
    CHECK(result.tokens == std::vector<std::vector<std::int64_t>>(3));
    CHECK(result.weights.shape() == Shape{3, 1, 4});

    model.decoder.output.bias.mutable_data<float>()[7] = 2;
    result = greedy(model, batch.source, batch.lengths, 3);
    CHECK(result.tokens == std::vector<std::vector<std::int64_t>>(3, {7, 7, 7}));
    CHECK(result.weights.shape() == Shape{3, 3, 4});

    result = greedy(model, batch.source, batch.lengths, 0);
    CHECK(result.tokens == std::vector<std::vector<std::int64_t>>(3));
    CHECK(result.weights.shape() == Shape{3, 0, 4});

    result = greedy(model, zeros({0, 4}, Dtype::int64), zeros({0}, Dtype::int64), 5);
    CHECK(result.tokens.empty());
    CHECK(result.weights.shape() == Shape{0, 0, 4});
}

TEST_CASE("seq2seq: rows that end at different steps go on without one another") {
    const SmallBatch batch;
    // With these random weights the rows end after different numbers of tokens.
    Generator generator(1);
    const Bahdanau model = to(Bahdanau(with(1, true), generator), Dtype::float64);
    const Greedy together = greedy(model, batch.source, batch.lengths, 12);
    const auto lengths = batch.lengths.to_vector<std::int64_t>();
    for (std::int64_t row = 0; row < 3; ++row) {
        const Tensor source = slice(slice(batch.source, 0, row, row + 1), 1, 0, lengths[static_cast<std::size_t>(row)]);
        CHECK(greedy(model, source, {}, 12).tokens[0] == together.tokens[static_cast<std::size_t>(row)]);
    }
}
