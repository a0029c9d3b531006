/// Words that look at a picture (Xu et al. 2015, Show, attend and tell, arXiv:1502.03044): a convolutional network
/// makes a row of features for each region of a picture of two shapes, and a GRU with attention over the regions says
/// what stands where. The picture that it draws shows what each word looked at.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <wengert/autograd/observe/picture_file.hpp>
#include <wengert/nn/nn.hpp>

#include "flags.hpp"

using namespace wengert;

namespace {

constexpr std::int64_t side = 24, regions = 6;  // of a picture in pixels and in regions
constexpr std::array<std::string_view, 7> words{"a square", "a disc", "a cross", "a ring", "left of", "above", "<s>"};
constexpr std::int64_t shapes = 4, left_of = 4, start = 6, caption_length = 3;

/// Whether a pixel at (x, y) from a shape's centre is its own.
bool is_set(std::int64_t shape, std::int64_t x, std::int64_t y) {
    const double radius = std::hypot(x, y);
    switch (shape) {
        case 0:
            return std::abs(x) <= 3 && std::abs(y) <= 3;
        case 1:
            return radius <= 3.7;
        case 2:
            return (std::abs(x) <= 1 && std::abs(y) <= 4) || (std::abs(y) <= 1 && std::abs(x) <= 4);
        default:
            return radius >= 2.4 && radius <= 4.3;
    }
}

struct Pictures {
    Tensor pixels;    ///< [B, 1, side, side]
    Tensor captions;  ///< int64 [B, 3]: shape, relation, shape
};

Pictures draw(std::int64_t batch, Generator& generator) {
    const auto below = [&](std::int64_t bound) {
        return static_cast<std::int64_t>(generator.below(static_cast<std::uint64_t>(bound)));
    };
    std::vector<float> pixels(static_cast<std::size_t>(batch * side * side));
    std::vector<std::int64_t> captions;
    for (std::int64_t b = 0; b < batch; ++b) {
        const std::int64_t relation = left_of + below(2), first = below(shapes), second = below(shapes);
        captions.insert(captions.end(), {first, relation, second});
        // Each in its half: side by side at about one height, or one above the other.
        std::array<std::int64_t, 2> along{5 + below(3), side - 6 - below(3)};
        const std::int64_t middle = 6 + below(side - 12);
        for (std::size_t i = 0; i < 2; ++i) {
            const std::int64_t across = middle + below(3) - 1, shape = i == 0 ? first : second;
            const std::int64_t x = relation == left_of ? along[i] : across, y = relation == left_of ? across : along[i];
            for (std::int64_t dy = -4; dy <= 4; ++dy)
                for (std::int64_t dx = -4; dx <= 4; ++dx)
                    if (is_set(shape, dx, dy))
                        pixels[static_cast<std::size_t>((b * side + y + dy) * side + x + dx)] = 1;
        }
    }
    const Shape shape{batch, 1, side, side};
    return {tensor(pixels, shape) + normal(shape, 0, 0.1, generator), tensor(captions, {batch, caption_length})};
}

struct Told {
    Tensor logits;   ///< [B, 3, words]
    Tensor weights;  ///< [B, 3, regions * regions]
};

struct Describer {
    Conv2d near, far;
    Linear place;  ///< of a region's features, to which its coordinates are added
    Embedding embedding;
    BahdanauAttention attention;
    GruCell cell;
    Linear output;

    explicit Describer(Generator& generator)
        : near(1, 16, 5, generator, {.padding = 2}),
          far(16, 32, 3, generator, {.padding = 1}),
          place(34, 32, generator),
          embedding(static_cast<std::int64_t>(words.size()), 16, generator),
          attention(48, 32, 32, generator),
          cell(48, 48, generator),
          output(80, static_cast<std::int64_t>(words.size()), generator) {
        name_parameters(*this);
    }

    /// pixels [B, 1, side, side] -> a row for each region, [B, regions * regions, 32].
    Tensor look(const Tensor& pixels) const {
        const Scope scope("look");
        const Tensor x = max_pool2d(relu(far(max_pool2d(relu(near(pixels)), 2))), 2);
        const Tensor rows = transpose(flatten(x, 2));
        const auto grid = meshgrid({linspace(-1, 1, regions), linspace(-1, 1, regions)});
        const Tensor at = stack({flatten(grid[0]), flatten(grid[1])}, -1);
        return tanh(place(concat({rows, expand(at, {rows.dim(0), regions * regions, 2})}, -1)));
    }

    /// Each word from the one before, which is that of `captions`, int64 [B, 3]; without captions, its own.
    Told operator()(const Tensor& pixels, const Tensor& captions = {}) const {
        const auto memory = attention.remember(look(pixels));
        const std::int64_t batch = pixels.dim(0);
        Tensor h = zeros({batch, cell.hidden()}), word = zeros({batch}, Dtype::int64) + start;
        std::vector<Tensor> logits, weights;
        for (std::int64_t t = 0; t < caption_length; ++t) {
            const Scope scope("word");
            const auto seen = attention(h, memory);
            h = cell(cell.project(concat({embedding(word), seen.context}, -1)), h);
            logits.push_back(output(concat({h, seen.context}, -1)));
            weights.push_back(seen.weights);
            word = captions.defined() ? select(captions, 1, t) : argmax(logits.back(), -1);
        }
        return {stack(logits, 1), stack(weights, 1)};
    }

    void visit(auto&& f) {
        f("near", near);
        f("far", far);
        f("place", place);
        f("embedding", embedding);
        f("attention", attention);
        f("cell", cell);
        f("output", output);
    }
};

/// The share of captions that are right in every word.
double right(const Describer& model, const Pictures& pictures) {
    const Tensor is_right = argmax(model(pictures.pixels).logits, -1) == pictures.captions;
    return mean(cast(all(is_right, 1), Dtype::float32)).item();
}

/// Each picture as it is, and once for each word with the regions that the word looked at.
void draw_attention(const Describer& model, const Pictures& pictures, const char* file) {
    constexpr std::int64_t pixel = 6, gap = 16, text = 24, size = side * pixel, cell = size / regions;
    const Told told = model(pictures.pixels);
    const Tensor said = argmax(told.logits, -1);
    const std::int64_t count = said.dim(0);
    std::string svg = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" font-family=\"sans-serif\" "
        "font-size=\"15\">\n"
        "<title>What each word looked at</title>\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        gap + (caption_length + 1) * (size + gap), gap + count * (size + text + gap));
    for (std::int64_t b = 0; b < count; ++b)
        for (std::int64_t column = 0; column <= caption_length; ++column) {
            svg += fmt::format("<g transform=\"translate({},{})\" shape-rendering=\"crispEdges\">\n",
                               gap + column * (size + gap), gap + b * (size + text + gap));
            for (std::int64_t y = 0; y < side; ++y)
                for (std::int64_t x = 0; x < side; ++x) {
                    const double light = std::clamp(double{pictures.pixels.at({b, 0, y, x})}, 0.0, 1.0);
                    svg += fmt::format(
                        "<rect x=\"{0}\" y=\"{1}\" width=\"{2}\" height=\"{3}\" fill=\"rgb({4},{4},{4})\"/>\n",
                        x * pixel, y * pixel, pixel, pixel, std::lround(230 - 200 * light));
                }
            for (std::int64_t region = 0; column > 0 && region < regions * regions; ++region)
                svg += fmt::format(
                    "<rect x=\"{0}\" y=\"{1}\" width=\"{2}\" height=\"{2}\" fill=\"#e69f00\" "
                    "fill-opacity=\"{3:.3f}\"/>\n",
                    region % regions * cell, region / regions * cell, cell,
                    0.85 * std::sqrt(told.weights.at({b, column - 1, region})));
            if (column > 0)
                svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", size / 2, size + 18,
                                   words[static_cast<std::size_t>(said.at<std::int64_t>({b, column - 1}))]);
            svg += "</g>\n";
        }
    write_picture(svg + "</svg>\n", file);
}

}  // namespace

int main(int argc, char** argv) {
    int steps = 800;
    std::uint64_t seed = 1;
    read_flags(argc, argv, "Describes pictures of two shapes, and shows what each word looks at.",
               {{"--steps", &steps, "Steps of training", 1, 1'000'000},
                {"--seed", &seed, "Of pictures and first weights", 0, 1'000'000}});

    Generator generator(seed);
    Describer model(generator);
    AdamW optimizer(parameters(model), {.learning_rate = 3e-3});
    const Pictures held_out = draw(500, generator);
    for (int step = 1; step <= steps; ++step) {
        const Pictures batch = draw(64, generator);
        Tape tape;
        const Tensor loss = cross_entropy(model(batch.pixels, batch.captions).logits, batch.captions);
        optimizer.step(tape.gradient(loss, parameters(model)));
        if (step % 100 == 0)
            fmt::print("step {:4}  loss {:.4f}  captions right {:.3f}\n", step, loss.item(), right(model, held_out));
    }
    fmt::print("new pictures described rightly: {:.3f}\n", right(model, held_out));
    const Tensor some = arange(4);
    draw_attention(model, {index_select(held_out.pixels, 0, some), index_select(held_out.captions, 0, some)},
                   "captions.svg");
    fmt::print("what each word looked at is drawn in captions.svg\n");
}
