#include <doctest/doctest.h>
#include <omp.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <wengert/autograd/tape/tape.hpp>

#include "autograd/tiny_ops.hpp"

using namespace tiny;

TEST_CASE("recording scope: a pause may end after its tape, and a tape after its enclosing one") {
    const Tensor x = vector({3});
    std::optional<Tape> tape(std::in_place);
    {
        const Pause pause;
        tape.reset();
        mul(x, x);
    }
    CHECK(Recording::current() == nullptr);
    CHECK_FALSE(Recording::is_in_scope());

    std::optional<Tape> outer(std::in_place), inner(std::in_place);
    outer->watch(x);
    outer.reset();
    CHECK(inner->gradient(mul(x, x), x).item() == 6);
    inner.reset();
    CHECK(Recording::current() == nullptr);

    std::optional<Pause> pause(std::in_place);
    tape.emplace();
    pause.reset();
    tape->watch(x);
    CHECK(tape->gradient(mul(x, x), x).item() == 6);
    tape.reset();
    CHECK_FALSE(Recording::is_in_scope());
}

TEST_CASE("recording scope: a tape may end in another thread") {
    const Tensor x = vector({3});
    auto tape = std::make_unique<Tape>();
    tape->watch(x);
    const Tensor y = mul(x, x);
    std::thread([&] { tape.reset(); }).join();
    mul(y, y);  // its thread has not found out, and appends to a list that nobody will ask
    {
        Tape next;
        next.watch(x);
        CHECK(next.size() == 1);
        CHECK(next.gradient(mul(x, x), x).item() == 6);
    }
    CHECK_FALSE(Recording::is_in_scope());
    std::thread([&] { tape = std::make_unique<Tape>(); }).join();
    tape.reset();  // after its thread
}

TEST_CASE("recording scope: a recorded tensor in a thread without a tape is an error while its tape lives") {
    const Tensor x = vector({1, 2});
    Tensor y;
    std::string with_tape, with_pause, after;
    const auto use = [&](std::string& text) {
        try {
            mul(x, y);
            text = "no error";
        } catch (const TapeError& error) {
            text = error.what();
        }
    };
    {
        Tape tape;
        tape.watch(x);
        y = mul(x, x);
        std::thread([&] { use(with_tape); }).join();
        std::thread([&] {
            const Pause pause;
            use(with_pause);
        }).join();
    }
    std::thread([&] { use(after); }).join();
    CHECK(
        with_tape.starts_with("mul: an operand [2] was recorded by a tape of another thread, which cannot follow what "
                              "this thread computes; pass stop_gradient(x) to use its value"));
    CHECK(with_pause == "no error");
    CHECK(after == "no error");
}

TEST_CASE("recording scope: an op in a program's OpenMP region is an error while a tape lives around it") {
    const Tensor x = vector({1, 2});
    Tensor w = vector({3, 4});
    w.set_parameter();
    const auto texts = [&](bool has_pause) {
        std::array<std::string, 2> result;
#pragma omp parallel num_threads(2)
        {
            const auto thread = static_cast<std::size_t>(omp_get_thread_num());
            try {
                const std::optional<Pause> pause = has_pause ? std::optional<Pause>(std::in_place) : std::nullopt;
                mul(w, x);
                result[thread] = "computed";
            } catch (const TapeError& error) {
                result[thread] = error.what();
            }
        }
        return result;
    };
    CHECK(texts(false) == std::array<std::string, 2>{"computed", "computed"});
    {
        const Tape tape;
        const auto with_tape = texts(false);
        CHECK(with_tape[0] == "computed");
        CHECK(
            with_tape[1].starts_with("mul: an op runs in an OpenMP region while a tape lives, which follows its own "
                                     "thread alone; open a Tape in each thread"));
        CHECK(texts(true)[1] == "computed");
    }
    CHECK(texts(false)[1] == "computed");
}

TEST_CASE("recording scope: a tape belongs to the thread that made it") {
    const Tensor x = vector({2});
    Tape tape;
    tape.watch(x);
    const Tensor y = mul(x, x);
    std::string gradient, watch, find, op;
    const auto text = [](auto f) -> std::string {
        try {
            f();
        } catch (const TapeError& error) {
            return error.what();
        }
        return "no error";
    };
    std::thread([&] {
        gradient = text([&] { tape.gradient(y, x); });
        watch = text([&] { tape.watch(x); });
        find = text([&] { tape.find(y); });
        Tape own;
        own.watch(x);
        op = text([&] { mul(x, y); });
    }).join();
    CHECK(gradient == "gradient: a tape was used by a thread that did not make it" + at_line(-7));
    CHECK(watch == "watch: a tape was used by a thread that did not make it" + at_line(-7));
    CHECK(find == "find: a tape was used by a thread that did not make it" + at_line(-7));
    CHECK(op.starts_with("mul: an operand [1] was recorded on a tape that belongs to another thread; "));
    CHECK(tape.gradient(y, x).item() == 4);
}
