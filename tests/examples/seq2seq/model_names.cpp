#include "seq2seq/model_names.hpp"

#include <doctest/doctest.h>

using namespace wengert::program;

TEST_CASE("a model is called by its directory") {
    for (const char* const path : {"m", "m/", "out/m", "/out/m/", "out/m/best", "out/m/latest", "out/m/best/"}) {
        CAPTURE(path);
        CHECK(model_name(path) == "m");
    }
    CHECK(model_name("out/m/checkpoint-9") == "checkpoint-9");
    CHECK(model_name("best") == "");
    CHECK(model_name("/") == "");
    CHECK(model_name("") == "");
}

TEST_CASE("models of the same name are told apart by their paths") {
    CHECK(names_of({"a/m", "a/n/best"}) == std::vector<std::string>{"m", "n"});
    CHECK(names_of({"a/m", "b/m"}) == std::vector<std::string>{"a/m", "b/m"});
    CHECK(names_of({"a/m", "best"}) == std::vector<std::string>{"a/m", "best"});
}
