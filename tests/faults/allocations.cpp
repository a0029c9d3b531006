// Mirrors no file: it lets each allocation of a training step fail once, in turn. The linker passes the engine's calls
// of allocate() through here (--wrap), and the C++ library's operator new is this file's.

#include <doctest/doctest.h>

#include <cstdlib>
#include <new>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/seq2seq/training/trainer.hpp>

#include "models/seq2seq/small_translator.hpp"
#include "values.hpp"

namespace {

/// Counts the allocations of this thread; the chosen one fails.
struct Failing {
    long count = 0, at = 0;
    bool fails() { return ++count == at; }
};
thread_local Failing failing;

void* allocate_or_null(std::size_t bytes) { return failing.fails() ? nullptr : std::malloc(bytes == 0 ? 1 : bytes); }

void* allocate_or_throw(std::size_t bytes) {
    void* const memory = allocate_or_null(bytes);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

}  // namespace

void* operator new(std::size_t bytes) { return allocate_or_throw(bytes); }
void* operator new[](std::size_t bytes) { return allocate_or_throw(bytes); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return allocate_or_null(bytes); }
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept { return allocate_or_null(bytes); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

// wengert::allocate(std::size_t), as the linker knows it.
extern "C" void* __real__ZN7wengert8allocateEm(std::size_t bytes);
extern "C" void* __wrap__ZN7wengert8allocateEm(std::size_t bytes) {
    if (failing.fails()) throw std::bad_alloc();
    return __real__ZN7wengert8allocateEm(bytes);
}

using namespace wengert;

namespace {

std::vector<Values> values(const Translator& translator) {
    std::vector<Values> result;
    for (const Tensor& parameter : translator.system->parameters()) result.push_back(elements(parameter));
    return result;
}

}  // namespace

TEST_CASE("memory: a training step whose n-th allocation fails says so, loses nothing, and is done again bit for bit") {
    const Corpus corpus = small_corpus();
    const TrainingOptions options{.batch = 4, .epochs = 1000, .ema = 0.9};
    Translator translator = small_translator({.embedding = 6, .hidden = 8, .layers = 1, .dropout = 0.2}),
               undisturbed = small_translator({.embedding = 6, .hidden = 8, .layers = 1, .dropout = 0.2});
    Trainer trainer(translator, corpus, options), other(undisturbed, corpus, options);
    for (int i = 0; i < 3; ++i) trainer.step(), other.step();

    long failures = 0, of_tensors = 0;
    for (long at = 1;; ++at) {
        const std::vector<Values> before = values(translator);
        const std::int64_t live = live_bytes();
        failing = {.at = at};
        bool is_done = false;
        try {
            trainer.step();
            is_done = true;
        } catch (const OutOfMemoryError& error) {
            ++of_tensors;
            CHECK(std::string(error.what()).find("there is no memory for ") != std::string::npos);
        } catch (const std::bad_alloc&) {
        }
        failing = {};
        if (is_done) break;  // there is no such allocation
        ++failures;
        CAPTURE(at);
        REQUIRE(live_bytes() == live);
        REQUIRE(values(translator) == before);
        // Done again now and then, so that later steps begin from what a failure left.
        if (at % 16 != 0) continue;
        const double loss = trainer.step().loss;
        REQUIRE(loss == other.step().loss);
        REQUIRE(values(translator) == values(undisturbed));
    }
    MESSAGE(failures, " allocations failed in turn, ", of_tensors, " of them of tensors");
    CHECK(failures > 500);
}
