#include <doctest/doctest.h>

#include <wengert/nn/nn.hpp>

#include "close.hpp"
#include "refused.hpp"

using namespace wengert;

TEST_CASE("group norm: parameters have PyTorch's names, shapes and initial values") {
    const NamedTensors named = named_parameters(GroupNorm(2, 4));
    REQUIRE(named.size() == 2);
    CHECK(named[0].first == "weight");
    CHECK(named[1].first == "bias");
    CHECK(difference(named[0].second, ones({4}), 0) == "");
    CHECK(difference(named[1].second, zeros({4}), 0) == "");
    CHECK(named[0].second.is_parameter());
    CHECK(GroupNorm(2, 4).eps == 1e-5);
}

TEST_CASE("group norm: is group_norm() with its parameters, and its gradients are right") {
    GroupNorm norm = to(GroupNorm(2, 4, 0.1), Dtype::float64);
    norm.weight.copy_from(sample_values({4}, 0.5, 2, 1));
    norm.bias.copy_from(sample_values({4}, -1, 1, 2));
    const Tensor x = sample_values({2, 4, 3}, -1, 1, 3);
    CHECK(difference(norm(x), group_norm(x, 2, norm.weight, norm.bias, 0.1), 0) == "");
    for (const int order : {1, 2}) {
        const GradcheckResult result =
            gradcheck(norm, {x}, [](const GroupNorm& norm, const std::vector<Tensor>& in) { return norm(in[0]); },
                      {.order = order});
        CHECK_MESSAGE(result.passed, result.message);
    }
}

TEST_CASE("group norm: what does not fit is an error at the caller's line") {
    CHECK_THROWS_WITH_AS(GroupNorm(1, 0), "GroupNorm: a number of features is 0, less than 1", ValueError);
    CHECK_THROWS_WITH_AS(GroupNorm(3, 4), "GroupNorm: 3 groups do not divide 4 channels", ValueError);
    CHECK_THROWS_WITH_AS(GroupNorm(0, 4), "GroupNorm: 0 groups do not divide 4 channels", ValueError);
    CHECK_THROWS_WITH_AS(GroupNorm(2, 4, -1), "GroupNorm: eps is -1, not 0 or more", ValueError);
    const GroupNorm norm(2, 4), empty;
    check_refused<ShapeError>("group_norm: the weight must be [6] for x [2, 6], not [4]", [&] { norm(zeros({2, 6})); });
    check_refused<ValueError>("group_norm: the layer has no weight (default-constructed or moved from)", [&] {
        empty(zeros({2, 4}));
    });
}
