#include <string>

#include "../workplace.hpp"

using namespace wengert;

TEST_CASE("translations and scores have a line for each line of the files, left out or not") {
    const Workplace here;
    write_file(here.path() / "pairs.tsv", pairs);
    REQUIRE(here.run(std::string("train --data pairs.tsv --model m --epochs 30 ") + small).code == 0);
    write_file(here.path() / "source", "\nTom sleeps.\n\xff\nRun!\nTom chases Jerry.\nRun!\n");
    write_file(here.path() / "target", "跑！\n汤姆睡觉。\n跑！\n跑！\n\n杰瑞睡觉。\n");
    const Outcome evaluation = here.run("evaluate --model m --source source --target target --out out");
    CAPTURE(evaluation.error);
    REQUIRE(evaluation.code == 0);
    CHECK(evaluation.error.find("3 pairs in 6 lines; skipped 3: 1 invalid UTF-8, 2 empty side") != std::string::npos);
    CHECK(content_of(here.path() / "out") == "\n汤姆睡觉。\n\n跑！\n\n跑！\n");

    for (const std::string words : {"", " --words"}) {
        const Outcome score = here.run("score --model m --source source --target target" + words);
        REQUIRE(score.code == 0);
        const std::vector<std::string> all = lines(score.out);
        REQUIRE(all.size() == 6);
        for (const std::size_t left_out : {0, 2, 4}) CHECK(all[left_out] == "nan");
        for (const std::size_t scored : {1, 3, 5}) CHECK(std::stod(all[scored]) < 0);
        CHECK(std::stod(all[3]) > std::stod(all[5]));  // the same source, and a target that it does not have
        CHECK((all[3].find("\t</s> ") != std::string::npos) == !words.empty());
    }

    // One file of pairs, and sources that are held out of it.
    REQUIRE(here.run("evaluate --model m --data pairs.tsv --out out").code == 0);
    CHECK(content_of(here.path() / "out") ==
          "汤姆追杰瑞。\n杰瑞追汤姆。\n汤姆睡觉。\n\n杰瑞睡觉。\n\n汤姆昨天跑了。\n跑！\n");
    const Outcome held_out = here.run("evaluate --model m --data pairs.tsv --hold-out 3 --out out");
    CAPTURE(held_out.error);
    REQUIRE(held_out.code == 0);
    const std::vector<std::string> some = lines(content_of(here.path() / "out"));
    CHECK(some.size() == 8);
    CHECK(held_out.error.find("of these, " + std::to_string(8 - std::ranges::count(some, "")) + " pairs held out") !=
          std::string::npos);
}

TEST_CASE("the built-in corpus is measured line by line, too") {
    const Workplace here;
    REQUIRE(here.run(std::string("train --model m --max-steps 1 ") + small).code == 0);
    const Outcome evaluation = here.run("evaluate --model m --max-length 3 --out out");
    REQUIRE(evaluation.code == 0);
    const std::string held_out = "held-out sentences: ";
    const std::size_t count = evaluation.error.find(held_out);
    REQUIRE(count != std::string::npos);
    CHECK(lines(content_of(here.path() / "out")).size() ==
          std::stoul(evaluation.error.substr(count + held_out.size())));
}
