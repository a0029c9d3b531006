#include <doctest/doctest.h>

#include <wengert/nn/nn.hpp>

#include "close.hpp"
#include "refused.hpp"

using namespace wengert;

TEST_CASE("dropout: without noise, or with probability 0, it is the identity") {
    const Tensor x = ones({4, 5});
    Generator noise(1);
    CHECK(Dropout{0.5}(x, nullptr).same_as(x));
    CHECK(Dropout{}(x, &noise).same_as(x));
}

TEST_CASE("dropout: some elements go, the others grow, and the same noise does the same") {
    Generator noise(1), same(1);
    const Tensor x = ones({100, 100}), y = Dropout{0.2}(x, &noise);
    int zeros = 0;
    for (const float v : y.to_vector<float>()) {
        REQUIRE((v == 0 || v == 1.25f));
        zeros += v == 0;
    }
    CHECK(std::abs(zeros - 2000) < 160);  // four standard deviations
    CHECK(difference(Dropout{0.2}(x, &same), y, 0) == "");
    CHECK(difference(Dropout{0.2}(x, &noise), y, 0) != "");
}

TEST_CASE("dropout: a gradient goes where the value went") {
    Generator noise(1);
    const Tensor x = ones({50});
    Tape tape;
    tape.watch(x);
    const Tensor y = Dropout{0.5}(x, &noise);
    CHECK(difference(tape.gradient(sum(y), x), y, 0) == "");
}

TEST_CASE("dropout: a probability outside [0, 1) is an error") {
    Generator noise(1);
    for (const double p : {-0.1, 1.0, std::numeric_limits<double>::quiet_NaN()})
        CHECK_THROWS_AS(Dropout{p}(ones({2}), &noise), ValueError);
    check_refused<ValueError>("dropout: p is 2, outside [0, 1)", [&] { Dropout{2}(ones({2}), &noise); });
}

TEST_CASE("dropout: the same noise on any number of threads") {
    const int before = thread_count();
    const Tensor x = ones({50, 1001});
    std::vector<Tensor> results;
    for (const int threads : {1, 2, 5}) {
        set_thread_count(threads);
        Generator noise(1, streams::noise);
        results.push_back(Dropout{0.3}(x, &noise));
        CHECK(difference(results.back(), results.front(), 0) == "");
    }
    set_thread_count(before);
}
