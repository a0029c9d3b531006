// Mirrors no file: how exact the functions of the families' lists are.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <numbers>
#include <string>

#include "ops/elementwise/ulp_errors.hpp"

namespace ulp_errors {
namespace {

const FunctionEntry& function_called(std::string_view name) {
    return *std::ranges::find(all_functions(), name, &FunctionEntry::name);
}

void check_held(const FunctionEntry& f, std::string_view what, const Errors& errors, const Bound& bound) {
    CHECK_MESSAGE(errors.held.ulps <= bound.ulps, f.name << "(" << errors.held.x << "), " << what << ": "
                                                         << errors.held.got << ", not " << errors.held.exact << " ("
                                                         << errors.held.ulps << " ulp)");
}
void check_held(const FunctionEntry& f, std::string_view dtype, const FunctionErrors& errors) {
    check_held(f, std::string("the value in ") + std::string(dtype), errors.values, value_bound(f.accuracy));
    check_held(f, std::string("the derivative in ") + std::string(dtype), errors.slopes, slope_bound(f.accuracy));
}

}  // namespace

TEST_CASE("accuracy: every function of one operand is as exact as it says") {
    for (const FunctionEntry& f : all_functions()) {
        if (!is_measured(f)) continue;
        check_held(f, "float32", over_float32(f, 42'953));
        check_held(f, "float64", over_float64(f, 100'000));
    }
}

TEST_CASE("accuracy: what is measured is what is wrong") {
    FunctionEntry wrong = function_called("sin");
    wrong.exact = [](long double x, long double) { return std::sin(x) + 1; };
    const FunctionErrors errors = over_float64(wrong, 1000);
    CHECK(errors.values.held.ulps > 1e10);
    CHECK(errors.slopes.held.ulps < 16);
    FunctionEntry bounded = function_called("gelu");
    CHECK(over_float64(bounded, 10'000).slopes.held.ulps < 16);
    bounded.accuracy.slope_root = {0, 0};
    CHECK(over_float64(bounded, 10'000).slopes.held.ulps > 16);
    const std::vector<float> far{-12};
    CHECK(measure<float>(bounded, far).values.held.ulps == 0);
    CHECK(measure<float>(bounded, far).values.beyond.ulps > 16);
}

TEST_CASE("accuracy: units of the last place") {
    const Limits single(Dtype::float32), wide(Dtype::float64);
    const auto epsilon = std::numeric_limits<double>::epsilon();
    CHECK(distance(1 + epsilon, 1, wide) == 1);
    CHECK(distance(1 - epsilon, 1, wide) == 1);
    CHECK(distance(4, 4 + static_cast<long double>(epsilon), wide) == 0.25);
    CHECK(distance(epsilon, 2 * epsilon, wide, 1) == 1);
    CHECK(distance(std::numbers::pi, std::numbers::pi_v<long double>, wide) < 0.5);
    const double infinity = std::numeric_limits<double>::infinity();
    const auto largest = static_cast<double>(std::numeric_limits<float>::max());
    CHECK(distance(infinity, largest, single) == 1);
    CHECK(distance(largest, 1e300L, single) == 1);
    CHECK(distance(infinity, 1e300L, single) == 0);
    CHECK(distance(-infinity, infinity, single) > 1e7);
    CHECK(distance(std::nan(""), std::nanl(""), wide) == 0);
    CHECK(distance(std::nan(""), 1, wide) == infinity);
    CHECK(distance(1, std::nanl(""), wide) == infinity);
    CHECK(distance(0, std::numeric_limits<float>::denorm_min(), single) == 1);
    CHECK(Bound{1, 2}.may_lose(0, 1.9L * std::numeric_limits<float>::min(), single));
    CHECK_FALSE(Bound{1, 2}.may_lose(0, 2.1L * std::numeric_limits<float>::min(), single));
    CHECK_FALSE(Bound{1, 2}.may_lose(1, 0, single));
}

TEST_CASE("accuracy: the page in docs has every function, twice, and nothing that exceeds its bound") {
    std::ifstream file(WENGERT_DOCS "/accuracy.md");
    const std::string page{std::istreambuf_iterator<char>(file), {}};
    CHECK(page.find("exceeded") == std::string::npos);
    for (const FunctionEntry& f : all_functions()) {
        if (!is_measured(f)) continue;
        const std::string row = "\n| `" + std::string(f.name) + "` |";
        const std::size_t first = page.find(row);
        CHECK_MESSAGE(first != std::string::npos, f.name);
        CHECK_MESSAGE((first != std::string::npos && page.find(row, first + 1) != std::string::npos), f.name);
    }
}

}  // namespace ulp_errors
