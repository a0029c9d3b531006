#include <doctest/doctest.h>

#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/metrics.hpp>

#include "text/words.hpp"

using namespace wengert;

namespace {

using Sentences = std::vector<std::vector<std::string>>;

}  // namespace

TEST_CASE("exact match is the fraction of equal sentences") {
    const Sentences hypotheses = {words("a b"), words("a"), words("a b c"), {}};
    const Sentences references = {words("a b"), words("b"), words("a b"), {}};
    CHECK(exact_match(hypotheses, references) == 0.5);
}

TEST_CASE("no sentences, or not as many on both sides, is refused") {
    CHECK_THROWS_WITH_AS(exact_match(Sentences{}, Sentences{}), "exact_match: no sentences", ValueError);
    CHECK_THROWS_WITH_AS(exact_match(Sentences{}, Sentences{{}}), "exact_match: 0 hypotheses, but 1 references",
                         ValueError);
}
