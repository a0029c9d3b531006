#include <doctest/doctest.h>

#include <wengert/nn/named_tensors.hpp>

using namespace wengert;

TEST_CASE("values are copied by name, whatever the order, and converted") {
    const NamedTensors to{{"a", zeros({2})}, {"b", zeros({2, 1}, Dtype::float64)}, {"n", zeros({}, Dtype::int64)}};
    assign(to, {{"n", scalar(3, Dtype::int64)}, {"b", full({2, 1}, 2)}, {"a", tensor({0.5, 1.5}, Dtype::float64)}});
    CHECK(to[0].second.dtype() == Dtype::float32);
    CHECK(to[0].second.to_vector<double>() == std::vector{0.5, 1.5});
    CHECK(to[1].second.to_vector<double>() == std::vector{2.0, 2.0});
    CHECK(to[2].second.item<std::int64_t>() == 3);
}

TEST_CASE("all differences are listed, and nothing is copied") {
    const NamedTensors to{{"a", zeros({2})}, {"b", zeros({2, 3})}, {"c", zeros({})}, {"n", zeros({}, Dtype::int64)}};
    const NamedTensors from{
        {"a", ones({2})}, {"b", ones({3, 2})}, {"d", ones({4})}, {"e", ones({1, 1})}, {"n", scalar(0.5)}};
    CHECK_THROWS_WITH_AS(assign(to, from),
                         "the tensors are not those that are needed; missing: c []; unexpected: d [4], e [1, 1]; "
                         "of another shape: b [3, 2], not [2, 3]; of another dtype: n float32, not int64",
                         ValueError);
    CHECK(to[0].second.to_vector<double>() == std::vector{0.0, 0.0});
}

TEST_CASE("a number that does not fit is named, and nothing is copied") {
    const NamedTensors to{{"a", zeros({2})}, {"n", zeros({2}, Dtype::int32)}};
    const Tensor large = tensor(std::vector<std::int64_t>{1, std::int64_t{1} << 40}, {2});
    CHECK_THROWS_WITH_AS(assign(to, {{"a", ones({2})}, {"n", large}}), "n: 1099511627776 is no int32", ValueError);
    CHECK(to[0].second.to_vector<double>() == std::vector{0.0, 0.0});
    CHECK(to[1].second.to_vector<double>() == std::vector{0.0, 0.0});
    CHECK_THROWS_WITH_AS(assign({{"b", zeros({2}, Dtype::boolean)}}, {{"b", large}}),
                         "the tensors are not those that are needed; of another dtype: b int64, not bool", ValueError);
}

TEST_CASE("a name that occurs twice is refused on either side") {
    const NamedTensors once{{"a", zeros({})}}, twice{{"a", zeros({})}, {"a", zeros({})}};
    CHECK_THROWS_WITH_AS(assign(once, twice), "the name \"a\" occurs twice", ValueError);
    CHECK_THROWS_WITH_AS(assign(twice, once), "the name \"a\" occurs twice", ValueError);
}
