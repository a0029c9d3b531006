#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>
#include <wengert/nn/minibatches.hpp>
#include <wengert/nn/streams.hpp>

#include "refused.hpp"

using namespace wengert;

namespace {

using Indices = std::vector<std::int64_t>;

Indices indices(const Tensor& batch) { return batch.to_vector<std::int64_t>(); }

/// The batches that are left of an epoch.
std::vector<Indices> rest_of_epoch(Minibatches& batches) {
    std::vector<Indices> result;
    for (const Tensor& batch : batches) result.push_back(indices(batch));
    return result;
}

Indices joined(const std::vector<Indices>& batches) {
    Indices all;
    for (const Indices& batch : batches) all.insert(all.end(), batch.begin(), batch.end());
    return all;
}

}  // namespace

TEST_CASE("minibatches: in order, with the last batch and without") {
    Minibatches all(7, Generator(), {.batch_size = 3, .is_shuffled = false});
    CHECK(all.batch_count() == 3);
    CHECK(rest_of_epoch(all) == std::vector<Indices>{{0, 1, 2}, {3, 4, 5}, {6}});
    CHECK(all.epoch() == 1);
    CHECK(rest_of_epoch(all).size() == 3);
    CHECK(all.epoch() == 2);
    Minibatches full(7, Generator(), {.batch_size = 3, .is_shuffled = false, .drop_last = true});
    CHECK(full.batch_count() == 2);
    CHECK(rest_of_epoch(full) == std::vector<Indices>{{0, 1, 2}, {3, 4, 5}});
    Minibatches even(6, Generator(), {.batch_size = 3, .drop_last = true});
    CHECK(even.batch_count() == 2);
    Minibatches one(2);
    CHECK(rest_of_epoch(one).size() == 1);
}

TEST_CASE("minibatches: an epoch has each example once, in an order of its own that follows from the seed") {
    const MinibatchOptions options{.batch_size = 4};
    Minibatches a(50, Generator(5, streams::batches), options), b(50, Generator(5, streams::batches), options),
        c(50, Generator(6, streams::batches), options);
    Indices before;
    for (int epoch = 0; epoch < 3; ++epoch) {
        const Indices order = joined(rest_of_epoch(a));
        CHECK(joined(rest_of_epoch(b)) == order);
        CHECK(joined(rest_of_epoch(c)) != order);
        CHECK(order != before);
        before = order;
        Indices sorted = order;
        std::ranges::sort(sorted);
        REQUIRE(sorted.size() == 50);
        for (std::int64_t i = 0; i < 50; ++i) CHECK(sorted[static_cast<std::size_t>(i)] == i);
    }
}

TEST_CASE("minibatches: a loop that is left goes on with the next batch") {
    Minibatches whole(10, Generator(1), {.batch_size = 3}), parts(10, Generator(1), {.batch_size = 3});
    const std::vector<Indices> all = rest_of_epoch(whole);
    std::vector<Indices> seen;
    for (const Tensor& batch : parts) {
        seen.push_back(indices(batch));
        if (seen.size() == 2) break;
    }
    for (const Indices& batch : rest_of_epoch(parts)) seen.push_back(batch);
    CHECK(seen == all);
    CHECK(parts.epoch() == 1);
}

TEST_CASE("minibatches: another range goes on from a state, wherever it was taken") {
    const MinibatchOptions options{.batch_size = 3};
    // The seed has its first bit, which is no sign.
    const Generator generator(~std::uint64_t{6}, 2);
    for (int taken = 0; taken <= 9; ++taken) {
        CAPTURE(taken);
        Minibatches batches(10, generator, options), other(10, Generator(), options);
        for (int i = 0; i < taken; ++i) batches.next();
        other.next();
        other.load_state(batches.state());
        CHECK(other.epoch() == batches.epoch());
        for (int i = 0; i < 12; ++i) {
            const Tensor a = batches.next(), b = other.next();
            REQUIRE(a.defined() == b.defined());
            if (a.defined()) CHECK(indices(a) == indices(b));
        }
    }
}

TEST_CASE("minibatches: what is refused") {
    CHECK_THROWS_WITH_AS(Minibatches(0), "0 examples are no batch", ValueError);
    CHECK_THROWS_WITH_AS(Minibatches(3, Generator(), {.batch_size = 0}), "the batch size is 0, not 1 or more",
                         ValueError);
    CHECK_THROWS_WITH_AS(Minibatches(3, Generator(), {.batch_size = 4, .drop_last = true}),
                         "3 examples are fewer than a batch of 4, and the last is dropped", ValueError);
    Minibatches batches(10, Generator(3), {.batch_size = 5});
    const auto changed = [&](std::size_t which, std::int64_t value) {
        NamedTensors state = batches.state();
        state[which].second.fill(static_cast<double>(value));
        return state;
    };
    check_refused<ValueError>("load_state: the number of epochs is -1", [&] { batches.load_state(changed(3, -1)); });
    check_refused<ValueError>("load_state: batch 3 is outside an epoch of 2 batches",
                              [&] { batches.load_state(changed(4, 3)); });
    check_refused<ValueError>("load_state: batch -1 is outside an epoch of 2 batches",
                              [&] { batches.load_state(changed(4, -1)); });
    NamedTensors few = batches.state();
    few.pop_back();
    check_refused<ValueError>("load_state: the tensors are not those that are needed; missing: batch []",
                              [&] { batches.load_state(few); });
    CHECK(batches.epoch() == 0);
    CHECK(rest_of_epoch(batches).size() == 2);
}
