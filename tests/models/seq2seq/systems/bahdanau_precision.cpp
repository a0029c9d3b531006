// Mirrors no file: bfloat16 through the whole model.
#include <wengert/models/seq2seq/systems/attention_decoder.hpp>
#include <wengert/models/text/vocabulary.hpp>
#include <wengert/nn/optimizers.hpp>

#include "../../../nn/bfloat16.hpp"
#include "../small_seq2seq.hpp"

using namespace wengert;

namespace {

constexpr std::int64_t rows = 64, columns = 5, vocabulary = 200;
constexpr SystemOptions options{.source_vocabulary = vocabulary,
                                .target_vocabulary = vocabulary,
                                .embedding = 96,
                                .hidden = 128,
                                .attention = 128,
                                .layers = 2};

/// Rows of 3 to 5 tokens, the first `first` if that is not negative, the last </s>.
Tensor sentences(std::int64_t seed, std::int64_t first) {
    std::vector<std::int64_t> ids;
    for (std::int64_t row = 0; row < rows; ++row)
        for (std::int64_t i = 0; i < columns; ++i) {
            const std::int64_t length = 3 + row % 3;
            ids.push_back(i >= length       ? Vocabulary::pad
                          : i == length - 1 ? Vocabulary::end
                          : i == 0 && first >= 0
                              ? first
                              : 4 + (seed * 31 + row * 17 + i * 53 + row * i * 7) % (vocabulary - 4));
        }
    return tensor(ids, {rows, columns});
}
Tensor lengths() {
    std::vector<std::int64_t> result;
    for (std::int64_t row = 0; row < rows; ++row) result.push_back(3 + row % 3);
    return tensor(result, {rows});
}

struct PrecisionBatch {
    Tensor source = sentences(1, -1), lengths = ::lengths(), target = sentences(2, Vocabulary::start);
};

/// The losses of some steps of training.
std::vector<double> train(Precision p, int steps) {
    const PrecisionBatch batch;
    Generator generator(1);
    const Bahdanau model(options, generator);
    const ProductPrecision precision(p);
    Adam optimizer(parameters(model), {.learning_rate = 3e-3});
    std::vector<double> losses;
    for (int step = 0; step < steps; ++step) {
        Tape tape;
        const Tensor loss = model.loss(batch.source, batch.lengths, batch.target);
        losses.push_back(loss.item());
        optimizer.step(tape.gradient(loss, parameters(model)));
    }
    for (const Tensor& parameter : parameters(model)) CHECK(parameter.dtype() == Dtype::float32);
    return losses;
}

}  // namespace

TEST_CASE("bfloat16: the gradients of the whole model") {
    const PrecisionBatch batch;
    for (const bool bidirectional : {false, true}) {
        CAPTURE(bidirectional);
        SystemOptions sizes = options;
        sizes.bidirectional = bidirectional;
        Generator generator(1);
        // Forward and back: two layers of the source's steps with their inputs' products, the key and the query, the
        // target's steps and the output.
        const int products = 2 * (2 * (static_cast<int>(columns) + 1) + 2 + static_cast<int>(columns) + 1);
        check_bfloat16(Bahdanau(sizes, generator), {batch.source, batch.target}, products,
                       [&](const Bahdanau& model, const auto& in) { return model.loss(in[0], batch.lengths, in[1]); });
    }
}

TEST_CASE("bfloat16: training comes to the same losses") {
    const std::vector<double> exact = train(Precision::float32, 40), rounded = train(Precision::bfloat16, 40);
    CHECK(exact.back() < exact.front() / 2);
    for (std::size_t step = 0; step < exact.size(); ++step) {
        CAPTURE(step);
        CHECK(rounded[step] == doctest::Approx(exact[step]).epsilon(0.01));
    }
    CHECK((rounded == exact) == !bfloat16_is_idle().empty());
}

TEST_CASE("bfloat16: training is the same from run to run, bit for bit") {
    CHECK(train(Precision::bfloat16, 8) == train(Precision::bfloat16, 8));
}

TEST_CASE("bfloat16: greedy translations") {
    const PrecisionBatch batch;
    Generator generator(1);
    const Bahdanau model(options, generator);
    const auto translate = [&] { return greedy(model, batch.source, batch.lengths, 6); };
    const Greedy exact = translate();
    const ProductPrecision precision(Precision::bfloat16);
    const Greedy rounded = translate(), again = translate();
    CHECK(again.tokens == rounded.tokens);
    CHECK(again.weights.to_vector<double>() == rounded.weights.to_vector<double>());
    CHECK(rounded.weights.shape() == exact.weights.shape());
    CHECK(relative_error(rounded.weights, cast(exact.weights, Dtype::float64)) < bfloat16_bound(30));
}
