#include <nlohmann/json.hpp>

#include "../workplace.hpp"

using namespace wengert;
using nlohmann::json;

TEST_CASE("a translation begins with the prefix that is given") {
    const Workplace here;
    write_file(here.path() / "pairs.tsv", pairs);
    REQUIRE(here.run(std::string("train --data pairs.tsv --epochs 30 --model model ") + small).code == 0);
    const auto translated = [&](const std::string& arguments, const std::string& input = {}) {
        const Outcome outcome = here.run("translate --model model " + arguments, input);
        CAPTURE(outcome.error);
        CHECK(outcome.code == 0);
        return outcome.out;
    };
    CHECK(translated("'Tom sleeps.'") == "汤姆睡觉。\n");
    CHECK(translated("--prefix 汤姆 'Tom sleeps.'") == "汤姆睡觉。\n");
    for (const std::string& line : lines(translated("--prefix 杰瑞 --beam 3 --n-best 3", "Tom sleeps.\nRun!\n")))
        CHECK(line.find("\t杰瑞") != line.npos);
    CHECK(translated("--prefix 杰瑞", "\nRun!\n").starts_with("\n杰瑞"));
    // Words that the model does not know stand there as they are given, in the case that it writes.
    CHECK(translated("--prefix '\"Xyz\" <&' 'Run!'").starts_with("\"xyz\" < &"));
    check_error(here.run("translate --model model --max-length 2 --prefix 'a b c' 'Run!'"),
                "the prefix of source 0 has 3 tokens, and 2 are the most");
    check_error(here.run("translate --model model --prefix \"$(printf '\\377')\" 'Run!'"),
                "--prefix: text: invalid UTF-8 at byte 0");
}

TEST_CASE("the hypotheses of a beam are drawn, and several models or heads stand side by side") {
    const Workplace here;
    write_file(here.path() / "pairs.tsv", pairs);
    const std::string train = std::string("train --data pairs.tsv --validation-data pairs.tsv --epochs 30 ") + small;
    REQUIRE(here.run(train + " --model model").code == 0);
    const auto run = [&](const std::string& arguments) {
        CHECK(here.run("translate --model model " + arguments).code == 0);
    };
    run("--beam 3 --beam-tree tree.svg 'Tom sleeps.' 'Run!'");
    const std::string svg = content_of(here.path() / "tree.svg");
    for (const char* const text : {">Tom sleeps.</text>", ">Run!</text>", ">跑</text>", ">1. score "}) {
        CAPTURE(text);
        CHECK(svg.find(text) != svg.npos);
    }
    run("--beam 3 --beam-tree tree.json 'Run!'");
    const json tree = json::parse(content_of(here.path() / "tree.json"))[0];
    CHECK(tree["title"] == "Run!");
    CHECK(tree["nodes"][0]["token"] == "跑");
    check_error(here.run("translate --model model --beam-tree tree.svg Tom"), "--beam-tree requires --beam");
    check_error(here.run("translate --model model --beam 2 --beam-tree tree.html Tom"),
                "--beam-tree tree.html: the name must end in .svg or .json");

    run("--beam 3 --attention a.html 'Run!'");
    CHECK(content_of(here.path() / "a.html").find("<div class=\"tree\"><svg") != std::string::npos);
    run("--attention a.html 'Run!'");
    CHECK(content_of(here.path() / "a.html").find("<div class=\"tree\"><svg") == std::string::npos);
    run("--model model/best --attention a.json 'Run!'");
    const json map = json::parse(content_of(here.path() / "a.json"))[0];
    REQUIRE(map["parts"].size() == 2);
    CHECK(map["parts"][0]["name"] == "model");
    CHECK(map["parts"][1]["name"] == "model/best");
    CHECK(map["parts"][1]["weights"] == map["weights"]);

    // The heads of one system.
    REQUIRE(here.run(train + " --system multihead --heads 3 --model heads --epochs 1").code == 0);
    CHECK(here.run("translate --model heads --attention a.json 'Run!'").code == 0);
    const json heads = json::parse(content_of(here.path() / "a.json"))[0]["parts"];
    REQUIRE(heads.size() == 3);
    CHECK(heads[2]["name"] == "head 3");
    CHECK(heads[2]["weights"] != heads[1]["weights"]);
}
