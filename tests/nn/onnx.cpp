#include <wengert/nn/onnx.hpp>

#include <doctest/doctest.h>

#include <wengert/nn/nn.hpp>
#include <wengert/ops/onnx/internal/model.hpp>

#include "onnx_fixture.hpp"

using namespace wengert;

namespace {

using Results = std::vector<Tensor>;

/// Layers of a user's own model: recurrent ones of each kind, attention and a readout.
struct Reader {
    Embedding embedding;
    Gru gru;
    Lstm lstm;
    MultiHeadAttention attention;
    LayerNorm norm;
    Linear output;

    explicit Reader(Generator& generator)
        : embedding(7, 4, generator),
          gru(4, 3, generator, {.layers = 2, .bidirectional = true}),
          lstm(6, 4, generator, {.layer_norm = true}),
          attention(4, 2, generator),
          norm(4),
          output(4, 5, generator) {
        name_parameters(*this);
    }
    /// ids int64 [B, T], lengths int64 [B] -> [B, T, 5]
    Tensor operator()(const Tensor& ids, const Tensor& lengths) const {
        const Scope scope("reader");
        const Tensor states = lstm(gru(embedding(ids), lengths).outputs, lengths).outputs;
        const Tensor found = attention(states, attention.remember(states, lengths), {.need_weights = false}).outputs;
        return output(norm(states + found));
    }
    void visit(auto&& f) {
        f("embedding", embedding);
        f("gru", gru);
        f("lstm", lstm);
        f("attention", attention);
        f("norm", norm);
        f("output", output);
    }
};

/// A small convolutional network: two convolutions, one of them in groups, both pools, and a readout.
struct Convolutional {
    Conv2d first, second;
    Linear output;

    explicit Convolutional(Generator& generator)
        : first(1, 4, 3, generator, {.padding = 1}),
          second(4, 6, {3, 2}, generator, {.stride = 2, .groups = 2}),
          output(6 * 3 * 2, 3, generator) {
        name_parameters(*this);
    }
    /// [B, 1, 14, 12] -> [B, 3]
    Tensor operator()(const Tensor& images) const {
        const Tensor low = max_pool2d(relu(first(images)), 2);
        const Tensor high = avg_pool2d(tanh(second(low)), {2, 1}, {.stride = 1, .padding = {1, 0}});
        return output(flatten(slice(slice(high, 2, 0, 3), 3, 0, 2), 1, -1));
    }
    void visit(auto&& f) {
        f("first", first);
        f("second", second);
        f("output", output);
    }
};

Tensor counted(const Shape& shape, std::int64_t below) {
    std::vector<std::int64_t> values;
    for (std::int64_t i = 0; i < shape.numel(); ++i) values.push_back((3 * i + 1) % below);
    return tensor(values, shape);
}

/// Multiples of 1/128 below 1/2 for all parameters: initial values may differ in the last digit from build to build,
/// and the file's fingerprint with them.
void set_exact_values(const auto& model) {
    std::size_t number = 0;
    for (Tensor parameter : parameters(model)) {
        std::vector<float> values;
        for (std::int64_t i = 0; i < parameter.numel(); ++i, ++number)
            values.push_back((static_cast<float>((37 * number + number / 11) % 127) - 63) / 128);
        parameter.copy_from(tensor(values, parameter.shape()));
    }
}

}  // namespace

TEST_CASE("export_onnx: a model of one's own computes in ONNX Runtime what it computes here, at any length") {
    OnnxFixture fixture("models_of_layers");
    const TemporaryDirectory directory;
    Generator generator(5);
    Reader model(generator);
    set_exact_values(model);
    const auto f = [&](const Results& in) { return Results{model(in[0], in[1])}; };
    export_onnx(directory.path() / "reader.onnx", f,
                {{"ids", counted({2, 3}, 7), {"batch", "time"}},
                 {"lengths", tensor(std::vector<std::int64_t>{3, 1}, {2}), {"batch"}}},
                {"scores"});
    const Tensor ids = counted({3, 8}, 7), lengths = tensor(std::vector<std::int64_t>{8, 1, 5}, {3});
    fixture.check("reader", content_of(directory.path() / "reader.onnx"), {{"ids", ids}, {"lengths", lengths}},
                  {{"scores", model(ids, lengths)}});

    Convolutional network(generator);
    set_exact_values(network);
    const auto images = [](std::int64_t count) {
        return convert(counted({count, 1, 14, 12}, 11), Dtype::float32) / 8 - 0.5;
    };
    export_onnx(directory.path() / "convolutional.onnx", [&](const Results& in) { return Results{network(in[0])}; },
                {{"images", images(2), {"batch", "", "", ""}}}, {"scores"});
    fixture.check("convolutional", content_of(directory.path() / "convolutional.onnx"), {{"images", images(5)}},
                  {{"scores", network(images(5))}});

    TransformerEncoder transformer(8, 2, 2, generator, {.dim_feedforward = 12});
    name_parameters(transformer);
    set_exact_values(transformer);
    const auto sequences = [](std::int64_t count, std::int64_t length) {
        return convert(counted({count, length, 8}, 13), Dtype::float32) / 16 - 0.25;
    };
    export_onnx(directory.path() / "transformer.onnx",
                [&](const Results& in) { return Results{transformer(in[0], in[1])}; },
                {{"x", sequences(2, 3), {"batch", "time", ""}},
                 {"lengths", tensor(std::vector<std::int64_t>{3, 1}, {2}), {"batch"}}},
                {"y"});
    const Tensor x = sequences(3, 8);
    // What comes out at padding means nothing.
    const Tensor full = tensor(std::vector<std::int64_t>{8, 8, 8}, {3});
    fixture.check("transformer", content_of(directory.path() / "transformer.onnx"), {{"x", x}, {"lengths", full}},
                  {{"y", transformer(x, full)}});
    fixture.check_all_met();
}

TEST_CASE("export_onnx: a file that cannot be written") {
    const TemporaryDirectory directory;
    const auto same = [](const Results& in) { return in; };
    const std::filesystem::path path = directory.path() / "none" / "x.onnx";
    CHECK_THROWS_AS(export_onnx(path, same, {{"x", ones({2}), {}}}, {"y"}), FileError);
    CHECK(!std::filesystem::exists(path));
}
