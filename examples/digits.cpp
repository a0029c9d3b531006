/// A convolutional network reads digits that the program draws itself: a small font, shifted at random, of random
/// brightness, under noise. It draws which digit is taken for which.
#include <fmt/format.h>

#include <array>
#include <string_view>
#include <wengert/models/seq2seq/attention_map.hpp>
#include <wengert/nn/nn.hpp>

#include "flags.hpp"

using namespace wengert;

constexpr std::int64_t side = 12, glyph_width = 5, glyph_height = 7;

/// Seven rows of five pixels each, from the top.
constexpr std::array<std::string_view, 10> font{
    " ### #   ##  ### # ###  ##   # ### ", "  #   ##    #    #    #    #   ### ", " ### #   #    #   #   #   #   #####",
    " ### #   #    #  ##     ##   # ### ", "   #   ##  # # #  # #####   #    # ", "######    ####     #    ##   # ### ",
    " ### #    #    #### #   ##   # ### ", "#####    #   #   #   #    #    #   ", " ### #   ##   # ### #   ##   # ### ",
    " ### #   ##   # ####    #    # ### "};

struct Digits {
    Tensor images;  ///< [B, 1, side, side]
    Tensor labels;  ///< int64 [B]
};

static Digits draw(std::int64_t batch, double noise, Generator& generator) {
    const auto below = [&](std::int64_t bound) {
        return static_cast<std::int64_t>(generator.below(static_cast<std::uint64_t>(bound)));
    };
    std::vector<float> pixels(static_cast<std::size_t>(batch * side * side));
    std::vector<std::int64_t> labels;
    for (std::int64_t b = 0; b < batch; ++b) {
        labels.push_back(below(10));
        const std::string_view glyph = font[static_cast<std::size_t>(labels.back())];
        const std::int64_t top = below(side - glyph_height + 1), left = below(side - glyph_width + 1);
        const auto brightness = static_cast<float>(0.6 + 0.4 * generator.uniform());
        for (std::int64_t y = 0; y < glyph_height; ++y)
            for (std::int64_t x = 0; x < glyph_width; ++x)
                if (glyph[static_cast<std::size_t>(y * glyph_width + x)] == '#')
                    pixels[static_cast<std::size_t>((b * side + top + y) * side + left + x)] = brightness;
    }
    const Shape shape{batch, 1, side, side};
    return {tensor(pixels, shape) + normal(shape, 0, noise, generator), tensor(labels, {batch})};
}

struct Reader {
    Conv2d first, second;
    BatchNorm first_norm, second_norm;
    Linear output;

    explicit Reader(Generator& generator)
        : first(1, 12, 3, generator, {.padding = 1}, false),
          second(12, 24, 3, generator, {.padding = 1}, false),
          first_norm(12),
          second_norm(24),
          output(24 * side * side / 16, 10, generator) {
        name_parameters(*this);
    }

    /// images [B, 1, side, side] -> logits [B, 10]
    Tensor operator()(const Tensor& images, NormStatistics statistics = NormStatistics::running) const {
        Tensor x = max_pool2d(relu(first_norm(first(images), statistics)), 2);
        x = max_pool2d(relu(second_norm(second(x), statistics)), 2);
        return output(flatten(x, 1));
    }

    void visit(auto&& f) {
        f("first", first);
        f("first_norm", first_norm);
        f("second", second);
        f("second_norm", second_norm);
        f("output", output);
    }
};

/// [10, 10]: of the digits i, the share that is read as j.
static Tensor confusion(const Reader& model, const Digits& data) {
    const Pause pause;  // what is only looked at need not be recorded
    const Tensor read = one_hot(argmax(model(data.images), -1), 10);
    return segment_sum(read, data.labels, 10) / segment_sum(ones(read.shape()), data.labels, 10);
}

int main(int argc, char** argv) {
    int steps = 300;
    std::uint64_t seed = 1;
    double noise = 0.2;
    read_flags(argc, argv, "Trains a convolutional network to read small digits under noise.",
               {{"--steps", &steps, "Steps of training", 1, 1'000'000},
                {"--seed", &seed, "Of data and first weights", 0, 1'000'000},
                {"--noise", &noise, "Its standard deviation, beside a brightness of 0.6 to 1", 0, 10}});

    Generator generator(seed);
    Reader model(generator);
    AdamW optimizer(parameters(model), {.learning_rate = 3e-3});
    const Digits held_out = draw(2000, noise, generator);
    for (int step = 1; step <= steps; ++step) {
        const Digits batch = draw(64, noise, generator);
        Tape tape;
        const Tensor loss = cross_entropy(model(batch.images, NormStatistics::batch), batch.labels);
        optimizer.step(tape.gradient(loss, parameters(model)));
        if (step % 50 == 0)
            fmt::print("step {:4}  loss {:.4f}  digits right {:.3f}\n", step, loss.item(),
                       mean(diagonal(confusion(model, held_out))).item());
    }
    const Tensor table = confusion(model, held_out);
    fmt::print("new digits read rightly: {:.3f}\n", mean(diagonal(table)).item());

    AttentionMap map{{}, {}, table, "What is drawn (rows) and what is read (columns)"};
    for (int digit = 0; digit < 10; ++digit) map.source.push_back(std::to_string(digit));
    map.target = map.source;
    write_svg(std::span(&map, 1), "digits.svg");
    fmt::print("what is taken for what is drawn in digits.svg\n");
}
