#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/text/batches.hpp>

#include "words.hpp"

using namespace wengert;

namespace {

using Ids = std::vector<std::int64_t>;
using Order = std::vector<std::vector<std::size_t>>;

/// Pairs of 1 to 20 tokens a side.
Corpus random_corpus(std::size_t size) {
    std::mt19937 engine(5);
    Corpus corpus;
    for (std::size_t i = 0; i < size; ++i) {
        corpus.source.emplace_back(1 + engine() % 20, "a");
        corpus.target.emplace_back(1 + engine() % 20, "b");
    }
    return corpus;
}

Batches batches_of(const Corpus& corpus, const BatchOptions& options) {
    return {corpus, Vocabulary::build(corpus.source), Vocabulary::build(corpus.target), options};
}

std::vector<std::size_t> flat(const Order& order) {
    std::vector<std::size_t> result;
    for (const auto& batch : order) result.insert(result.end(), batch.begin(), batch.end());
    return result;
}

}  // namespace

TEST_CASE("a source ends with </s>, a target also starts with <s>, and padding is 0") {
    Corpus corpus;
    corpus.source = {words("a b c"), words("b")};
    corpus.target = {words("x"), words("y x")};
    const Vocabulary source = Vocabulary::build(corpus.source), target = Vocabulary::build(corpus.target);
    REQUIRE(source.encode(words("b a c")) == Ids{4, 5, 6});
    REQUIRE(target.encode(words("x y")) == Ids{4, 5});
    const Batch batch = Batches(corpus, source, target).assemble(std::vector<std::size_t>{0, 1});
    CHECK(batch.size == 2);
    CHECK(batch.source_length == 4);
    CHECK(batch.source == Ids{5, 4, 6, 2, /**/ 4, 2, 0, 0});
    CHECK(batch.source_lengths == Ids{4, 2});
    CHECK(batch.target_length == 4);
    CHECK(batch.target == Ids{1, 4, 2, 0, /**/ 1, 5, 4, 2});
    CHECK(batch.target_lengths == Ids{3, 4});
}

TEST_CASE("the fingerprint of a corpus is that of its sentences and their order") {
    const Corpus corpus = random_corpus(20);
    const std::int64_t whole = batches_of(corpus, {.batch_size = 4}).fingerprint();
    CHECK(whole == batches_of(corpus, {.batch_size = 16, .seed = 7}).fingerprint());
    CHECK(whole >= 0);
    Corpus swapped = corpus;
    std::swap(swapped.source[0], swapped.source[1]);
    CHECK(batches_of(swapped, {}).fingerprint() != whole);
    Corpus moved = corpus;  // a token goes from one sentence to the next
    moved.target[1].insert(moved.target[1].begin(), moved.target[0].back());
    moved.target[0].pop_back();
    CHECK(batches_of(moved, {}).fingerprint() != whole);
}

TEST_CASE("every pair occurs exactly once in an epoch") {
    for (const std::size_t pairs : {1u, 63u, 64u, 65u, 1000u}) {
        for (const std::int64_t pool : {std::int64_t{1}, std::int64_t{4}, std::int64_t{1} << 62}) {
            const Batches batches = batches_of(random_corpus(pairs), {.batch_size = 16, .pool = pool});
            const Order order = batches.epoch(0);
            CHECK(order.size() == batches.size());
            CHECK(order.size() == (pairs + 15) / 16);
            CHECK(std::ranges::count_if(order, [](const auto& batch) { return batch.size() != 16; }) <= 1);
            std::vector<std::size_t> seen = flat(order), expected(pairs);
            std::ranges::sort(seen);
            std::iota(expected.begin(), expected.end(), std::size_t{0});
            CHECK(seen == expected);
        }
    }
}

TEST_CASE("the order follows from seed and epoch") {
    const Corpus corpus = random_corpus(300);
    const Batches batches = batches_of(corpus, {.batch_size = 16, .seed = 3});
    const Order first = batches.epoch(0);
    CHECK(batches_of(corpus, {.batch_size = 16, .seed = 3}).epoch(0) == first);
    CHECK(batches.epoch(1) != first);
    CHECK(batches.epoch(std::uint64_t{1} << 32) != first);
    CHECK(batches_of(corpus, {.batch_size = 16, .seed = 4}).epoch(0) != first);
    CHECK(batches_of(corpus, {.batch_size = 16, .seed = 3 + (std::uint64_t{1} << 32)}).epoch(0) != first);
}

TEST_CASE("the order is the same on every platform") {
    // Written down from the definition of Philox4x32-10, not from a run of this code.
    Corpus corpus;
    corpus.source = corpus.target = std::vector<Sentence>(8, words("a"));
    const Batches batches = batches_of(corpus, {.batch_size = 4, .seed = 1});
    CHECK(batches.epoch(0) == Order{{1, 7, 6, 3}, {5, 2, 0, 4}});
    CHECK(batches.epoch(1) == Order{{7, 1, 3, 0}, {6, 5, 4, 2}});
}

TEST_CASE("pairs of equal lengths are not kept together from epoch to epoch") {
    Corpus corpus;
    corpus.source = corpus.target = std::vector<Sentence>(256, words("a"));
    const Batches batches = batches_of(corpus, {.batch_size = 16});
    Order one = batches.epoch(1), two = batches.epoch(2);
    for (Order* order : {&one, &two}) {
        for (auto& batch : *order) std::ranges::sort(batch);
        std::ranges::sort(*order);
    }
    CHECK(one != two);
}

TEST_CASE("sentences of similar length meet, and batches do not come in order of length") {
    const Corpus corpus = random_corpus(2000);
    const auto fill = [&](std::int64_t pool) {
        const Batches batches = batches_of(corpus, {.batch_size = 20, .pool = pool});
        std::int64_t real = 0, cells = 0;
        std::vector<std::int64_t> lengths;
        for (const auto& pairs : batches.epoch(0)) {
            const Batch batch = batches.assemble(pairs);
            real += std::reduce(batch.source_lengths.begin(), batch.source_lengths.end());
            real += std::reduce(batch.target_lengths.begin(), batch.target_lengths.end());
            cells += batch.size * (batch.source_length + batch.target_length);
            lengths.push_back(std::max(batch.source_length, batch.target_length));
        }
        CHECK_FALSE(std::ranges::is_sorted(lengths));
        return static_cast<double>(real) / static_cast<double>(cells);
    };
    // The lengths of the two sides are independent here, which leaves more padding than in translations.
    const double unsorted = fill(1), sorted = fill(100);
    CHECK(unsorted < 0.6);
    CHECK(sorted > 0.8);
}

TEST_CASE("a batch holds as many tokens as are asked for, and an epoch always the same number of batches") {
    const Corpus corpus = random_corpus(1000);
    constexpr std::int64_t budget = 200;
    const Batches batches = batches_of(corpus, {.batch_tokens = budget});
    std::int64_t padded = 0, tokens = 0;
    for (const std::uint64_t number : {1u, 2u, 3u}) {
        const Order order = batches.epoch(number);
        CHECK(order.size() == batches.size());
        std::vector<std::size_t> all = flat(order);
        std::ranges::sort(all);
        CHECK(std::ranges::adjacent_find(all) == all.end());
        CHECK(all.size() == 1000);
        for (const auto& pairs : order) {
            const Batch batch = batches.assemble(pairs);
            CHECK(batch.size * std::max(batch.source_length, batch.target_length) <= budget);
            padded += batch.size * std::max(batch.source_length, batch.target_length);
            for (std::size_t i = 0; i < pairs.size(); ++i)
                tokens += std::max(batch.source_lengths[i], batch.target_lengths[i]);
        }
    }
    CHECK(tokens > 0.98 * static_cast<double>(padded));
    CHECK(3 * std::ssize(batches.epoch(1)) * budget < 1.15 * static_cast<double>(padded));
    CHECK(batches.epoch(1) != batches.epoch(2));
    // Pairs that are longer than that come one by one.
    CHECK(batches_of(corpus, {.batch_tokens = 1}).size() == 1000);
}

TEST_CASE("collate serves sentences without a target") {
    const std::vector<Ids> sources = {{4, 2}, {4, 5, 2}};
    const Batch batch = collate(sources);
    CHECK(batch.source == Ids{4, 2, 0, 4, 5, 2});
    CHECK(batch.target_length == 0);
    CHECK(batch.target.empty());
    CHECK(batch.target_lengths.empty());
}

TEST_CASE("what cannot be batched is refused") {
    const Corpus corpus = random_corpus(4);
    CHECK_THROWS_WITH_AS(collate({}), "batch: no sentence", ValueError);
    CHECK_THROWS_WITH_AS(collate(std::vector<Ids>{{2}, {}}), "batch: a sentence has no ids", ValueError);
    CHECK_THROWS_WITH_AS(collate(std::vector<Ids>{{2}, {2}}, std::vector<Ids>{{2}}), "batch: 2 sources, but 1 targets",
                         ValueError);
    CHECK_THROWS_WITH_AS(batches_of(corpus, {}).assemble(std::vector<std::size_t>{4}), "batch: pair 4 of a corpus of 4",
                         ValueError);
    CHECK_THROWS_WITH_AS(batches_of(corpus, {.batch_size = 0}),
                         "batches: batch_size is 0 and pool 64, but must be 1 or more", ValueError);
    CHECK_THROWS_WITH_AS(batches_of(corpus, {.batch_tokens = -1}), "batches: batch_tokens is -1, but must be 0 or more",
                         ValueError);
    const Vocabulary vocabulary = Vocabulary::build(corpus.source);
    CHECK_THROWS_WITH_AS(Batches(Corpus{}, vocabulary, vocabulary), "batches: the corpus is empty", ValueError);
}
