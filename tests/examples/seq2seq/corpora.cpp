#include <doctest/doctest.h>

#include <string>
#include <vector>
#include <wengert/models/seq2seq/checkpoint.hpp>

#include "../workplace.hpp"

using namespace wengert;

TEST_CASE("one in N sources is held out, by a hash, from training and for measuring") {
    const Workplace here;
    std::string many;
    for (int i = 0; i < 60; ++i) many += "word" + std::to_string(i) + " runs\tWort " + std::to_string(i) + "\n";
    write_file(here.path() / "many.tsv", many + many);
    const auto pairs_in = [](const Outcome& outcome, const std::string& what) {
        CAPTURE(outcome.error);
        CHECK(outcome.code == 0);
        const std::size_t end = outcome.error.find(" pairs " + what);
        REQUIRE(end != outcome.error.npos);
        return std::stoi(outcome.error.substr(outcome.error.rfind(' ', end - 1)));
    };
    const Outcome training =
        here.run(std::string("train --data many.tsv --hold-out 5 --model model --max-steps 1 --metric bleu ") + small);
    const int trained = pairs_in(training, "to train on"), held_out = pairs_in(training, "held out");
    CHECK(trained + held_out == 120);
    CHECK(held_out > 4);
    CHECK(held_out < 60);
    CHECK(held_out % 2 == 0);  // equal sources are on one side
    const Outcome few =
        here.run(std::string("train --data many.tsv --hold-out 5 --pairs 7 --model few --max-steps 1 ") + small);
    CHECK(pairs_in(few, "to train on") == 7);
    const Outcome built_in = here.run(std::string("train --pairs 9 --model built-in --max-steps 1 ") + small);
    CHECK(pairs_in(built_in, "to train on") == 9);
    const Outcome measured = here.run("evaluate --model model --data many.tsv --hold-out 5");
    CHECK(pairs_in(measured, "held out") == held_out);
    write_file(here.path() / "one.tsv", "word1 runs\tWort 1\n");
    check_error(here.run("evaluate --model model --hold-out 5"), "--hold-out: it divides files, and none are given");
    CHECK(here.run("train --model n --data one.tsv --validation-data one.tsv --hold-out 2").error.find("--hold-out") !=
          std::string::npos);
    CHECK(here.run("evaluate --model model --data one.tsv --hold-out 1000")
              .error.find("--hold-out 1000 leaves no pair") != std::string::npos);
}

TEST_CASE("--pairs: the first pairs alone are trained on, and words and subwords are learned from them") {
    const Workplace here;
    std::string first, others;
    for (const char* const word : {"aab", "aba", "baa", "abb"}) first += std::string(word) + " aa\t" + word + " bb\n";
    for (const char* const word : {"qqk", "qkq", "kqq", "qkk"}) others += std::string(word) + " qq\t" + word + " kk\n";
    write_file(here.path() / "all.tsv", first + others);
    write_file(here.path() / "first.tsv", first);
    write_file(here.path() / "validation.tsv", others);
    std::vector<std::string> texts{""};
    if (Tokenizer::has_subwords()) texts.emplace_back(" --subwords 262");
    for (const std::string& text : texts) {
        CAPTURE(text);
        const std::string common = text + " --validation-data validation.tsv --max-steps 2 " + small;
        const Outcome some = here.run("train --data all.tsv --pairs 4 --model some" + common + " --force"),
                      whole = here.run("train --data first.tsv --model whole" + common + " --force");
        CAPTURE(some.error);
        CAPTURE(whole.error);
        REQUIRE(some.code == 0);
        REQUIRE(whole.code == 0);
        const Translator a = load_checkpoint(here.path() / "some"), b = load_checkpoint(here.path() / "whole");
        CHECK(a.source.vocabulary == b.source.vocabulary);
        CHECK(a.target.vocabulary == b.target.vocabulary);
        for (std::int64_t id = 0; id < a.source.vocabulary.size(); ++id)
            CHECK(!has(a.source.vocabulary.token(id), "q"));
        const NamedTensors weights = a.system->named_parameters(), others_weights = b.system->named_parameters();
        for (std::size_t i = 0; i < weights.size(); ++i)
            CHECK(weights[i].second.to_vector<float>() == others_weights[i].second.to_vector<float>());
    }
}
