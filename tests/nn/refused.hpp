#pragma once

#include <doctest/doctest.h>

#include <source_location>
#include <string>
#include <wengert/autograd/tensor/error.hpp>

/// f, which stands in the lines of this call, throws an E whose text begins with `text` and ends with the place of f.
template <class E, class F>
void check_refused(const std::string& text, const F& f, std::source_location here = std::source_location::current()) {
    CAPTURE(text);
    try {
        f();
        FAIL_CHECK("nothing was thrown");
    } catch (const E& error) {
        const std::string what = error.what();
        CHECK_MESSAGE(what.starts_with(text + "\n"), what);
        const std::string file = wengert::to_string(wengert::SourceLine(here));
        const std::size_t place = what.rfind("\n  at "), number = what.rfind(':') + 1;
        REQUIRE(place != std::string::npos);
        CHECK(what.substr(place + 6, number - place - 6) == file.substr(0, file.rfind(':') + 1));
        const unsigned long line = std::stoul(what.substr(number));
        CHECK(line >= here.line());
        CHECK(line <= here.line() + 4);
    }
}
