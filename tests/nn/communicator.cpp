#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <string>
#include <wengert/nn/communicator.hpp>
#include <wengert/ops/ops.hpp>

#include "../thread_ranks.hpp"

using namespace wengert;

namespace {

/// What `work` gives on each rank.
template <class Result>
std::vector<Result> on_ranks(int size, const auto& work) {
    std::vector<Result> results(static_cast<std::size_t>(size));
    ThreadRanks(size).run([&](Communicator& ranks) { results[static_cast<std::size_t>(ranks.rank())] = work(ranks); });
    return results;
}

/// The message of the error of this kind that each rank throws; empty if one throws none.
template <class E>
std::vector<std::string> errors_on_ranks(int size, const auto& work) {
    return on_ranks<std::string>(size, [&](Communicator& ranks) -> std::string {
        try {
            work(ranks);
        } catch (const E& error) {
            return error.what();
        }
        return {};
    });
}

Tensor drawn(int rank, const Shape& shape, Dtype dtype) {
    Generator generator(static_cast<std::uint64_t>(rank) + 1);
    return normal(shape, 0, 1, generator, dtype);
}

/// The bits of the elements.
std::string bits(const Tensor& x) {
    const std::vector<double> values = x.to_vector<double>();
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double)};
}

}  // namespace

TEST_CASE("all_reduce: each element is the sum in the order of the ranks, with the same bits on all") {
    for (const int size : {1, 2, 3, 5})
        for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
            CAPTURE(size);
            // Fewer elements than ranks, none, a scalar, and, once, more than travel together.
            const std::int64_t rows = size == 3 && dtype == Dtype::float32 ? 1025 : 5;
            const std::vector<Shape> shapes{{2}, {0, 3}, {}, {rows, 1025}, {7, 3}};
            std::vector<Tensor> expected;
            for (const Shape& shape : shapes) {
                Tensor sum = drawn(0, shape, dtype);
                for (int rank = 1; rank < size; ++rank) sum = sum + drawn(rank, shape, dtype);
                expected.push_back(sum);
            }
            const auto sums = on_ranks<std::vector<Tensor>>(size, [&](Communicator& ranks) {
                std::vector<Tensor> tensors;
                for (const Shape& shape : shapes) tensors.push_back(drawn(ranks.rank(), shape, dtype));
                ranks.all_reduce(tensors);
                return tensors;
            });
            for (const std::vector<Tensor>& of_rank : sums)
                for (std::size_t i = 0; i < shapes.size(); ++i) {
                    CHECK(of_rank[i].shape() == shapes[i]);
                    CHECK(of_rank[i].dtype() == dtype);
                    CHECK(bits(of_rank[i]) == bits(expected[i]));
                }
        }
}

TEST_CASE("all_reduce: the mean, of several dtypes at once, in other handles' stead and of views") {
    const auto results = on_ranks<std::vector<Tensor>>(2, [](Communicator& ranks) {
        const double mine = ranks.rank() == 0 ? 1 : 4;
        const Tensor held = full({2}, mine);
        const Tensor table = tensor({mine, mine + 1, mine + 2, mine + 3}, {2, 2}, Dtype::float64);
        std::vector<Tensor> tensors{held, transpose(table), full({3}, mine)};
        ranks.all_reduce(tensors, ReduceOp::mean);
        tensors.push_back(held);
        tensors.push_back(table);
        return tensors;
    });
    for (std::size_t rank = 0; rank < 2; ++rank) {
        const double mine = rank == 0 ? 1 : 4;
        CHECK(results[rank][0].to_vector<double>() == std::vector<double>{2.5, 2.5});
        CHECK(results[rank][1].to_vector<double>() == std::vector<double>{2.5, 4.5, 3.5, 5.5});
        CHECK(results[rank][2].to_vector<double>() == std::vector<double>{2.5, 2.5, 2.5});
        CHECK(results[rank][3].to_vector<double>() == std::vector<double>{mine, mine});
        CHECK(results[rank][4].to_vector<double>() == std::vector<double>{mine, mine + 1, mine + 2, mine + 3});
    }
}

TEST_CASE("all_reduce: what is not finite is so on all ranks") {
    const auto sums = on_ranks<std::vector<Tensor>>(3, [](Communicator& ranks) {
        std::vector<Tensor> tensors{full({2}, ranks.rank() == 1 ? std::numeric_limits<double>::infinity() : 1)};
        ranks.all_reduce(tensors);
        return tensors;
    });
    for (const auto& of_rank : sums) CHECK(std::isinf(of_rank[0].at({1})));
}

TEST_CASE("all_reduce refuses on all ranks what does not fit together") {
    const auto check = [](const std::vector<std::string>& errors, const std::string& text) {
        for (const std::string& error : errors) CHECK(error == text);
    };
    check(errors_on_ranks<RankError>(3,
                                     [](Communicator& ranks) {
                                         std::vector<Tensor> tensors{ones({2, ranks.rank() == 2 ? 4 : 3})};
                                         ranks.all_reduce(tensors);
                                     }),
          "all_reduce: rank 2 comes with 1 tensors of 8 elements, rank 0 with 1 of 6");
    check(errors_on_ranks<RankError>(2,
                                     [](Communicator& ranks) {
                                         std::vector<Tensor> tensors{ones(ranks.rank() == 0 ? Shape{6} : Shape{2, 3})};
                                         ranks.all_reduce(tensors);
                                     }),
          "all_reduce: rank 1 comes with 1 tensors of 6 elements, rank 0 with 1 of 6, of other shapes or dtypes, or "
          "to another function, op or wire");
    check(errors_on_ranks<ValueError>(2,
                                      [](Communicator& ranks) {
                                          std::vector<Tensor> tensors{ones({1}), Tensor()};
                                          ranks.all_reduce(tensors);
                                      }),
          "all_reduce: tensor 1 is undefined");
    check(errors_on_ranks<DtypeError>(2,
                                      [](Communicator& ranks) {
                                          std::vector<Tensor> tensors{arange(3)};
                                          ranks.all_reduce(tensors);
                                      }),
          "all_reduce: tensor 0 is int64");
    // One rank is in another function.
    for (const std::string& error : errors_on_ranks<RankError>(2, [](Communicator& ranks) {
             std::vector<Tensor> tensors{ones({1})};
             if (ranks.rank() == 0)
                 ranks.all_reduce(tensors);
             else
                 ranks.broadcast(tensors);
         }))
        CHECK(error.ends_with("to another function, op or wire"));
}

TEST_CASE("broadcast: tensors of any dtype, views and texts become those of a rank") {
    const auto results = on_ranks<std::string>(3, [](Communicator& ranks) {
        const int rank = ranks.rank();
        const Tensor ids = arange(4) * rank, table = full({2, 2}, rank), none = zeros({0}),
                     mask = tensor({rank == 2, rank != 2});
        ranks.broadcast({ids, select(table, 1, 0), none, mask}, 2);
        const std::string text = ranks.broadcast(rank == 1 ? std::string("\"汤姆\0\n", 10) : "other", 1);
        return to_string(ids) + to_string(table) + to_string(mask) + text + ranks.broadcast("", 0);
    });
    for (int rank = 0; rank < 3; ++rank) {
        Tensor table = full({2, 2}, rank);
        Tensor column = select(table, 1, 0);
        column.fill(2);
        CHECK(results[static_cast<std::size_t>(rank)] == to_string(arange(4) * 2) + to_string(table) +
                                                             to_string(tensor({true, false})) +
                                                             std::string("\"汤姆\0\n", 10));
    }
    for (const std::string& error :
         errors_on_ranks<ValueError>(2, [](Communicator& ranks) { ranks.broadcast({ones({1})}, 2); }))
        CHECK(error == "broadcast: there is no rank 2 of 2");
}

TEST_CASE("what one rank throws fails on all, and nobody waits") {
    const auto texts = on_ranks<std::string>(3, [](Communicator& ranks) -> std::string {
        std::string result;
        for (const int failing : {-1, 1, 2}) try {
                ranks.all_or_none([&] {
                    if (ranks.rank() >= failing && failing > 0) throw ValueError(fmt::format("fault {}", ranks.rank()));
                });
                result += "none;";
            } catch (const RankError& error) {
                result += fmt::format("RankError {};", error.what());
            } catch (const ValueError& error) {
                result += fmt::format("ValueError {};", error.what());
            }
        ranks.barrier();
        return result;
    });
    CHECK(texts[0] == "none;RankError rank 1: fault 1;RankError rank 2: fault 2;");
    CHECK(texts[1] == "none;ValueError fault 1;RankError rank 2: fault 2;");
    CHECK(texts[2] == "none;ValueError fault 2;ValueError fault 2;");
}

TEST_CASE("a process of its own is rank 0 of 1") {
    Communicator& one = single_process();
    CHECK(one.rank() == 0);
    CHECK(one.size() == 1);
    std::vector<Tensor> tensors{full({2}, 3)};
    one.all_reduce(tensors, ReduceOp::mean);
    CHECK(tensors[0].to_vector<double>() == std::vector<double>{3, 3});
    one.broadcast(tensors);
    CHECK(one.broadcast("text") == "text");
    CHECK(one.all_gather(7) == std::vector<int>{7});
    CHECK_THROWS_WITH_AS(one.all_or_none([] { throw DtypeError("as it was"); }), "as it was", DtypeError);
}
