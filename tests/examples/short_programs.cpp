// Mirrors no file: what holds of each short program.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "workplace.hpp"

using namespace wengert;

namespace {

/// The number that stands behind the last occurrence of these words.
double figure_after(const std::string& text, const std::string& words) {
    CAPTURE(text);
    CAPTURE(words);
    const std::size_t at = text.rfind(words);
    REQUIRE(at != text.npos);
    return std::strtod(text.c_str() + at + words.size(), nullptr);
}

/// What the program prints; the picture that has its name must be there.
std::string run_example(const std::string& name, const std::string& arguments = {}) {
    const Workplace here;
    const std::filesystem::path program = std::filesystem::path(WENGERT_SEQ2SEQ).replace_filename(name);
    const Outcome run = here.shell("'" + program.string() + "' " + arguments);
    CAPTURE(name);
    CAPTURE(run.error);
    REQUIRE(run.code == 0);
    CHECK(run.error.empty());
    const std::string picture = content_of(here.path() / (name + ".svg"));
    CHECK(picture.find("<svg ") != picture.npos);
    CHECK(picture.ends_with("</svg>\n"));
    return run.out;
}

}  // namespace

TEST_CASE("first_gradient and own_op print what is right, and draw a tape") {
    CHECK(run_example("first_gradient").find("dy/dx = [1.18159, -1.42316, 1.19472]") != std::string::npos);
    const std::string out = run_example("own_op");
    CHECK(out.find("swish: passed") != out.npos);
    CHECK(out.find("running_sum: passed") != out.npos);
    CHECK(out.find("[1, 3, 6, 10]") != out.npos);
}

TEST_CASE("a picture that cannot be written is a sentence") {
    for (const std::string name : {"first_gradient", "own_op", "newton"}) {
        const Workplace here;
        const std::filesystem::path program = std::filesystem::path(WENGERT_SEQ2SEQ).replace_filename(name);
        std::filesystem::create_directory(here.path() / (name + ".svg"));
        const Outcome run = here.shell("'" + program.string() + "'");
        CAPTURE(run.error);
        CHECK(run.code == 1);
        CHECK(run.error.starts_with(name + ": " + name + ".svg: cannot be replaced"));
    }
}

TEST_CASE("own_model: the GRU learns what follows") {
    // A constant of 0 has 0.5.
    CHECK(figure_after(run_example("own_model"), "loss ") < 0.01);
}

TEST_CASE("spirals: the perceptron parts new points") {
    // Guessing has 0.5.
    CHECK(figure_after(run_example("spirals", "--steps 500"), "has not seen: ") > 0.85);
}

TEST_CASE("regression: the band holds what it should of new points") {
    const double inside = figure_after(run_example("regression", "--steps 500"), "should be 95 %: ");
    CHECK(inside > 91);
    CHECK(inside < 98);
}

TEST_CASE("oscillator: the network is near the solution") {
    // A function of 0 is off by 1.
    CHECK(figure_after(run_example("oscillator", "--steps 20"), "largest error: ") < 0.02);
}

TEST_CASE("captions: the words are those of the picture") {
    // Guessing has 1 in 32 right.
    CHECK(figure_after(run_example("captions", "--steps 350"), "described rightly: ") > 0.4);
}

TEST_CASE("char_lm: each cell learns more than how frequent the characters are") {
    // That alone takes more than 4 bits.
    for (const std::string cell : {"gru", "lstm"}) {
        const std::string out = run_example("char_lm", "--steps 50 --cell " + cell);
        CHECK(figure_after(out, "bits a character of held-out text: ") < 3.5);
    }
}

TEST_CASE("adding: the LSTM is better than the best constant") {
    // Its squared error is 0.167.
    CHECK(figure_after(run_example("adding", "--length 6 --steps 300"), "squared error of new sequences: ") < 0.08);
}

TEST_CASE("transformer_block: the block reverses") {
    // Of ten to the sixth sequences guessing has one right.
    CHECK(figure_after(run_example("transformer_block", "--length 6 --steps 80"), "without a fault: ") > 0.8);
}

TEST_CASE("newton: both ways end with a gradient of rounding, after steps of second order") {
    const std::string out = run_example("newton");
    const std::size_t second = out.find("Newton: hvp()"), third = out.find("gradient descent");
    REQUIRE(third != out.npos);
    for (const std::string& part : {out.substr(0, second), out.substr(second, third - second)}) {
        CAPTURE(part);
        const std::vector<std::string> rows = lines(part);
        double least = 1, order = 0;
        for (const std::string& row : rows) {
            double step, loss, gradient, found = 0;
            if (std::sscanf(row.c_str(), "%lf %lf %lf %lf", &step, &loss, &gradient, &found) < 3) continue;
            least = std::min(least, gradient);
            order = std::max(order, found);
        }
        CHECK(least < 1e-11);
        CHECK(order > 1.8);
    }
}

TEST_CASE("digits: the network reads new digits") {
    // Guessing has 0.1.
    CHECK(figure_after(run_example("digits", "--steps 100 --noise 0.1"), "digits read rightly: ") > 0.7);
}
