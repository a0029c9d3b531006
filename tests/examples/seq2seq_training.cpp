// Mirrors no file: the training of the program in examples/seq2seq.
#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <wengert/models/seq2seq/checkpoint.hpp>

#include "workplace.hpp"

using namespace wengert;
using nlohmann::json;

namespace {

/// The log's lines without what a clock or the machine says.
std::vector<json> steady_log(const std::filesystem::path& model) {
    std::vector<json> result;
    for (const std::string& line : lines(content_of(model / "log.jsonl"))) {
        json record = json::parse(line);
        for (const char* const key : {"tokens_per_second", "seconds", "peak_memory_mib", "seconds_left"})
            CHECK(record.erase(key) == 1);
        result.push_back(record);
    }
    return result;
}

}  // namespace

TEST_CASE("training reports malformed lines and progress, and keeps a log") {
    const Workplace here;
    write_file(here.path() / "pairs.tsv", pairs);
    const Outcome training = here.run(std::string("train --data pairs.tsv --model new/model --epochs 3 ") + small);
    REQUIRE(training.code == 0);
    CHECK(training.out.empty());
    const auto has = [&](const std::string& text) { return training.error.find(text) != training.error.npos; };
    CHECK(has("pairs.tsv: 6 pairs in 8 lines; skipped 2: 1 invalid UTF-8, 1 missing column\n"));
    CHECK(has("pairs.tsv:4: missing column"));
    CHECK(has("pairs.tsv:6: invalid UTF-8"));
    CHECK(has("epoch 3/3, step 9/9, loss "));
    CHECK(has(", 0:00 left\n"));
    CHECK(!has("\r"));

    const auto read_log = [&] { return lines(content_of(here.path() / "new/model/log.jsonl")); };
    const std::vector<std::string> log = read_log();
    REQUIRE(log.size() == 3);
    for (std::size_t i = 0; i < log.size(); ++i) {
        const json epoch = json::parse(log[i]);
        CHECK(epoch["epoch"] == i + 1);
        CHECK(epoch["step"] == 3 * (i + 1));
        CHECK(epoch["loss"].get<double>() > 0);
        CHECK(epoch["tokens_per_second"].get<double>() > 0);
        CHECK(!epoch.contains("validation_loss"));
    }
    CHECK(load_checkpoint(here.path() / "new/model").steps == 9);

    const Outcome refused = here.run(std::string("train --data pairs.tsv --model new/model ") + small);
    CHECK(refused.code == 1);
    CHECK(refused.error.find("new/model: there is a model already; --resume goes on with it, --force begins anew") !=
          refused.error.npos);
    CHECK(read_log().size() == 3);

    // In its place, with parallel files, validation and an early end.
    write_file(here.path() / "en", "Tom sleeps.\nJerry runs.\n");
    write_file(here.path() / "zh", "汤姆睡觉。\n杰瑞跑。\n");
    const Outcome again =
        here.run(std::string("train --source en --target zh --validation-source en --validation-target zh "
                             "--model new/model --force --max-steps 4 --bidirectional --dropout 0.1 --clip 0 ") +
                 small);
    REQUIRE(again.code == 0);
    REQUIRE(read_log().size() == 4);
    const json last = json::parse(read_log().back());
    CHECK(last["validation_perplexity"].get<double>() ==
          doctest::Approx(std::exp(last["validation_loss"].get<double>())));
    CHECK(last["seconds_left"].get<double>() == 0);
    CHECK(load_checkpoint(here.path() / "new/model").system->options().bidirectional);
}

TEST_CASE("a training that diverges stops with a reason, and what it saved last is sound") {
    const Workplace here;
    write_file(here.path() / "pairs.tsv", pairs);
    const Outcome diverged =
        here.run(std::string("train --data pairs.tsv --model m --optimizer sgd --clip 0 --save-every 1 ") + small +
                 " --learning-rate 1e6");
    CHECK(diverged.code == 1);
    CHECK(diverged.error.find("training: it diverges: the loss is ") != diverged.error.npos);
    CHECK(load_checkpoint(here.path() / "m").steps == 0);
}

TEST_CASE("training with the same seed gives the same model") {
    const Workplace here;
    write_file(here.path() / "pairs.tsv", pairs);
    const auto weights = [&](const std::string& model, int seed) {
        REQUIRE(here.run("train --data pairs.tsv --model " + model + " --epochs 2 --dropout 0.2 --seed " +
                         std::to_string(seed) + ' ' + small)
                    .code == 0);
        return content_of(here.path() / model / "latest/weights.safetensors");
    };
    const std::string first = weights("a", 3);
    CHECK(weights("b", 3) == first);
    CHECK(weights("c", 4) != first);
}

TEST_CASE("a training that was killed at any step goes on bit for bit") {
    const Workplace here;
    write_file(here.path() / "pairs.tsv", pairs);
    const std::string train = std::string(
                                  "train --data pairs.tsv --validation-data pairs.tsv --epochs 60 "
                                  "--dropout 0.2 --save-every 1 --validate-every 5 --metric bleu ") +
                              small;
    REQUIRE(here.run(train + " --model whole").code == 0);
    const Outcome killed = here.shell("program='" WENGERT_SEQ2SEQ
                                      "'\n"
                                      "\"$program\" " +
                                      train +
                                      " --model killed & pid=$!\n"
                                      "until [ -e killed/latest ]; do sleep 0.05; done\n"
                                      "for delay in 0.1 0.35 0.25 0.4; do\n"
                                      "  left=500\n"
                                      "  until [ \"$(readlink killed/latest)\" != \"$last\" ] || [ $left = 0 ]; do\n"
                                      "    sleep 0.02; left=$((left - 1))\n"
                                      "  done\n"
                                      "  sleep $delay\n"
                                      "  kill -KILL $pid; wait $pid 2>/dev/null\n"
                                      "  last=$(readlink killed/latest); echo $last\n"
                                      "  \"$program\" train --resume --model killed & pid=$!\n"
                                      "done\n"
                                      "wait $pid\n");
    CAPTURE(killed.error);
    CHECK(killed.code == 0);
    const std::vector<std::string> places = lines(killed.out);
    CHECK(places.size() == 4);
    CHECK(std::set(places.begin(), places.end()).size() > 1);  // it was killed in the midst of its work
    CHECK(steady_log(here.path() / "killed") == steady_log(here.path() / "whole"));
    CHECK(content_of(here.path() / "killed/samples.jsonl") == content_of(here.path() / "whole/samples.jsonl"));
    CHECK(content_of(here.path() / "killed/latest/weights.safetensors") ==
          content_of(here.path() / "whole/latest/weights.safetensors"));
}

TEST_CASE("a signal saves and ends a training with a message, and two cannot have one directory") {
    const Workplace here;
    write_file(here.path() / "pairs.tsv", pairs);
    const Outcome outcome =
        here.shell(std::string("'" WENGERT_SEQ2SEQ "' train --data pairs.tsv --model m --epochs 100000 ") + small +
                   " 2>first &\n"
                   "until [ -e m/latest ]; do sleep 0.05; done\n"
                   "seq2seq train --data pairs.tsv --model m --force 2>second; echo $?\n"
                   "kill -TERM $!; wait $!; echo $?\n");
    CHECK(lines(outcome.out) == std::vector<std::string>{"1", "143"});
    CHECK(content_of(here.path() / "second") == "seq2seq: m: another training writes into this directory\n");
    CHECK(content_of(here.path() / "first").find("stopped by signal 15 after step ") != std::string::npos);
    CHECK(load_checkpoint(here.path() / "m").steps > 0);
}

TEST_CASE("a training that cannot begin leaves the one before as it was") {
    const Workplace here;
    write_file(here.path() / "pairs.tsv", pairs);
    const std::string train = std::string("train --data pairs.tsv --model m ") + small;
    REQUIRE(here.run(train + " --max-steps 2").code == 0);
    const std::string log = content_of(here.path() / "m" / "log.jsonl"),
                      toml = content_of(here.path() / "m" / "train.toml");
    CHECK(here.run(train + " --force --epochs 0").code != 0);
    CHECK(content_of(here.path() / "m" / "log.jsonl") == log);
    CHECK(content_of(here.path() / "m" / "train.toml") == toml);
    CHECK(std::filesystem::exists(here.path() / "m" / "best"));
}

TEST_CASE("a training that cannot begin leaves no directory, and says at once that it has no end") {
    const Workplace here;
    write_file(here.path() / "pairs.tsv", pairs);
    check_error(here.run(std::string("train --data pairs.tsv --model none --epochs 0 ") + small),
                "--epochs 0: --max-steps is 0, too");
    check_error(here.run(std::string("train --data pairs.tsv --model none --subwords 100000 ") + small), "subwords");
    CHECK(!std::filesystem::exists(here.path() / "none"));
    std::filesystem::create_directory(here.path() / "mine");
    check_error(here.run(std::string("train --data pairs.tsv --model mine --subwords 100000 ") + small), "subwords");
    CHECK(std::filesystem::exists(here.path() / "mine"));
}

TEST_CASE("what a training is resumed with is what it began with, or an error") {
    const Workplace here;
    write_file(here.path() / "pairs.tsv", pairs);
    const std::string train = std::string("train --data pairs.tsv --model m ") + small;
    REQUIRE(here.run(train + " --max-steps 5").code == 0);
    CHECK(content_of(here.path() / "m/train.toml").find("epochs=0\n") != std::string::npos);
    const auto error = [&](const std::string& arguments) { return lines(here.run(arguments).error).back(); };
    CHECK(error("train --resume --model m --hidden 25") ==
          "seq2seq: --resume: hidden is 25, not 24, which the training has");
    CHECK(error("train --resume --model m --seed 9").ends_with("the state is of a training with seed 1, not 9"));
    CHECK(error("train --resume --model absent") == "seq2seq: absent: there is no training here that could go on");
    CHECK(
        error("train --force --model m/best --data pairs.tsv").ends_with("--model names the directory that it is in"));
    CHECK(error(train + " --force --metric bleu") ==
          "seq2seq: --metric bleu: it is measured on validation sentences, and none are given");
    REQUIRE(here.run("train --resume --model m --max-steps 8").code == 0);
    CHECK(load_checkpoint(here.path() / "m").steps == 8);

    // Of a copy that has no links, nothing is lost.
    REQUIRE(here.shell("cp -rL m copy && rm -r copy/latest copy/best").code == 0);
    CHECK(here.run(std::string("train --data pairs.tsv --model copy ") + small).code == 1);
    REQUIRE(
        here.shell("cp -rL m copied && seq2seq train --resume --model copied --max-steps 9 && readlink copied/latest")
            .code == 0);
    CHECK(load_checkpoint(here.path() / "copied").steps == 9);
}

TEST_CASE("subwords of a model that is given take the place of learned ones" *
          doctest::skip(!Tokenizer::has_subwords())) {
    const Workplace here;
    std::string many;
    for (int i = 0; i < 40; ++i)
        many += "word" + std::to_string(i * 7919) + " runs\tWort " + std::to_string(i) + " l\u00e4uft\n";
    write_file(here.path() / "many.tsv", many);
    const std::string train = std::string("train --data many.tsv --max-steps 2 ") + small;
    REQUIRE(here.run(train + " --model learned --subwords 300").code == 0);
    const auto pieces = [&](const std::string& side) { return "learned/latest/" + side + ".subwords"; };
    const auto state = [&](const std::string& file) { return content_of(here.path() / file); };
    REQUIRE(state(pieces("source")) != state(pieces("target")));

    // The pieces and all else are the same, and so is the training.
    const std::string given = " --subword-model " + pieces("source") + " --target-subword-model " + pieces("target");
    const Outcome training = here.run(train + " --model given" + given);
    CAPTURE(training.error);
    REQUIRE(training.code == 0);
    for (const char* const file :
         {"source.subwords", "target.subwords", "source.vocabulary", "target.vocabulary", "weights.safetensors"})
        CHECK(state(std::string("given/latest/") + file) == state(std::string("learned/latest/") + file));
    const Outcome resumed = here.run("train --resume --model given --max-steps 4");
    CAPTURE(resumed.error);
    CHECK(resumed.code == 0);
    REQUIRE(here.run(train + " --model one --joint --subword-model " + pieces("source")).code == 0);
    CHECK(state("one/latest/target.subwords") == state(pieces("source")));

    const auto refused = [&](const std::string& options, const std::string& words) {
        check_error(here.run(train + " --model no " + options), words);
        CHECK(!std::filesystem::exists(here.path() / "no" / "latest"));
    };
    const std::string source = "--subword-model " + pieces("source");
    refused(source + " --subwords 300", "--subword-model: its pieces are learned already, and --subwords 300 learns");
    refused(source + " --tokenizer spaces", "--subword-model: it splits the text, and --tokenizer says another way");
    refused(source + " --joint --target-subword-model " + pieces("target"), "--target-subword-model: --joint has one");
    refused("--target-subword-model " + pieces("target"), "--target-subword-model: the source's is not given");
    refused(source + " --keep-case", "has pieces of lower-case text, but the settings say lowercase = false");
    refused("--subword-model many.tsv", "many.tsv: is no whole model of sentencepiece");
    refused("--subword-model absent", "absent: cannot be opened: No such file or directory");
}

TEST_CASE("options that read attention are refused of a system without") {
    const Workplace here;
    write_file(here.path() / "pairs.tsv", pairs);
    REQUIRE(here.run(std::string("train --data pairs.tsv --model m --system cho --max-steps 1 ") + small).code == 0);
    for (const std::string flag : {"--attention", "--replace-unknown", "--coverage-penalty"}) {
        const std::string value = flag == "--attention"          ? " a.svg"
                                  : flag == "--coverage-penalty" ? " 0.2 --beam 2"
                                                                 : "";
        const Outcome refused = here.run("translate --model m " + flag + value + " 'Run!'");
        CHECK(refused.code == 1);
        CHECK(refused.error.find(flag + ": the system of this model has no attention") != refused.error.npos);
    }
}
