#include <doctest/doctest.h>

#include <wengert/nn/nn.hpp>

#include "close.hpp"
#include "refused.hpp"

using namespace wengert;

TEST_CASE("RMS norm: the weight has PyTorch's name, shape and initial value") {
    const NamedTensors named = named_parameters(RmsNorm(4));
    REQUIRE(named.size() == 1);
    CHECK(named[0].first == "weight");
    CHECK(difference(named[0].second, ones({4}), 0) == "");
    CHECK(named[0].second.is_parameter());
    CHECK(RmsNorm(4).eps == std::numeric_limits<float>::epsilon());
}

TEST_CASE("RMS norm: is rms_norm() with its weight, and its gradients are right") {
    RmsNorm norm = to(RmsNorm(4, 0.1), Dtype::float64);
    norm.weight.copy_from(sample_values({4}, 0.5, 2, 1));
    const Tensor x = sample_values({2, 3, 4}, -1, 1, 3);
    CHECK(difference(norm(x), rms_norm(x, norm.weight, 0.1), 0) == "");
    for (const int order : {1, 2}) {
        const GradcheckResult result =
            gradcheck(norm, {x}, [](const RmsNorm& norm, const std::vector<Tensor>& in) { return norm(in[0]); },
                      {.order = order});
        CHECK_MESSAGE(result.passed, result.message);
    }
}

TEST_CASE("RMS norm: what does not fit is an error at the caller's line") {
    CHECK_THROWS_WITH_AS(RmsNorm(0), "RmsNorm: a number of features is 0, less than 1", ValueError);
    CHECK_THROWS_WITH_AS(RmsNorm(4, -1), "RmsNorm: eps is -1, not 0 or more", ValueError);
    const RmsNorm norm(4), empty;
    check_refused<ShapeError>("rms_norm: the weight must be [3] for x [2, 3], not [4]", [&] { norm(zeros({2, 3})); });
    check_refused<ValueError>("rms_norm: the layer has no weight (default-constructed or moved from)", [&] {
        empty(zeros({2, 4}));
    });
}
