#include <doctest/doctest.h>

#include <cmath>
#include <wengert/nn/nn.hpp>

#include "close.hpp"
#include "refused.hpp"

using namespace wengert;

namespace {

Tensor ids(const std::vector<std::int64_t>& values, const Shape& shape) { return tensor(values, shape); }

}  // namespace

TEST_CASE("embedding: one vector for each id, over any axes") {
    Generator generator(1);
    Embedding embedding(3, 2, generator);
    embedding.weight.copy_from(tensor({0, 1, 10, 11, 20, 21}, {3, 2}));
    CHECK(difference(embedding(ids({2, 0, 2, 1}, {2, 2})), tensor({20, 21, 0, 1, 20, 21, 10, 11}, {2, 2, 2}), 0) == "");
    CHECK(difference(embedding(ids({1}, {})), tensor({10, 11}), 0) == "");
    CHECK(embedding(ids({}, {0})).shape() == Shape{0, 2});
}

TEST_CASE("embedding: the table begins standard normal, has a name, and is followed by tapes") {
    Generator generator(1);
    const Embedding embedding(200, 100, generator);
    CHECK(embedding.weight.name() == "weight");
    CHECK(embedding.weight.is_parameter());
    CHECK(embedding.weight.shape() == Shape{200, 100});
    double sum = 0, squares = 0;
    for (const double v : embedding.weight.to_vector<double>()) sum += v, squares += v * v;
    const double n = 200 * 100;
    CHECK(std::abs(sum / n) < 0.03);  // four standard deviations
    CHECK(std::abs(squares / n - 1) < 0.04);
}

TEST_CASE("embedding: an id that occurs twice gets both gradients, one that does not occur none") {
    Generator generator(1);
    const Embedding embedding(4, 2, generator);
    Tape tape;
    const Tensor out = embedding(ids({3, 0, 3}, {3}));
    const Tensor gradient = tape.gradient(out, embedding.weight, {.cotangent = tensor({1, 2, 3, 4, 10, 20}, {3, 2})});
    CHECK(difference(gradient, tensor({3, 4, 0, 0, 0, 0, 11, 22}, {4, 2}), 0) == "");
}

TEST_CASE("embedding: gradients") {
    Generator generator(1);
    for (const int order : {1, 2}) {
        const GradcheckResult result =
            gradcheck(Embedding(5, 3, generator), {ids({4, 1, 4, 0}, {2, 2})},
                      [](const Embedding& embedding, const std::vector<Tensor>& in) { return tanh(embedding(in[0])); },
                      {.order = order});
        CHECK_MESSAGE(result.passed, result.message);
    }
}

TEST_CASE("embedding: an id outside the table is an error that names it, the parameter and the caller's line") {
    Generator generator(1);
    const Embedding embedding(3, 2, generator);
    for (const std::int64_t bad : {3, -1}) {
        std::string text;
        const int line = __LINE__ + 2;
        try {
            embedding(ids({0, bad}, {2}));
        } catch (const ValueError& error) {
            text = error.what();
        }
        CHECK(text.starts_with("embedding: id " + std::to_string(bad) +
                               " at position 1 is outside a table of 3 rows\n" +
                               "  in weight = parameter \"weight\"\n  at "));
        CHECK(text.ends_with("tests/nn/embedding.cpp:" + std::to_string(line)));
    }
    CHECK_THROWS_AS(embedding(zeros({2})), DtypeError);
}

TEST_CASE("embedding: a layer without parameters is an error at the caller's line") {
    const Embedding empty;
    check_refused<ValueError>("embedding: the layer has no weight (default-constructed or moved from)",
                              [&] { empty(ids({1}, {1})); });
}
