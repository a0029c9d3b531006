/// One block of a Transformer learns to reverse a sequence. What it has found is in its attention: position t looks at
/// position T - 1 - t.
#include <fmt/format.h>

#include <wengert/models/seq2seq/attention_map.hpp>
#include <wengert/nn/nn.hpp>

#include "flags.hpp"

using namespace wengert;

constexpr std::int64_t symbols = 10, width = 32, heads = 2;

struct Reverser {
    Embedding embedding;
    LearnedEncoding positions;
    TransformerEncoderLayer block;
    Linear output;

    Reverser(std::int64_t length, Generator& generator)
        : embedding(symbols, width, generator),
          positions(length, width, generator),
          block(width, heads, generator, {.dim_feedforward = 64, .dropout = 0}),
          output(width, symbols, generator) {
        name_parameters(*this);
    }

    /// ids int64 [B, T] -> [B, T, width]: what the block reads
    Tensor read(const Tensor& ids) const { return positions(embedding(ids)); }
    /// ids int64 [B, T] -> logits [B, T, symbols]
    Tensor operator()(const Tensor& ids) const { return output(block(read(ids))); }

    void visit(auto&& f) {
        f("embedding", embedding);
        f("positions", positions);
        f("block", block);
        f("output", output);
    }
};

/// Random digits, int64 [batch, length].
static Tensor draw(std::int64_t batch, std::int64_t length, Generator& generator) {
    return reshape(multinomial(ones({symbols}), batch * length, generator, true), {batch, length});
}

/// The share of sequences that are right from end to end.
static double accuracy(const Reverser& model, const Tensor& ids) {
    const Pause pause;  // what is only looked at need not be recorded
    return mean(convert(all(argmax(model(ids), -1) == flip(ids, 1), -1), Dtype::float32)).item();
}

/// What each position of one sequence looks at, the mean over the heads.
static void draw_attention(const Reverser& model, const Tensor& ids, const char* file) {
    const Tensor x = model.read(ids);
    const Tensor weights = model.block.self_attn(x, model.block.self_attn.remember(x)).weights;
    AttentionMap map{{}, {}, select(mean(weights, 1), 0, 0), "What each digit of the reversed sequence looks at"};
    const std::vector<std::int64_t> read = ids.to_vector<std::int64_t>(),
                                    written = argmax(model(ids), -1).to_vector<std::int64_t>();
    for (const std::int64_t digit : read) map.source.push_back(std::to_string(digit));
    for (const std::int64_t digit : written) map.target.push_back(std::to_string(digit));
    write_svg(std::span(&map, 1), file);
}

int main(int argc, char** argv) {
    int steps = 200;
    std::uint64_t seed = 1;
    std::int64_t length = 12;
    read_flags(argc, argv, "Trains one block of a Transformer to reverse sequences of digits.",
               {{"--steps", &steps, "Steps of training", 1, 1'000'000},
                {"--seed", &seed, "Of data and first weights", 0, 1'000'000},
                {"--length", &length, "Digits in a sequence", 1, 200}});

    Generator generator(seed);
    Reverser model(length, generator);
    Adam optimizer(parameters(model));
    const auto schedule = LearningRateSchedule::cosine(steps).after_warmup(20);
    const Tensor held_out = draw(500, length, generator);
    for (int step = 1; step <= steps; ++step) {
        const Tensor ids = draw(64, length, generator);
        Tape tape;
        const Tensor loss = cross_entropy(model(ids), flip(ids, 1));
        optimizer.set_learning_rate(5e-3 * schedule.factor(optimizer.step_count()));
        optimizer.step(tape.gradient(loss, parameters(model)));
        if (step % 20 == 0)
            fmt::print("step {:4}  loss {:.4f}  sequences right {:.3f}\n", step, loss.item(),
                       accuracy(model, held_out));
    }
    fmt::print("new sequences reversed without a fault: {:.3f}\n", accuracy(model, held_out));
    draw_attention(model, slice(held_out, 0, 0, 1), "transformer_block.svg");
    fmt::print("its attention is drawn in transformer_block.svg\n");
}
