#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <wengert/nn/nn.hpp>

#include "close.hpp"
#include "refused.hpp"

using namespace wengert;

namespace {

/// The parameters are named, followed, of these shapes and uniform in +-bound.
void check_parameters(const NamedTensors& named, const Shape& weight, const Shape& bias, double bound) {
    REQUIRE(named.size() == 2);
    CHECK(named[0].first == "weight");
    CHECK(named[0].second.shape() == weight);
    CHECK(named[1].first == "bias");
    CHECK(named[1].second.shape() == bias);
    double widest = 0;
    for (const auto& [name, parameter] : named) {
        CHECK(parameter.name() == name);
        CHECK(parameter.is_parameter());
        for (const double v : parameter.to_vector<double>()) widest = std::max(widest, std::abs(v));
    }
    CHECK(widest <= bound * (1 + 1e-6));
    CHECK(widest > 0.95 * bound);
}

}  // namespace

TEST_CASE("convolution layers: parameters have PyTorch's names, shapes and initial values") {
    Generator generator(1);
    check_parameters(named_parameters(Conv1d(8, 20, 5, generator, {.groups = 4})), {20, 2, 5}, {20},
                     1 / std::sqrt(10.0));
    check_parameters(named_parameters(Conv2d(6, 20, {3, 2}, generator, {.groups = 2})), {20, 3, 3, 2}, {20},
                     1 / std::sqrt(18.0));
    check_parameters(named_parameters(ConvTranspose2d(20, 6, {3, 2}, generator, {.groups = 2})), {20, 3, 3, 2}, {6},
                     1 / std::sqrt(18.0));
    CHECK(named_parameters(Conv2d(3, 4, 3, generator, {}, false)).size() == 1);
    Generator one(1), same(1);
    CHECK(difference(Conv1d(2, 3, 2, one).weight, Conv1d(2, 3, 2, same).weight, 0) == "");
}

TEST_CASE("convolution layers: are the functions with their parameters and options") {
    Generator generator(1);
    const Tensor sequences = cast(sample_values({2, 4, 9}, -1, 1, 1), Dtype::float32),
                 images = cast(sample_values({2, 4, 6, 5}, -1, 1, 2), Dtype::float32);
    const Conv1d one(4, 6, 3, generator, {.stride = 2, .padding = 1, .groups = 2});
    CHECK(difference(one(sequences), conv1d(sequences, one.weight, one.bias, {.stride = 2, .padding = 1, .groups = 2}),
                     0) == "");
    const Conv2d two(4, 3, {2, 3}, generator, {.padding = {0, 1}, .dilation = 2});
    CHECK(difference(two(images), conv2d(images, two.weight, two.bias, {.padding = {0, 1}, .dilation = 2}), 0) == "");
    const ConvTranspose2d back(4, 2, 3, generator, {.stride = 2, .output_padding = 1});
    CHECK(difference(back(images), conv_transpose2d(images, back.weight, back.bias, {.stride = 2, .output_padding = 1}),
                     0) == "");
    CHECK(back(images).shape() == Shape{2, 2, 14, 12});
    const Conv2d plain(4, 3, 1, generator, {}, false);
    CHECK(difference(plain(images), conv2d(images, plain.weight), 0) == "");
    const Conv1d sequence(4, 3, 2, generator, {}, false);
    CHECK(difference(sequence(sequences), conv1d(sequences, sequence.weight), 0) == "");
    const ConvTranspose2d bare(4, 3, 2, generator, {}, false);
    CHECK(difference(bare(images), conv_transpose2d(images, bare.weight), 0) == "");
}

TEST_CASE("convolution layers: gradients") {
    Generator generator(1);
    const auto is_right = [](const auto& layer, const Tensor& x) {
        for (const int order : {1, 2}) {
            const GradcheckResult result = gradcheck(
                layer, {x}, [](const auto& layer, const std::vector<Tensor>& in) { return tanh(layer(in[0])); },
                {.order = order});
            CHECK_MESSAGE(result.passed, result.message);
        }
    };
    is_right(Conv1d(2, 3, 3, generator, {.padding = 1}), sample_values({2, 2, 4}, -1, 1, 1));
    is_right(Conv2d(2, 4, {2, 1}, generator, {.stride = 2, .groups = 2}), sample_values({1, 2, 4, 3}, -1, 1, 2));
    is_right(ConvTranspose2d(2, 3, 2, generator, {.stride = 2}), sample_values({1, 2, 2, 2}, -1, 1, 3));
}

TEST_CASE("convolution layers: what does not fit is an error at the caller's line") {
    Generator generator(1);
    CHECK_THROWS_WITH_AS(Conv2d(0, 2, 3, generator), "Conv2d: a number of features is 0, less than 1", ValueError);
    CHECK_THROWS_WITH_AS(Conv1d(2, 2, 0, generator), "Conv1d: a kernel's length is 0, less than 1", ValueError);
    CHECK_THROWS_WITH_AS(Conv2d(4, 6, 3, generator, {.groups = 3}), "Conv2d: 3 groups do not divide 4 and 6 channels",
                         ValueError);
    CHECK_THROWS_WITH_AS(ConvTranspose2d(4, 6, 3, generator, {.groups = 0}),
                         "ConvTranspose2d: 0 groups do not divide 4 and 6 channels", ValueError);
    const Conv1d no_sequences;
    const Conv2d no_images;
    const ConvTranspose2d nothing;
    check_refused<ValueError>("conv1d: the layer has no weight (default-constructed or moved from)", [&] {
        no_sequences(zeros({1, 1, 1}));
    });
    check_refused<ValueError>("conv2d: the layer has no weight (default-constructed or moved from)", [&] {
        no_images(zeros({1, 1, 1, 1}));
    });
    check_refused<ValueError>("conv_transpose2d: the layer has no weight (default-constructed or moved from)", [&] {
        nothing(zeros({1, 1, 1, 1}));
    });
    const Conv2d layer(2, 3, 3, generator);
    std::string text;
    try {
        layer(zeros({1, 4, 5, 5}));
    } catch (const ShapeError& error) {
        text = error.what();
    }
    CHECK_MESSAGE(
        text.starts_with("conv2d: the channels of x [1, 4, 5, 5] and the weight [3, 2, 3, 3] do not fit in 1 groups"),
        text);
    CHECK_MESSAGE(text.find("parameter \"weight\"") != std::string::npos, text);
}
