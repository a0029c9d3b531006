#include <doctest/doctest.h>

#include <array>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/seq2seq/scoring/bootstrap.hpp>

#include "score_fixture.hpp"

using namespace wengert;
using score_fixture::check_close;
using score_fixture::Lines;

namespace {

struct Systems {
    Lines baseline, system;
    std::vector<Lines> references;
};

Systems systems() {
    const auto& given = score_fixture::fixture().at("bootstrap");
    return {given.at("baseline"), given.at("system"), given.at("references")};
}

void check_result(const PairedBootstrap& result, const nlohmann::json& expected) {
    const std::array scores = {result.baseline, result.system};
    const std::array names = {"baseline", "system"};
    for (std::size_t i = 0; i < scores.size(); ++i) {
        CAPTURE(names[i]);
        const auto numbers = expected.at(names[i]).get<std::vector<double>>();
        check_close(scores[i].score, numbers.at(0));
        check_close(scores[i].mean, numbers.at(1));
        check_close(scores[i].interval, numbers.at(2));
    }
    check_close(result.p_value, expected.at("p_value"));
    const auto printed = expected.at("printed").get<Lines>();
    CHECK(to_string(result) == printed.at(0) + "\n" + printed.at(1));
}

}  // namespace

TEST_CASE("paired_bootstrap on sacrebleu's samples has its results") {
    const auto& given = score_fixture::fixture().at("bootstrap");
    const auto samples = given.at("samples").get<Resamples>();
    const auto [baseline, system, references] = systems();
    check_result(paired_bootstrap(baseline, system, references, samples), given.at("bleu"));
    check_result(paired_bootstrap(baseline, system, references, samples, ChrfOptions{.word_order = 2}),
                 given.at("chrf"));
}

TEST_CASE("paired_bootstrap scores a sample as a corpus of its lines") {
    const auto [baseline, system, references] = systems();
    const Resamples samples = {{3, 3, 0, 7, 11}, {1, 2, 4}};
    std::array<double, 2> means{};
    for (const auto& sample : samples) {
        std::array<Lines, 3> lines;
        for (const std::size_t line : sample) {
            lines[0].push_back(baseline[line]);
            lines[1].push_back(system[line]);
            lines[2].push_back(references[0][line]);
        }
        for (std::size_t i = 0; i < 2; ++i) means[i] += corpus_bleu(lines[i], std::vector<Lines>{lines[2]}).score / 2;
    }
    const PairedBootstrap result = paired_bootstrap(baseline, system, references, samples);
    check_close(result.baseline.mean, means[0]);
    check_close(result.system.mean, means[1]);
}

TEST_CASE("our own samples lead to what sacrebleu's numpy leads to, within chance") {
    const auto [baseline, system, references] = systems();
    Generator generator(7);
    const Resamples samples = resample_lines(baseline.size(), generator, 4000);
    const PairedBootstrap result = paired_bootstrap(baseline, system, references, samples);
    const auto& expected = score_fixture::fixture().at("bootstrap").at("bleu");
    // An interval of 95 % is four deviations wide; the mean of 85 samples strays by a ninth of one.
    check_close(result.baseline.mean, expected.at("baseline").at(1), 4 * result.baseline.interval / 2 / 9);
    check_close(result.system.mean, expected.at("system").at(1), 4 * result.system.interval / 2 / 9);
    CHECK(result.p_value < 0.1);
}

TEST_CASE("a system is not better than itself") {
    const auto [baseline, system, references] = systems();
    Generator generator(1);
    const Resamples samples = resample_lines(baseline.size(), generator, 50);
    const PairedBootstrap result = paired_bootstrap(system, system, references, samples);
    CHECK(result.p_value == 1.0 / 51);  // as in sacrebleu: no difference of a sample is above the mean one
    CHECK(result.baseline.mean == result.system.mean);
}

TEST_CASE("resample_lines draws every line equally often") {
    Generator generator(3), same(3);
    const Resamples samples = resample_lines(5, generator, 2000);
    CHECK(samples == resample_lines(5, same, 2000));
    CHECK(samples.size() == 2000);
    std::array<int, 5> drawn{};
    for (const auto& sample : samples) {
        CHECK(sample.size() == 5);
        for (const std::size_t line : sample) ++drawn.at(line);
    }
    for (const int count : drawn) check_close(count, 2000, 200);  // five deviations of 40
}

TEST_CASE("to_string marks a p-value of 0.05 or less") {
    const BootstrapScore score{.score = 37.424, .mean = 37.3, .interval = 2.15};
    CHECK(to_string(score) == "37.42 (37.30 ± 2.15)");
    CHECK(to_string(PairedBootstrap{score, score, 0.05}).ends_with("± 2.15) (p = 0.0500)*"));
    CHECK(to_string(PairedBootstrap{score, score, 0.0501}).ends_with("± 2.15) (p = 0.0501)"));
}

TEST_CASE("paired_bootstrap refuses what it cannot compare") {
    const Lines one = {"a"}, two = {"a", "b"};
    const std::vector<Lines> references = {two};
    CHECK_THROWS_WITH_AS(paired_bootstrap(two, one, references, {{0}}),
                         "paired_bootstrap: the baseline has 2 lines, but the system 1", ValueError);
    CHECK_THROWS_WITH_AS(paired_bootstrap(two, two, references, {}), "paired_bootstrap: there are no samples",
                         ValueError);
    CHECK_THROWS_WITH_AS(paired_bootstrap(two, two, references, {{0, 1}, {}}),
                         "paired_bootstrap: sample 1 has no lines", ValueError);
    CHECK_THROWS_WITH_AS(paired_bootstrap(two, two, references, {{0, 2}}, ChrfOptions{}),
                         "paired_bootstrap: sample 0 has line 2 of a corpus of 2", ValueError);
    Generator generator;
    CHECK_THROWS_WITH_AS(resample_lines(0, generator),
                         "resample_lines: 1000 samples of 0 lines, but both must be 1 or more", ValueError);
}
