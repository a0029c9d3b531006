#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <string>
#include <thread>
#include <wengert/nn/nn.hpp>

#include "../thread_ranks.hpp"

using namespace wengert;

namespace {

using Tensors = std::vector<Tensor>;

Tensor drawn(int rank, std::size_t i, const Tensor& like) {
    Generator generator(static_cast<std::uint64_t>(rank) + 1, i);
    return normal(like.shape(), 0, 1, generator, like.dtype());
}

/// Several buckets, and one that is larger than a bucket.
Tensors parameters_of_several_buckets() {
    return {zeros({3, 5}), zeros({700, 1000}),  zeros({}), zeros({900, 1000}, Dtype::float64),
            zeros({0, 4}), zeros({1100, 1000}), zeros({7})};
}

std::vector<Tensors> on_ranks(int size, const auto& work) {
    std::vector<Tensors> results(static_cast<std::size_t>(size));
    ThreadRanks(size).run([&](Communicator& ranks) { results[static_cast<std::size_t>(ranks.rank())] = work(ranks); });
    return results;
}

bool same_bits(const Tensor& a, const Tensor& b) {
    return a.dtype() == b.dtype() && a.shape() == b.shape() && a.to_vector<double>() == b.to_vector<double>();
}

std::string error_of(const auto& work) {
    try {
        work();
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

}  // namespace

TEST_CASE("overlapped reduction: the sums are all_reduce's, bit for bit, in whatever order gradients come") {
    const Tensors parameters = parameters_of_several_buckets();
    for (const int size : {1, 2, 3})
        for (const ReduceOp op : {ReduceOp::sum, ReduceOp::mean})
            for (const Wire wire : {Wire::exact, Wire::bfloat16}) {
                CAPTURE(size);
                const auto expected = on_ranks(size, [&](Communicator& ranks) {
                    Tensors all;
                    for (std::size_t i = 0; i < parameters.size(); ++i)
                        all.push_back(drawn(ranks.rank(), i, parameters[i]));
                    ranks.all_reduce(all, op, wire);
                    return all;
                });
                const auto sums = on_ranks(size, [&](Communicator& ranks) {
                    OverlappedReduction reduction(ranks, parameters, op, wire);
                    for (std::size_t n = 0; n < parameters.size(); ++n) {
                        const std::size_t i = ranks.rank() == 1 ? n : parameters.size() - 1 - n;
                        reduction.give(i, drawn(ranks.rank(), i, parameters[i]));
                    }
                    return reduction.finish();
                });
                for (int rank = 0; rank < size; ++rank)
                    for (std::size_t i = 0; i < parameters.size(); ++i)
                        CHECK(same_bits(sums[static_cast<std::size_t>(rank)][i], expected[0][i]));
            }
}

TEST_CASE("overlapped reduction: a bucket travels when its gradients are there, or all in finish() without a thread") {
    const Tensors parameters = parameters_of_several_buckets();
    const auto give = [&](Communicator& ranks, OverlappedReduction& reduction, std::size_t begin, std::size_t end) {
        for (std::size_t i = end; i-- > begin;) reduction.give(i, drawn(ranks.rank(), i, parameters[i]));
    };
    for (const bool has_thread : {true, false}) {
        CAPTURE(has_thread);
        ThreadRanks all(2, has_thread);
        std::vector<Tensors> sums(2);
        int early = 0;
        all.run([&](Communicator& ranks) {
            OverlappedReduction reduction(ranks, parameters);
            give(ranks, reduction, 5, parameters.size());  // the first bucket, larger than what travels at once
            if (ranks.rank() == 0)
                for (int wait = 0; wait < (has_thread ? 10'000 : 100) && all.exchanges() < 2; ++wait)
                    std::this_thread::sleep_for(std::chrono::milliseconds(1));
            if (ranks.rank() == 0) early = all.exchanges();
            give(ranks, reduction, 0, 5);
            sums[static_cast<std::size_t>(ranks.rank())] = reduction.finish();
        });
        CHECK(early == (has_thread ? 2 : 0));
        CHECK(all.exchanges() > 2);
        const Tensor expected = drawn(0, 3, parameters[3]) + drawn(1, 3, parameters[3]);
        for (const Tensors& own : sums) CHECK(same_bits(own[3], expected));
    }
}

TEST_CASE("overlapped reduction: one that cannot begin lets none wait") {
    std::vector<std::string> errors(2);
    ThreadRanks(2).run([&](Communicator& ranks) {
        errors[static_cast<std::size_t>(ranks.rank())] = error_of([&] {
            OverlappedReduction reduction(ranks, {ranks.rank() == 0 ? zeros({2}) : Tensor()});
            reduction.give(0, ones({2}));
            reduction.finish();
        });
    });
    CHECK(errors == std::vector<std::string>{"all_reduce: rank 1 gave up",
                                             "OverlappedReduction: parameter 0 is an undefined tensor"});
}

TEST_CASE("overlapped reduction: what another handle shows stays as it is") {
    const auto results = on_ranks(2, [](Communicator& ranks) {
        const Tensor held = full({2}, ranks.rank() + 1);
        OverlappedReduction reduction(ranks, {zeros({2})});
        reduction.give(0, held);
        return Tensors{reduction.finish()[0], held};
    });
    for (const std::size_t rank : {0, 1}) {
        CHECK(results[rank][0].to_vector<double>() == std::vector<double>{3, 3});
        CHECK(results[rank][1].to_vector<double>() == std::vector<double>(2, static_cast<double>(rank) + 1));
    }
}

TEST_CASE("overlapped reduction: a rank whose step fails lets none wait, and all hear of it") {
    const Tensors parameters = parameters_of_several_buckets();
    std::vector<std::string> errors(3);
    ThreadRanks(3).run([&](Communicator& ranks) {
        const auto step = [&](bool fails) {
            ranks.all_or_none([&] {
                OverlappedReduction reduction(ranks, parameters);
                for (std::size_t i = parameters.size(); i-- > 0;) {
                    if (fails && i == 2 && ranks.rank() == 1) throw NonFiniteError("the loss is nan");
                    reduction.give(i, drawn(ranks.rank(), i, parameters[i]));
                }
                reduction.finish();
            });
        };
        errors[static_cast<std::size_t>(ranks.rank())] = error_of([&] { step(true); });
        CHECK(error_of([&] { step(false); }) == "no error");
    });
    CHECK(errors == std::vector<std::string>{"rank 1: the loss is nan", "the loss is nan", "rank 1: the loss is nan"});
}

TEST_CASE("overlapped reduction: the sum without a rank that failed is an error, not a sum") {
    std::vector<std::string> errors(2);
    ThreadRanks(2).run([&](Communicator& ranks) {
        errors[static_cast<std::size_t>(ranks.rank())] = error_of([&] {
            OverlappedReduction reduction(ranks, {zeros({2}), zeros({3})});
            reduction.give(1, ones({3}));
            if (ranks.rank() == 1) throw NonFiniteError("the loss is nan");
            reduction.give(0, ones({2}));
            reduction.finish();
        });
    });
    CHECK(errors == std::vector<std::string>{"all_reduce: rank 1 gave up", "the loss is nan"});
}

TEST_CASE("all_reduce: ranks with another op or wire are an error on all") {
    for (const bool differs_in_wire : {false, true}) {
        std::vector<std::string> errors(2);
        ThreadRanks(2).run([&](Communicator& ranks) {
            const bool is_second = ranks.rank() == 1;
            errors[static_cast<std::size_t>(ranks.rank())] = error_of([&] {
                Tensors all{ones({2})};
                ranks.all_reduce(all, is_second && !differs_in_wire ? ReduceOp::mean : ReduceOp::sum,
                                 is_second && differs_in_wire ? Wire::bfloat16 : Wire::exact);
            });
        });
        for (const std::string& error : errors) CHECK(error.ends_with("another function, op or wire"));
    }
}

TEST_CASE("overlapped reduction: ranks with other parameters are an error on all") {
    std::vector<std::string> errors(2);
    ThreadRanks(2).run([&](Communicator& ranks) {
        errors[static_cast<std::size_t>(ranks.rank())] = error_of([&] {
            OverlappedReduction reduction(ranks, {zeros({ranks.rank() + 2})});
            reduction.give(0, ones({ranks.rank() + 2}));
            reduction.finish();
        });
    });
    for (const std::string& error : errors)
        CHECK(error == "all_reduce: rank 1 comes with 1 tensors of 3 elements, rank 0 with 1 of 2");
}

TEST_CASE("overlapped reduction refuses what is no gradient of its parameters") {
    OverlappedReduction reduction(single_process(), {zeros({2}), zeros({3})});
    CHECK_THROWS_WITH_AS(reduction.give(2, ones({2})), "give: there is no parameter 2 of 2", ValueError);
    CHECK_THROWS_WITH_AS(reduction.give(0, ones({3})), "give: the gradient by parameter 0 is [3], the parameter [2]",
                         ShapeError);
    CHECK_THROWS_WITH_AS(reduction.give(0, ones({2}, Dtype::float64)),
                         "give: the gradient by parameter 0 is float64, the parameter float32", DtypeError);
    reduction.give(0, ones({2}));
    CHECK_THROWS_WITH_AS(reduction.give(0, ones({2})), "give: the gradient by parameter 0 is there already",
                         ValueError);
    CHECK_THROWS_WITH_AS(reduction.finish(), "finish: there is no gradient by parameter 1", ValueError);
    reduction.give(1, ones({3}));
    CHECK(reduction.finish().size() == 2);
    CHECK_THROWS_WITH_AS(reduction.finish(), "finish: it was called already", ValueError);
    CHECK_THROWS_WITH_AS(OverlappedReduction(single_process(), {Tensor()}),
                         "OverlappedReduction: parameter 0 is an undefined tensor", ValueError);
}

TEST_CASE("all_reduce by bfloat16: near the sum, and the same bits on all ranks") {
    const Tensor like = zeros({3001});
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        const auto sums = on_ranks(3, [&](Communicator& ranks) {
            Tensors all{convert(drawn(ranks.rank(), 0, like), dtype)};
            ranks.all_reduce(all, ReduceOp::sum, Wire::bfloat16);
            return all;
        });
        const auto first = sums[0][0].to_vector<double>();
        std::vector<double> exact(3001), size(3001);
        for (int rank = 0; rank < 3; ++rank) {
            CHECK(same_bits(sums[static_cast<std::size_t>(rank)][0], sums[0][0]));
            const auto mine = drawn(rank, 0, like).to_vector<double>();
            for (std::size_t i = 0; i < mine.size(); ++i) exact[i] += mine[i], size[i] += std::abs(mine[i]);
        }
        int differing = 0;
        for (std::size_t i = 0; i < exact.size(); ++i) {
            // Rounding to 8 binary digits is off by 2^-8 at most, of each number and then of the sum of what they
            // became.
            CHECK(std::abs(first[i] - exact[i]) <= (0x1p-7 + 0x1p-16) * size[i]);
            differing += first[i] != static_cast<double>(static_cast<float>(exact[i]));
        }
        CHECK(differing > 2000);
    }
}

TEST_CASE("overlapped reduction: a loop of one's own trains on several ranks as with all_reduce") {
    const auto train = [](Communicator& ranks, bool overlapped) {
        Generator weights(1), draws(2, static_cast<std::uint64_t>(ranks.rank()));
        const Linear model(3, 2, weights);
        const Tensors trained = parameters(model);
        Sgd optimizer(trained, {.learning_rate = 0.1});
        for (int step = 0; step < 5; ++step) {
            const Tensor x = uniform({4, 3}, -1, 1, draws);
            Tape tape;
            const Tensor loss = mean(square(model(x) - 1));
            if (overlapped) {
                OverlappedReduction reduction(ranks, trained, ReduceOp::mean);
                tape.gradient(loss, trained,
                              {.take = [&](std::size_t i, Tensor g) { reduction.give(i, std::move(g)); }});
                optimizer.step(reduction.finish());
            } else {
                Tensors gradients = tape.gradient(loss, trained);
                ranks.all_reduce(gradients, ReduceOp::mean);
                optimizer.step(gradients);
            }
        }
        return Tensors{model.weight.clone(), model.bias.clone()};
    };
    const auto plain = on_ranks(2, [&](Communicator&ranks) { return train(ranks, false); }),
               overlapped = on_ranks(2, [&](Communicator&ranks) { return train(ranks, true); });
    for (const std::size_t rank : {0, 1})
        for (const std::size_t i : {0, 1}) CHECK(same_bits(plain[0][i], overlapped[rank][i]));
}
