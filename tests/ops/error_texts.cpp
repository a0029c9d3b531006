// Mirrors no file: what every public function says of a bad call.
#include "ops/error_texts.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>
#include <string>
#include <wengert/ops/all_ops.hpp>
#include <wengert/ops/ops.hpp>

using namespace wengert;
using error_texts::Refusal;

namespace {

std::vector<Refusal> refusals() {
    std::vector<Refusal> all;
    for (const auto& part : {error_texts::of_reductions(), error_texts::of_products(), error_texts::of_networks(),
                             error_texts::of_arrangements()})
        std::ranges::copy(part, std::back_inserter(all));
    return all;
}

std::string_view type_of(const Error& error) {
    if (dynamic_cast<const ShapeError*>(&error) != nullptr) return "ShapeError";
    if (dynamic_cast<const DtypeError*>(&error) != nullptr) return "DtypeError";
    return dynamic_cast<const ValueError*>(&error) != nullptr ? "ValueError" : "another error";
}

/// That f throws this error, which ends with a line, and the line's file if `file` is not empty.
void check(std::string_view type, std::string_view text, std::string_view file, const std::function<void()>& f) {
    try {
        f();
        FAIL_CHECK("nothing was thrown");
    } catch (const Error& error) {
        const std::string what = error.what();
        const std::size_t place = what.rfind("\n  at ");
        CHECK(type_of(error) == type);
        REQUIRE(place != std::string::npos);
        CHECK(what.substr(0, place) == text);
        CHECK(what.find(file, place) != std::string::npos);
    }
}

}  // namespace

TEST_CASE("error texts: what a function says of a bad call, at the caller's line") {
    for (const Refusal& refusal : refusals()) {
        CAPTURE(refusal.code);
        check(refusal.type, refusal.text, "ops/error_texts_", refusal.call);
    }
}

TEST_CASE("error texts: what functions of elements say") {
    const Tensor x = ones({2}), none, half = ones({2}, Dtype::float16);
    for (const FunctionEntry& f : all_functions()) {
        CAPTURE(f.name);
        const auto refuses = [&](std::string_view type, std::string_view text, const Tensor& a, const Tensor& b) {
            check(type, fmt::format("{}: {}", f.name, text), "", [&] { f.apply(a, b); });
        };
        refuses("ValueError", "operand 0 is an undefined tensor", none, x);
        refuses("DtypeError", "an operand is float16, which is stored only: cast() it first", half, x);
        if (f.operands == 1) continue;
        refuses("ValueError", "operand 1 is an undefined tensor", x, none);
        refuses("ShapeError", "shapes do not broadcast: [2] and [3] (2 != 3)", x, ones({3}));
    }
}

TEST_CASE("error texts: no public function is missing") {
    std::set<std::string_view> met, known;
    for (const FunctionEntry& f : all_functions()) met.insert(f.name);
    for (const Refusal& refusal : refusals()) met.insert(refusal.function());
    for (const OpFamily& family : op_families())
        for (const auto* entries : {&family.ops, &family.composed})
            for (const OpEntry& entry : *entries) {
                known.insert(entry.name);
                for (const std::string_view name : called_functions(entry.doc)) {
                    known.insert(name);
                    CHECK_MESSAGE(met.contains(name), name);
                }
            }
    for (const std::string_view name : met) CHECK_MESSAGE(known.contains(name), name);
}
