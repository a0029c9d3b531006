#include <doctest/doctest.h>

#include <cmath>
#include <wengert/autograd/check/internal/diagnosis.hpp>

using namespace wengert;

namespace {

/// Of a function with the slope 1 at 0, and with a step of 1e-3 to the left and to the right of it at a distance.
Diagnosis beside_steps(double distance, double analytic) {
    const auto along = [distance](double t) { return t + (std::abs(t) > distance ? std::copysign(1e-3, t) : 0.0); };
    return diagnose(along, analytic, 1e-3, 1e-16);
}

}  // namespace

TEST_CASE("diagnosis: a slope that only the shortest steps see is right, though the error has risen before it fell") {
    const Diagnosis right = beside_steps(1e-7, 1);
    CHECK(right.verdict == GradcheckVerdict::kink);
    CHECK(right.why.starts_with("the error falls with the step, to "));
}

TEST_CASE("diagnosis: a slope that is wrong by a hundredth is a wrong rule, though the values jump further away") {
    CHECK(beside_steps(1e-2, 1.01).verdict == GradcheckVerdict::wrong_rule);
}
