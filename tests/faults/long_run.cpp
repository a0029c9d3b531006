// Mirrors no file: it trains for long and looks at what memory that takes.

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/models/seq2seq/training/trainer.hpp>

#include "models/seq2seq/small_translator.hpp"

using namespace wengert;

namespace {

/// Of the process, in bytes; of Linux.
double resident_bytes() {
    std::ifstream file("/proc/self/statm");
    double pages = 0, resident = 0;
    file >> pages >> resident;
    return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

/// WENGERT_LONG_RUN_STEPS in the environment, or a few.
std::int64_t step_count() {
    const char* const text = std::getenv("WENGERT_LONG_RUN_STEPS");
    return text == nullptr ? 3000 : std::atoll(text);
}

}  // namespace

TEST_CASE("memory: a long training of sentences of several lengths takes no more than its first steps") {
    const std::int64_t first = 1000, last = step_count();
    REQUIRE(last > first);
    const Corpus corpus = small_corpus();
    Translator translator = small_translator({.embedding = 64, .hidden = 128, .layers = 1, .dropout = 0.2});
    Trainer trainer(translator, corpus, {.batch = 2, .epochs = 0, .max_steps = last});
    for (std::int64_t i = 0; i < first; ++i) trainer.step();
    const std::int64_t allocations = allocator_statistics().system_allocations;
    const double resident = resident_bytes();
    REQUIRE(resident > 0);
    for (std::int64_t i = first; i < last; ++i) trainer.step();
    MESSAGE("resident after ", first, " steps ", resident / 1e6, " MB, after ", last, " steps ", resident_bytes() / 1e6,
            " MB");
    CHECK(resident_bytes() <= 1.01 * resident);
    CHECK(allocator_statistics().system_allocations == allocations);
}
