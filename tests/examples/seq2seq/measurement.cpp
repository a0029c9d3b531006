#include <nlohmann/json.hpp>

#include "../workplace.hpp"

using namespace wengert;
using nlohmann::json;

TEST_CASE("scores are of several references, smoothed and in lower case, as sacrebleu's command has them") {
    const Workplace here;
    write_file(here.path() / "pairs.tsv", pairs);
    REQUIRE(here.run(std::string("train --data pairs.tsv --model m --keep-case --epochs 30 ") + small).code == 0);
    write_file(here.path() / "source", "Tom chases Jerry.\nTom sleeps.\nTom ran yesterday.\nRun!\n");
    write_file(here.path() / "one", "汤姆在追杰瑞。\n汤姆睡觉。\n汤姆 RAN 昨天。\n快跑！\n");
    write_file(here.path() / "two", "汤姆追着杰瑞。\n\n汤姆昨天跑了。\n跑！\n");
    const auto evaluate = [&](const std::string& arguments) {
        const Outcome outcome = here.run("evaluate --model m --source source --target one " + arguments);
        CAPTURE(outcome.error);
        REQUIRE(outcome.code == 0);
        return json::parse(outcome.out);
    };
    const auto bleu_signature = [](const json& line) { return line["signature"]["bleu"].get<std::string>(); };
    const json one = evaluate(""), two = evaluate("--target two --out translations");
    REQUIRE(content_of(here.path() / "translations") == "汤姆追杰瑞。\n汤姆睡觉。\n汤姆昨天跑了。\n跑！\n");
    // sacrebleu one two -i translations -m bleu chrf --tokenize zh --width 6
    CHECK(bleu_signature(one) == "nrefs:1|case:mixed|eff:no|tok:zh|smooth:exp|version:2.6.0");
    CHECK(one["bleu"].get<double>() == doctest::Approx(51.50281355).epsilon(1e-7));
    CHECK(bleu_signature(two) == "nrefs:2|case:mixed|eff:no|tok:zh|smooth:exp|version:2.6.0");
    CHECK(two["bleu"].get<double>() == doctest::Approx(87.40816809).epsilon(1e-7));
    CHECK(two["chrf"].get<double>() == doctest::Approx(74.46859485).epsilon(1e-7));
    CHECK(two["signature"]["chrf"] == "nrefs:2|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0");
    CHECK(two["loss"] == one["loss"]);
    CHECK(two["exact_match"] == 0.25);
    // .. --tokenize char --smooth-method add-k --smooth-value 0.3 --lowercase --chrf-lowercase
    const json smooth = evaluate("--tokenize char --smooth-method add-k --smooth-value 0.3 --lowercase");
    CHECK(bleu_signature(smooth) == "nrefs:1|case:lc|eff:no|tok:char|smooth:add-k[0.30]|version:2.6.0");
    CHECK(smooth["bleu"].get<double>() == doctest::Approx(47.83431975).epsilon(1e-7));
    CHECK(smooth["signature"]["chrf"] == "nrefs:1|case:lc|eff:yes|nc:6|nw:0|space:no|version:2.6.0");
    CHECK(bleu_signature(evaluate("--smooth-method floor")).find("smooth:floor[0.10]") != std::string::npos);

    const Outcome table = here.run(
        "compare --model m --source source --target one --target two --lengths lengths.svg --smooth-method none");
    CAPTURE(table.error);
    REQUIRE(table.code == 0);
    CHECK(table.out.find("nrefs:2|case:mixed|eff:no|tok:zh|smooth:none|") != std::string::npos);
}

TEST_CASE("references and smoothing that cannot be are refused") {
    const Workplace here;
    write_file(here.path() / "pairs.tsv", pairs);
    REQUIRE(here.run(std::string("train --data pairs.tsv --model m --max-steps 1 ") + small).code == 0);
    write_file(here.path() / "two", "a\nb\n");
    write_file(here.path() / "bad", "a\nb\xff\n");
    write_file(here.path() / "three", "a\nb\nc\n");
    const std::string evaluate = "evaluate --model m --source two --target two ";
    check_error(here.run(evaluate + "--target three"), "two has 2 lines, but three has 3");
    check_error(here.run(evaluate + "--target absent"), "absent");
    check_error(here.run(evaluate + "--smooth-method linear"), "--smooth-method: linear not in {none,floor,add-k,exp}");
    check_error(here.run(evaluate + "--smooth-value -1"), "--smooth-value: -1 is not a number from 0 to ");
    const Outcome valueless = here.run(evaluate + "--smooth-value 0.5");
    CHECK(valueless.code != 0);
    CHECK(lines(valueless.error).back() ==
          "seq2seq: --smooth-value: --smooth-method exp has none, only floor and add-k have");
    // A line of any reference that is no text leaves its pair out.
    const Outcome bad = here.run(evaluate + "--target bad");
    CHECK(bad.code == 0);
    CHECK(bad.error.find("bad:2: invalid UTF-8: reference 2 at byte 1") != std::string::npos);
    // Only scores take several.
    check_error(here.run("train --model n --source two --target two --target three"), "--target");
    check_error(here.run("score --model m --source two --target two --target three"), "--target");
}
