// Covers examples/seq2seq/input_lines.hpp
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

TEST_CASE("lines are translated some at once, in their order, each as by itself") {
    const Workplace here;
    write_file(here.path() / "pairs.tsv", pairs);
    REQUIRE(here.run(std::string("train --data pairs.tsv --epochs 30 --model model ") + small).code == 0);
    std::string many;
    for (int i = 0; i < 30; ++i) many += "Tom sleeps.\r\n\nTom chases Jerry.\nRun!\n \nJerry ran yesterday, Tom!\n";
    many += "Jerry sleeps.";  // without an end
    const auto translated = [&](const std::string& arguments, const std::string& input) {
        const Outcome outcome = here.run("translate --model model " + arguments, input);
        CAPTURE(outcome.error);
        CHECK(outcome.code == 0);
        return outcome.out;
    };
    const std::string alone = translated("--batch 1", many);
    REQUIRE(lines(alone).size() == 181);
    CHECK(alone.starts_with("汤姆睡觉。\n\n汤姆追杰瑞。\n跑！\n\n"));
    for (const char* const batch : {"", "--batch 2", "--batch 7", "--batch 10000"})
        CHECK(translated(batch, many) == alone);
    const std::string beam = "--beam 3 --n-best 2 ";
    const auto texts = [](const std::string& scored) {
        std::vector<std::string> result;
        for (const std::string& line : lines(scored)) result.push_back(line.substr(line.find('\t') + 1));
        return result;
    };
    CHECK(texts(translated(beam, many)) == texts(translated(beam + "--batch 1", many)));
    // Draws depend on the line alone.
    const std::string sample = "--sample --temperature 3 ";
    CHECK(translated(sample + "--batch 5", many) == translated(sample + "--batch 1", many));

    // Pictures are of each line, in order.
    CHECK(translated("--beam 2 --attention a.json --beam-tree t.json", "Run!\n\nTom sleeps.\n") ==
          "跑！\n\n汤姆睡觉。\n");
    for (const char* const file : {"a.json", "t.json"}) {
        const json maps = json::parse(content_of(here.path() / file));
        REQUIRE(maps.size() == 2);
        CHECK(maps[0]["title"] == "Run!");
        CHECK(maps[1]["title"] == "Tom sleeps.");
    }
    const json maps = json::parse(content_of(here.path() / "a.json"));
    CHECK(maps[0]["weights"][0].size() == 3);  // of the sentence alone, without padding
    CHECK(maps[1]["weights"][0].size() == 4);

    // What stands before a faulty line is printed, and the error says which line it is.
    const Outcome faulty = here.run("translate --model model", "Run!\nRun!\n\xff\nRun!\n");
    CHECK(faulty.code != 0);
    CHECK(faulty.out == "跑！\n跑！\n");
    CHECK(faulty.error == "seq2seq: standard input:3: text: invalid UTF-8 at byte 0\n");
    CHECK(here.run("translate --model model --max-length 1 --prefix 'a b'", "\nRun!\nRun!\n").error ==
          "seq2seq: standard input:2: search: the prefix of source 0 has 2 tokens, and 1 are the most\n");
    check_error(here.run("translate --model model --batch 0"), "--batch: 0 is not a whole number from 1 to 10000");
    check_error(here.shell("seq2seq translate --model model <&-\n"),
                "standard input cannot be read: Bad file descriptor");
    check_error(here.shell("seq2seq translate --model model <.\n"), "standard input cannot be read: Is a directory");
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
