#include "ops/brute_force.hpp"

#include <utility>
#include <wengert/ops/index/embedding.hpp>
#include <wengert/ops/products/matmul.hpp>
#include <wengert/ops/reduce/reductions.hpp>

using namespace brute_force;

TEST_CASE("embedding: rows of the table, whatever its place in memory") {
    for (int layout = 0; layout < layouts; ++layout) {
        for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
            const Tensor table = laid_out({5, 3}, layout, 1, dtype);
            const Tensor places = transpose(tensor(std::vector<std::int64_t>{4, 0, 4, 1, 2, 2}, {3, 2}));
            const Tensor y = embedding(table, places);
            CHECK(y.shape() == Shape{2, 3, 3});
            CHECK(y.dtype() == dtype);
            for_each_index(y.shape(), [&](const Shape& i) {
                const auto id = static_cast<std::int64_t>(element(places, {i[0], i[1]}));
                CHECK(element(y, i) == element(table, {id, i[2]}));
            });
        }
    }
    CHECK(embedding(zeros({5, 3}), tensor(std::vector<std::int64_t>{2}, {})).shape() == Shape{3});
    CHECK(embedding(zeros({5, 3}), ids({})).shape() == Shape{0, 3});
    CHECK(embedding(zeros({5, 0}), ids({1, 2})).shape() == Shape{2, 0});
}

TEST_CASE("embedding: a row's gradient is the sum over its places") {
    const Tensor table = sample_values({5, 3}, -1, 1, 1), ct = laid_out({4, 3}, 1, 2);
    const std::vector<std::int64_t> places{4, 0, 4, 4};
    const Tensor g = gradients([&](const auto& in) { return embedding(in[0], ids(places)); }, {table}, ct)[0];
    Values want(15);
    for_each_index({4, 3}, [&](const Shape& i) {
        want[static_cast<std::size_t>(places[static_cast<std::size_t>(i[0])] * 3 + i[1])] += element(ct, i);
    });
    CHECK(elements(g) == want);
}

TEST_CASE("embedding: a table that is looked up twice and multiplied too") {
    const Tensor table = sample_values({4, 3}, -1, 1, 1);
    Tape tape;
    tape.watch(table);
    const Tensor loss = sum(embedding(table, ids({0, 1}))) + sum(embedding(table, ids({1, 2}))) * 10 +
                        sum(matmul(table, ones({3, 1}, Dtype::float64))) * 100;
    CHECK(elements(tape.gradient(loss, table)) == Values{101, 101, 101, 111, 111, 111, 110, 110, 110, 100, 100, 100});
}

TEST_CASE("embedding: scatter_rows adds rows where ids say, whatever the values' place in memory") {
    const std::vector<std::int64_t> places{4, 0, 4, 1, 4, 0};
    for (int layout = 0; layout < layouts; ++layout) {
        const Tensor values = laid_out({2, 3, 7}, layout, 1);
        const Tensor y = scatter_rows(values, tensor(places, {2, 3}), 6);
        Values want(42);
        for_each_index({2, 3, 7}, [&](const Shape& i) {
            want[static_cast<std::size_t>(places[static_cast<std::size_t>(i[0] * 3 + i[1])] * 7 + i[2])] +=
                element(values, i);
        });
        CHECK(y.shape() == Shape{6, 7});
        CHECK(elements(y) == want);
    }
}

TEST_CASE("embedding: any number of threads gives the same table and the same gradient, to the last bit") {
    const std::int64_t rows = 100, features = 300, tokens = 500;
    std::vector<std::int64_t> places;
    for (std::int64_t i = 0; i < tokens; ++i) places.push_back(i * i % 7 == 0 ? 3 : i * 37 % rows);
    for (int layout = 0; layout < layouts; ++layout) {
        const Tensor table = laid_out({rows, features}, layout, 1, Dtype::float32);
        const Tensor ct = laid_out({tokens, features}, layout, 2, Dtype::float32);
        const auto run = [&](int threads) {
            const Threads these(threads);
            Tensor y;
            const Tensor g =
                gradients([&](const auto& in) { return y = embedding(in[0], ids(places)); }, {table}, ct)[0];
            return std::pair(elements(y), elements(g));
        };
        const auto one = run(1);
        for (const int threads : {2, 3, 8}) CHECK(run(threads) == one);
        for_each_index({tokens, features}, [&](const Shape& i) {
            if (i[1] % 50 != 0) return;
            CHECK(one.first[static_cast<std::size_t>(i[0] * features + i[1])] ==
                  element(table, {places[static_cast<std::size_t>(i[0])], i[1]}));
        });
    }
}

TEST_CASE("embedding: rows are added to a cotangent of any layout") {
    const Tensor table = sample_values({4, 3}, -1, 1, 1), ct = sample_values({5, 3}, -1, 1, 2);
    const Tensor places = ids({1, 3, 3, 0, 1});
    const auto by = [&](const auto& f) { return elements(gradients(f, {table}, ct)[0]); };
    const Values alone = by([&](const auto& in) { return embedding(in[0], places); });
    // The table's columns stand apart: its cotangent is a part of a wider one.
    const Values part = by([&](const auto& in) {
        const Tensor wide = concat({in[0], in[0]}, 1);
        return embedding(slice(wide, 1, 3, 6), places);
    });
    CHECK(part == alone);
    const Values turned = by([&](const auto& in) { return embedding(transpose(transpose(in[0]) * 1.0), places); });
    CHECK(turned == alone);
}

TEST_CASE("embedding: what does not fit is refused, with names and the caller's line") {
    Tensor table = zeros({5, 3});
    table.set_parameter().set_name("encoder.embedding.weight");
    const std::string in = "\n  in weight = parameter \"encoder.embedding.weight\"";
    check_refused<ValueError>("embedding: id 5 at position 2 is outside a table of 5 rows" + in, [&] {
        embedding(table, ids({0, 4, 5}));
    });
    check_refused<ValueError>("embedding: id -1 at position 0 is outside a table of 5 rows" + in,
                              [&] { embedding(table, ids({-1})); });
    check_refused<ShapeError>("embedding: the table must be [rows, features], not [5]",
                              [&] { embedding(zeros({5}), ids({0})); });
    check_refused<DtypeError>(
        "embedding: the table must be float32 or float64 and ids int64 or int32, not float32 and float32", [&] {
            embedding(zeros({5, 2}), zeros({1}));
        });
    check_refused<ValueError>("embedding: operand 1 is an undefined tensor", [&] {
        embedding(zeros({5, 2}), Tensor());
    });
    check_refused<ValueError>("embedding: operand 0 is an undefined tensor", [&] { embedding(Tensor(), ids({0})); });
    check_refused<ShapeError>("scatter_rows: values [2, 3] are not rows for ids [3]", [&] {
        scatter_rows(ones({2, 3}), ids({0, 1, 2}), 5);
    });
    check_refused<ShapeError>("scatter_rows: values [] are not rows for ids []",
                              [&] { scatter_rows(scalar(1), scalar(1, Dtype::int64), 5); });
    check_refused<ValueError>("scatter_rows: id 5 at position 1 is outside a table of 5 rows", [&] {
        scatter_rows(ones({2, 3}), ids({0, 5}), 5);
    });
    check_refused<ValueError>("scatter_rows: a table cannot have -1 rows", [&] {
        scatter_rows(ones({0, 3}), ids({}), -1);
    });
    check_refused<DtypeError>(
        "scatter_rows: values must be float32 or float64 and ids int64 or int32, not int64 and int64",
        [&] { scatter_rows(arange(3), ids({}), 5); });
}

TEST_CASE("embedding: ids of int32 are ids") {
    const Tensor weight = tensor({1, 2, 3, 4, 5, 6}, {3, 2}), ids = tensor({2, 0, 2}, Dtype::int32);
    CHECK(elements(embedding(weight, ids)) == Values{5, 6, 1, 2, 5, 6});
    CHECK(elements(scatter_rows(embedding(weight, ids), ids, 3)) == Values{1, 2, 0, 0, 10, 12});
    const auto slopes =
        gradients([&](const auto& in) { return embedding(in[0], ids); }, {weight}, tensor({1, 2, 3, 4, 5, 6}, {3, 2}));
    CHECK(elements(slopes[0]) == Values{3, 4, 0, 0, 6, 8});
    check_refused<ValueError>("embedding: id 3 at position 0 is outside a table of 3 rows",
                              [&] { embedding(weight, tensor({3}, Dtype::int32)); });
}
