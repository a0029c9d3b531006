#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <wengert/autograd/tape/scope.hpp>

using namespace wengert;

TEST_CASE("scope: names nest into dotted paths and end with their blocks") {
    CHECK(to_string(current_place()) == "");
    {
        const Scope decoder("decoder");
        CHECK(to_string(current_place()) == "decoder");
        {
            const Scope cell("cell");
            CHECK(to_string(current_place()) == "decoder.cell");
        }
        const Scope attention("attention");
        CHECK(to_string(current_place()) == "decoder.attention");
    }
    CHECK(to_string(current_place()) == "");
}

TEST_CASE("scope: the innermost step is quoted") {
    const Scope scope("encoder");
    {
        const Step three(3);
        CHECK(to_string(current_place()) == "encoder, step 3");
        {
            const Scope cell("cell");
            const Step seven(7);
            CHECK(to_string(current_place()) == "encoder.cell, step 7");
        }
        CHECK(current_place().step == 3);
    }
    CHECK(current_place().step == -1);
}

TEST_CASE("scope: a step outside every scope") {
    const Step step(0);
    CHECK(to_string(current_place()) == "step 0");
}

TEST_CASE("scope: the same path is the same number") {
    const auto enter = [] {
        const Scope a("again"), b("inner");
        return current_place().scope;
    };
    const std::int32_t first = enter();
    CHECK(enter() == first);
    CHECK(scope_path(first) == "again.inner");
    CHECK(scope_path(0) == "");
}

TEST_CASE("scope: each thread has its own") {
    const Scope scope("main");
    std::string other = "not run";
    std::thread([&] { other = to_string(current_place()); }).join();
    CHECK(other == "");
    CHECK(to_string(current_place()) == "main");
}

TEST_CASE("scope: names without end do not fill the memory") {
    std::string last;
    std::thread([&] {
        const Scope server("server");
        for (int i = 0; i < 70'000; ++i) {
            const Scope request("request " + std::to_string(i));
            if (i == 69'999) last = to_string(current_place());
        }
        const Scope known("request 7");
        last += ", then " + to_string(current_place());
    }).join();
    CHECK(last == "server, then server.request 7");
}
