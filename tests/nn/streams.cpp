#include <doctest/doctest.h>

#include <set>
#include <wengert/nn/streams.hpp>
#include <wengert/ops/random/random.hpp>

using namespace wengert;

TEST_CASE("streams: what a training draws from one seed has nothing in common") {
    std::set<std::uint64_t> numbers;
    for (const std::uint64_t kind : {streams::weights, streams::noise, streams::batches})
        for (const std::uint64_t part : {0, 1, 2, 1000}) {
            Generator generator(7, streams::part(kind, part));
            for (int i = 0; i < 100; ++i) numbers.insert(generator.bits());
        }
    CHECK(numbers.size() == 3 * 4 * 100);
    CHECK(Generator(7) == Generator(7, streams::weights));
    CHECK(streams::part(streams::noise, 0) == streams::noise);
}
