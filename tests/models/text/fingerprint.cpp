#include <doctest/doctest.h>

#include <wengert/models/text/fingerprint.hpp>

using namespace wengert;

TEST_CASE("a fingerprint is FNV-1a without its last bit") {
    // The published values are cbf29ce484222325 of nothing, af63dc4c8601ec8c of "a" and 85944171f73967e8 of "foobar".
    CHECK(Fingerprint().value() == static_cast<std::int64_t>(0xcbf29ce484222325 >> 1));
    CHECK(Fingerprint().add("a").value() == static_cast<std::int64_t>(0xaf63dc4c8601ec8c >> 1));
    CHECK(Fingerprint().add("foo").add("bar").value() == static_cast<std::int64_t>(0x85944171f73967e8 >> 1));
    CHECK(Fingerprint().add(0x7261626f6f66).value() == Fingerprint().add(std::string_view("foobar\0\0", 8)).value());
}
