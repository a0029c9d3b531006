#include <doctest/doctest.h>

#include <algorithm>
#include <wengert/models/seq2seq/systems/sequence_dropout.hpp>

using namespace wengert;

TEST_CASE("sequence dropout: elements, features of all steps, and whole words") {
    Generator noise(1);
    const Tensor x = ones({4, 50, 20});
    const auto zeros_in = [](const Tensor& part) {
        double count = 0;
        for (const double v : part.to_vector<double>()) count += v == 0;
        return count / static_cast<double>(part.numel());
    };
    const Tensor plain = drop_features(x, 0.25, false, &noise), same = drop_features(x, 0.25, true, &noise),
                 words = drop_words(x, 0.25, &noise);
    for (const Tensor& dropped : {plain, same, words}) {
        CHECK(zeros_in(dropped) == doctest::Approx(0.25).epsilon(0.35));
        for (const double v : dropped.to_vector<double>()) CHECK((v == 0 || v == doctest::Approx(4.0 / 3)));
    }
    for (std::int64_t t = 1; t < 50; ++t)
        CHECK(select(same, 1, t).to_vector<double>() == select(same, 1, 0).to_vector<double>());
    for (std::int64_t f = 1; f < 20; ++f)
        CHECK(select(words, 2, f).to_vector<double>() == select(words, 2, 0).to_vector<double>());
    CHECK(select(plain, 1, 1).to_vector<double>() != select(plain, 1, 0).to_vector<double>());
    CHECK(drop_features(x, 0.25, false, nullptr).same_as(x));
    CHECK(drop_words(x, 0, &noise).same_as(x));
}

TEST_CASE("step dropout: a mask for each place, of all steps if variational") {
    const Tensor x = ones({4, 50});
    for (const bool is_variational : {false, true}) {
        Generator noise(1);
        StepDropout drop(&noise, is_variational);
        std::vector<std::vector<double>> first, second, states;
        for (int step = 0; step < 3; ++step) {
            drop.begin_step();
            first.push_back(drop(x, 0.25).to_vector<double>());
            CHECK(drop(x, 0).same_as(x));
            second.push_back(drop(x, 0.5).to_vector<double>());
            CHECK_FALSE(drop.of_state(x, 0).defined());
            states.push_back(drop.of_state(x, 0.5).to_vector<double>());
        }
        CHECK((first[0] == first[1]) == is_variational);
        CHECK((second[1] == second[2]) == is_variational);
        CHECK(states[0] == states[2]);
        CHECK(states[0] != second[0]);
        CHECK(std::ranges::count(first[0], 0) < std::ranges::count(second[0], 0));
    }
    StepDropout none;
    none.begin_step();
    CHECK(none(x, 0.5).same_as(x));
    CHECK_FALSE(none.of_state(x, 0.5).defined());
}
