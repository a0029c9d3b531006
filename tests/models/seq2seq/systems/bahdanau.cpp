// Mirrors no file: the reference model, a use of attention_decoder.hpp.
#include <doctest/doctest.h>
#include <malloc.h>

#include <cmath>
#include <regex>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/models/seq2seq/systems/attention_decoder.hpp>
#include <wengert/models/text/vocabulary.hpp>
#include <wengert/nn/optimizers.hpp>

#include "../../../nn/close.hpp"
#include "../../../nn/parity.hpp"
#include "../small_seq2seq.hpp"

using namespace wengert;

namespace {

/// What goes wrong in f, as the program would print it, with the line of the library left out.
std::string error_of(auto&& f) {
    try {
        f();
    } catch (const Error& error) {
        return std::regex_replace(error.what(), std::regex("at .*?((nn|models|tests)/[a-z0-9_/]+\\.[ch]pp):[0-9]+$"),
                                  "at $1");
    }
    return "no error";
}

}  // namespace

TEST_CASE("seq2seq: parameters have the names and shapes that files have") {
    Generator generator(1);
    using List = std::vector<std::pair<std::string, Shape>>;
    const auto decoder = [](std::int64_t memory) {
        return List{{"decoder.embedding.weight", {9, 4}},
                    {"decoder.attention.query.weight", {6, 5}},
                    {"decoder.attention.query.bias", {6}},
                    {"decoder.attention.key.weight", {6, memory}},
                    {"decoder.attention.score.weight", {1, 6}},
                    {"decoder.cell.weight_ih", {15, 4 + memory}},
                    {"decoder.cell.weight_hh", {15, 5}},
                    {"decoder.cell.bias_ih", {15}},
                    {"decoder.cell.bias_hh", {15}},
                    {"decoder.output.weight", {9, 5}},
                    {"decoder.output.bias", {9}}};
    };
    const auto layer = [](const std::string& suffix, std::int64_t in) {
        return List{{"encoder.gru.weight_ih_" + suffix, {15, in}},
                    {"encoder.gru.weight_hh_" + suffix, {15, 5}},
                    {"encoder.gru.bias_ih_" + suffix, {15}},
                    {"encoder.gru.bias_hh_" + suffix, {15}}};
    };
    const auto check = [](const Bahdanau& model, const std::vector<List>& parts) {
        List expected, actual;
        for (const List& part : parts) expected.insert(expected.end(), part.begin(), part.end());
        std::int64_t count = 0;
        for (const auto& [name, parameter] : named_parameters(model)) {
            CHECK(parameter.name() == name);
            CHECK(parameter.is_parameter());
            CHECK(parameter.dtype() == Dtype::float32);
            actual.emplace_back(name, parameter.shape());
            count += parameter.numel();
        }
        CHECK(actual == expected);
        CHECK(parameter_count(model) == count);
    };
    const List embedding{{"encoder.embedding.weight", {11, 4}}};
    check(Bahdanau(with(2, false), generator), {embedding, layer("l0", 4), layer("l1", 5), decoder(5)});
    check(Bahdanau(with(2, true), generator),
          {embedding, layer("l0", 4), layer("l0_reverse", 4), layer("l1", 10), layer("l1_reverse", 10),
           List{{"encoder.bridge.weight", {5, 10}}, {"encoder.bridge.bias", {5}}}, decoder(10)});
}

TEST_CASE("seq2seq: the default is the reference model") {
    const SystemOptions options;
    CHECK(options.embedding == 256);
    CHECK(options.hidden == 1024);
    CHECK(options.layers == 2);
    CHECK(options.source_vocabulary == 5000);
    CHECK(options.target_vocabulary == 5000);
    Generator generator(1);
    SystemOptions no_attention = small;
    no_attention.attention = 0;
    CHECK(Bahdanau(no_attention, generator).decoder.attention.query.weight.shape() == Shape{5, 5});
}

TEST_CASE("seq2seq: gradients of the loss, by every parameter") {
    const SmallBatch batch;
    Generator generator(1);
    for (const SystemOptions& options : {with(2, false), with(1, true)})
        for (const Tensor& lengths : {Tensor(), batch.lengths}) {
            const GradcheckResult result = gradcheck(Bahdanau(options, generator), {batch.source, batch.target},
                                                     [&](const Bahdanau& model, const std::vector<Tensor>& in) {
                                                         return model.loss(in[0], lengths, in[1]);
                                                     });
            CHECK_MESSAGE(result.passed, result.message);
        }
}

TEST_CASE("seq2seq: second derivatives of the loss") {
    const SmallBatch batch;
    Generator generator(1);
    const SystemOptions tiny{.source_vocabulary = 11,
                             .target_vocabulary = 9,
                             .embedding = 2,
                             .hidden = 2,
                             .layers = 1,
                             .bidirectional = true};
    const GradcheckResult result = gradcheck(Bahdanau(tiny, generator), {},
                                             [&](const Bahdanau& model, const std::vector<Tensor>&) {
                                                 return model.loss(batch.source, batch.lengths, batch.target);
                                             },
                                             {.order = 2});
    CHECK_MESSAGE(result.passed, result.message);
}

TEST_CASE("seq2seq: the loss is the mean over the real tokens after the first") {
    const SmallBatch batch;
    Generator generator(1);
    const Bahdanau model = to(Bahdanau(with(2, false), generator), Dtype::float64);
    const Tensor logits = log_softmax(model(batch.source, batch.lengths, batch.target).logits);
    const auto labels = slice(batch.target, 1, 1, 5).to_vector<std::int64_t>();
    double total = 0, count = 0;
    for (std::int64_t i = 0; i < 12; ++i) {
        const std::int64_t label = labels[static_cast<std::size_t>(i)];
        if (label == Vocabulary::pad) continue;
        total -= logits.at({i / 4, i % 4, label});
        ++count;
    }
    CHECK(count == 7);
    CHECK(model.loss(batch.source, batch.lengths, batch.target).item() ==
          doctest::Approx(total / count).epsilon(1e-14));
}

TEST_CASE("seq2seq: a row's results depend neither on padding nor on the other rows") {
    const SmallBatch batch;
    Generator generator(1);
    for (const bool bidirectional : {false, true}) {
        const Bahdanau model = to(Bahdanau(with(2, bidirectional), generator), Dtype::float64);
        const Bahdanau::Result together = model(batch.source, batch.lengths, batch.target);
        CHECK(together.logits.shape() == Shape{3, 4, 9});
        CHECK(together.weights.shape() == Shape{3, 4, 4});
        const auto lengths = batch.lengths.to_vector<std::int64_t>();
        double total = 0;
        for (std::int64_t row = 0; row < 3; ++row) {
            const std::int64_t length = lengths[static_cast<std::size_t>(row)];
            const Tensor source = slice(slice(batch.source, 0, row, row + 1), 1, 0, length);
            const Tensor target = slice(batch.target, 0, row, row + 1);
            const Bahdanau::Result alone = model(source, {}, target);
            CHECK(difference(slice(together.logits, 0, row, row + 1), alone.logits, 1e-14) == "");
            const Tensor weights = slice(together.weights, 0, row, row + 1);
            CHECK(difference(slice(weights, 2, 0, length), alone.weights, 1e-14) == "");
            for (const double w : slice(weights, 2, length, 4).to_vector<double>()) CHECK(w == 0);
            const double tokens[] = {4, 2, 1};
            total += tokens[row] * model.loss(source, {}, target).item();
        }
        CHECK(model.loss(batch.source, batch.lengths, batch.target).item() ==
              doctest::Approx(total / 7).epsilon(1e-14));

        const Tensor pad = zeros({3, 2}, Dtype::int64), other = full({3, 2}, 7, Dtype::int64);
        const Tensor longer_target = concat({batch.target, pad}, 1);
        const double loss = model.loss(concat({batch.source, pad}, 1), batch.lengths, longer_target).item();
        CHECK(loss == doctest::Approx(total / 7).epsilon(1e-14));
        CHECK(model.loss(concat({batch.source, other}, 1), batch.lengths, longer_target).item() == loss);
    }
}

TEST_CASE("seq2seq: without a tape nothing is recorded, and greedy decoding never records") {
    const SmallBatch batch;
    Generator generator(1);
    const Bahdanau model(with(2, true), generator);
    for (int use = 0; use < 2; ++use) model(batch.source, batch.lengths, batch.target);  // packs weights
    const std::int64_t before = allocator_statistics().live_bytes;
    {
        const Bahdanau::Result result = model(batch.source, batch.lengths, batch.target);
        CHECK(result.logits.state()->recording == 0);
        CHECK(result.logits.state()->node == no_node);
        // The two results, each with its state and the header of its storage, and nothing else.
        CHECK(allocator_statistics().live_bytes - before < 4 * 1024);
    }
    CHECK(allocator_statistics().live_bytes == before);
    Tape tape;
    greedy(model, batch.source, batch.lengths, 5);
    CHECK(tape.size() == 0);
    const Tensor loss = model.loss(batch.source, batch.lengths, batch.target);
    CHECK(tape.size() > 100);
    CHECK(allocator_statistics().live_bytes - before > 4 * 1024);
}

TEST_CASE("seq2seq: a training step after the second allocates nothing from the system") {
    const SmallBatch batch;
    Generator generator(1), noise(2);
    const Bahdanau model(with(2, true, 0.1), generator);
    Adam optimizer(parameters(model), {.learning_rate = 1e-2});
    // What malloc holds for those who do not ask the tensors' allocator.
    const auto heap_bytes = [] {
        const struct mallinfo2 heap = mallinfo2();
        return heap.arena + heap.hblkhd;
    };
    std::int64_t after_second = 0;
    std::size_t heap_after_second = 0;
    for (int step = 0; step < 6; ++step) {
        Tape tape;
        optimizer.step(tape.gradient(model.loss(batch.source, batch.lengths, batch.target, &noise), parameters(model)));
        if (step == 1) {
            after_second = allocator_statistics().system_allocations;
            heap_after_second = heap_bytes();
        }
    }
    CHECK(allocator_statistics().system_allocations == after_second);
    CHECK(heap_bytes() == heap_after_second);
}

TEST_CASE("seq2seq: it learns a batch by heart") {
    const SmallBatch batch;
    Generator generator(1);
    const Bahdanau model(with(1, true), generator);
    Adam optimizer(parameters(model), {.learning_rate = 1e-2});
    double loss = 0;
    for (int step = 0; step < 300; ++step) {
        Tape tape;
        const Tensor value = model.loss(batch.source, batch.lengths, batch.target);
        loss = value.item();
        optimizer.step(tape.gradient(value, parameters(model)));
    }
    CHECK(loss < 0.05);
    // The rows end after 3, 1 and 0 tokens, and the fourth step, with the </s> of the longest, is the last.
    const std::vector<std::vector<std::int64_t>> learned{{4, 7, 4}, {8}, {}};
    const Greedy together = greedy(model, batch.source, batch.lengths, 8);
    CHECK(together.tokens == learned);
    CHECK(together.weights.shape() == Shape{3, 4, 4});
    for (std::int64_t row = 0; row < 3; ++row) {
        const Tensor source = slice(batch.source, 0, row, row + 1), length = slice(batch.lengths, 0, row, row + 1);
        const auto i = static_cast<std::size_t>(row);
        const Greedy alone = greedy(model, source, length, 8);
        CHECK(alone.tokens[0] == learned[i]);
        CHECK(alone.weights.dim(1) == static_cast<std::int64_t>(learned[i].size()) + 1);
    }
}

TEST_CASE("seq2seq: a clone is independent, a copy is not, and another dtype computes the same") {
    const SmallBatch batch;
    Generator generator(1);
    const Bahdanau model(with(2, true), generator);
    const Bahdanau same = model, other = clone(model), wide = to(model, Dtype::float64);
    const auto loss = [&](const Bahdanau& m) { return m.loss(batch.source, batch.lengths, batch.target).item(); };
    const double before = loss(model);
    CHECK(loss(other) == before);
    CHECK(loss(wide) == doctest::Approx(before).epsilon(1e-6));
    const auto named = named_parameters(model), in_clone = named_parameters(other), in_wide = named_parameters(wide);
    for (std::size_t i = 0; i < named.size(); ++i) {
        for (const auto& [name, parameter] : {in_clone[i], in_wide[i]}) {
            CHECK(name == named[i].first);
            CHECK(parameter.name() == name);
            CHECK(parameter.is_parameter());
            CHECK(!parameter.shares_storage(named[i].second));
        }
        CHECK(in_wide[i].second.dtype() == Dtype::float64);
    }
    for (Tensor p : parameters(model)) p.fill(0.1);
    CHECK(loss(same) == loss(model));
    CHECK(loss(other) == before);
    CHECK(loss(wide) == doctest::Approx(before).epsilon(1e-6));
}

TEST_CASE("seq2seq: dropout needs noise, and the same noise gives the same loss") {
    const SmallBatch batch;
    Generator generator(1), noise(2), same(2);
    const Bahdanau model(with(2, true, 0.3), generator);
    const auto loss = [&](Generator* g) { return model.loss(batch.source, batch.lengths, batch.target, g).item(); };
    const double quiet = loss(nullptr), dropped = loss(&noise);
    CHECK(loss(nullptr) == quiet);
    CHECK(dropped != quiet);
    CHECK(loss(&same) == dropped);
}

TEST_CASE("seq2seq: errors name the place in the model and the parameter") {
    const SmallBatch batch;
    Generator generator(1);
    const Bahdanau model(with(1, false), generator);
    SystemOptions wider = with(1, false);
    wider.hidden = 7;
    const Bahdanau wide(wider, generator);
    const auto error = [&](const Bahdanau& m) {
        return error_of([&] { m.loss(batch.source, batch.lengths, batch.target); });
    };

    SUBCASE("a decoder of another size") {
        Bahdanau mixed = model;
        mixed.decoder = wide.decoder;
        CHECK(error(mixed) ==
              "linear: inner dimensions differ: x [3, 4, 5] x weight [6, 7] transposed (5 != 7)\n"
              "  in decoder.attention; weight = parameter \"decoder.attention.key.weight\"\n"
              "  at models/seq2seq/systems/attention_decoder.cpp");
    }
    SUBCASE("a query of another size") {
        Bahdanau mixed = model;
        mixed.decoder.attention.query = wide.decoder.attention.query;
        CHECK(error(mixed) ==
              "linear: inner dimensions differ: x [3, 5] x weight [6, 7] transposed (5 != 7)\n"
              "  in decoder.attention, step 0; weight = parameter \"decoder.attention.query.weight\"; "
              "bias = parameter \"decoder.attention.query.bias\"\n"
              "  at models/seq2seq/systems/attention_decoder.cpp");
    }
    SUBCASE("a recurrent weight of another size") {
        Bahdanau mixed = model;
        mixed.decoder.cell.gru.weight_hh = wide.decoder.cell.gru.weight_hh;
        CHECK(error(mixed) ==
              "gru_cell: the projection must be [B, 21], not [3, 15]\n"
              "  in decoder.cell, step 0; weight = parameter \"decoder.cell.weight_hh\"\n"
              "  at models/seq2seq/systems/cell_stack.cpp");
    }
    SUBCASE("an output layer of another size") {
        Bahdanau mixed = model;
        mixed.decoder.output = wide.decoder.output;
        CHECK(error(mixed) ==
              "linear_cross_entropy: inner dimensions differ: x [3, 4, 5] x weight [9, 7] transposed (5 != 7)\n"
              "  in loss; weight = parameter \"decoder.output.weight\"; "
              "bias = parameter \"decoder.output.bias\"\n"
              "  at models/seq2seq/systems/recurrent.hpp");
    }
    SUBCASE("an embedding of another size") {
        Bahdanau mixed = model;
        mixed.encoder.embedding = Embedding(11, 3, generator);
        CHECK(error(mixed) ==
              "linear: inner dimensions differ: x [3, 4, 3] x weight [15, 4] transposed (3 != 4)\n"
              "  in encoder.gru.l0; weight = parameter \"encoder.gru.weight_ih_l0\"; "
              "bias = parameter \"encoder.gru.bias_ih_l0\"\n"
              "  at models/seq2seq/systems/encoder.cpp");
    }
    SUBCASE("ids outside the vocabularies") {
        const Tensor bad = ids({5, 9, 11, 2}, {1, 4}), good = ids({5, 9, 10, 2}, {1, 4});
        const std::string in_source =
            "embedding: id 11 at position 2 is outside a table of 11 rows\n"
            "  in encoder.embedding; weight = parameter \"encoder.embedding.weight\"\n"
            "  at models/seq2seq/systems/encoder.cpp";
        CHECK(error_of([&] { model.loss(bad, {}, good); }) == in_source);
        CHECK(error_of([&] { greedy(model, bad, {}, 3); }) == in_source);
        CHECK(error_of([&] {
                  model.loss(good, {}, ids({1, 9, 2}, {1, 3}));
              }) ==
              "embedding: id 9 at position 1 is outside a table of 9 rows\n"
              "  in decoder.embedding; weight = parameter \"decoder.embedding.weight\"\n"
              "  at models/seq2seq/systems/target_words.cpp");
        CHECK(error_of([&] {
                  model.loss(good, {}, ids({1, 8, 9}, {1, 3}));
              }) ==
              "linear_cross_entropy: label 9 of row 1 is outside [0, 9)\n"
              "  in loss; weight = parameter \"decoder.output.weight\"; "
              "bias = parameter \"decoder.output.bias\"\n"
              "  at models/seq2seq/systems/recurrent.hpp");
    }
    SUBCASE("lengths") {
        CHECK(error_of([&] {
                  model.loss(batch.source, ids({4, 4, 5}, {3}), batch.target);
              }) ==
              "gru: length 5 is outside [0, 4]\n"
              "  in encoder.gru\n"
              "  at models/seq2seq/systems/encoder.cpp");
        CHECK(error_of([&] { greedy(model, batch.source, ids({4}, {1}), 3); }) ==
              "gru: lengths [1] are not one for each row of x [3, 4, 4]\n"
              "  in encoder.gru\n"
              "  at models/seq2seq/systems/encoder.cpp");
    }
    SUBCASE("sources and targets") {
        const Tensor no_step = zeros({3, 0}, Dtype::int64), one_row = ids({5, 2}, {2});
        for (const Tensor& source : {no_step, one_row})
            CHECK(error_of([&] {
                      model.loss(source, {}, batch.target);
                  }).starts_with("gru: x must be [B, T, in] with at least one step, not"));
        CHECK_THROWS_AS(model.loss(ones({3, 4}), {}, batch.target), DtypeError);
        for (const Tensor& target : {ids({1, 2}, {2}), ids({1, 1, 1}, {3, 1}), ids({1, 4, 2}, {1, 3})})
            CHECK(error_of([&] { model.loss(batch.source, {}, target); }) ==
                  "seq2seq: target must be [B, T] with T > 1 for source [3, 4], not " + to_string(target.shape()));
    }
}
