#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>
#include <wengert/models/seq2seq/scoring/bleu.hpp>
#include <wengert/models/seq2seq/scoring/chrf.hpp>

/// Comparison with the results of sacrebleu that lie in tests/fixtures/scores.json.
namespace score_fixture {

using namespace wengert;
using nlohmann::json;
using Lines = std::vector<std::string>;

inline const json& fixture() {
    static const json file = json::parse(std::ifstream(WENGERT_FIXTURES "/scores.json"));
    return file;
}

inline BleuOptions bleu_options(const json& given) {
    const std::string smoothing = given.value("smooth_method", "exp");
    BleuOptions options{.tokenizer = bleu_tokenizer(given.at("tokenize").get<std::string>()),
                        .smoothing = smoothing == "none"    ? BleuSmoothing::none
                                     : smoothing == "floor" ? BleuSmoothing::floor
                                     : smoothing == "add-k" ? BleuSmoothing::add_k
                                                            : BleuSmoothing::exponential,
                        .smooth_value = {},
                        .lowercase = given.value("lowercase", false),
                        .effective_order = given.value("effective_order", false)};
    if (const json value = given.value("smooth_value", json()); !value.is_null())
        options.smooth_value = value.get<double>();
    return options;
}

inline ChrfOptions chrf_options(const json& given) {
    return {.character_order = given.value("char_order", 6),
            .word_order = given.value("word_order", 0),
            .beta = given.value("beta", 2),
            .lowercase = given.value("lowercase", false),
            .whitespace = given.value("whitespace", false),
            .effective_order = !given.value("eps_smoothing", false)};
}

/// All lines of a set: the hypotheses, then each reference.
inline Lines all_lines(const json& set) {
    auto lines = set.at("hypotheses").get<Lines>();
    for (const auto& reference : set.at("references").get<std::vector<Lines>>())
        lines.insert(lines.end(), reference.begin(), reference.end());
    return lines;
}

inline void check_close(double actual, double expected, double tolerance = 1e-9) {
    CAPTURE(actual);
    CAPTURE(expected);
    CHECK(std::abs(actual - expected) <= tolerance);
}

/// What `corpus` and `sentence` score, for each set and each of the options, as numbers and as printed.
template <class Options, class Corpus, class Sentence>
void check_scores(const std::string& score, Options (*read)(const json&), Corpus corpus, Sentence sentence) {
    for (const json& set : fixture().at("sets")) {
        const std::string name = set.at("name");
        CAPTURE(name);
        const auto hypotheses = set.at("hypotheses").get<Lines>();
        const auto references = set.at("references").get<std::vector<Lines>>();
        for (std::size_t i = 0; i < set.at(score).size(); ++i) {
            const json& given = fixture().at(score + "_options").at(i);
            const json& expected = set.at(score).at(i);
            const std::string options_text = given.dump();
            CAPTURE(options_text);
            const Options options = read(given);
            const auto result = corpus(hypotheses, references, options);
            check_close(result.score, expected.at("score"));
            CHECK(to_string(result, signature(options, references.size())) ==
                  expected.at("printed").get<std::string>());
            for (std::size_t line = 0; line < hypotheses.size(); ++line) {
                CAPTURE(line);
                Lines answers;
                for (const Lines& reference : references) answers.push_back(reference[line]);
                const auto one = sentence(hypotheses[line], answers, options);
                check_close(one.score, expected.at("lines").at(line));
                const std::string text = to_string(one);
                const std::string printed = " = " + expected.at("printed_lines").at(line).get<std::string>();
                CAPTURE(text);
                CAPTURE(printed);
                CHECK((text + ' ').find(printed + ' ') != std::string::npos);
            }
        }
    }
}

}  // namespace score_fixture
