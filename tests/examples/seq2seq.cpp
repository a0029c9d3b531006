#include <doctest/doctest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <wengert/models/seq2seq/checkpoint.hpp>
#include <wengert/ops/products/precision.hpp>

#include "temporary_directory.hpp"

using namespace wengert;
using nlohmann::json;

namespace {

struct Outcome {
    int code;
    std::string out, error;
};

/// A run that fails as it should: nothing on standard output, and one line on standard error that begins with the
/// program's name and has the given words.
void check_error(const Outcome& outcome, const std::string& words) {
    CAPTURE(words);
    CAPTURE(outcome.error);
    CHECK(outcome.code != 0);
    CHECK(outcome.out.empty());
    CHECK(outcome.error.starts_with("seq2seq: "));
    CHECK(outcome.error.find(words) != outcome.error.npos);
    CHECK(outcome.error.ends_with('\n'));
    CHECK(std::ranges::count(outcome.error, '\n') == 1);
}

/// A directory of its own, in which the program runs.
class Workplace {
  public:
    /// Runs a script of the shell, in which the program is called seq2seq.
    Outcome shell(const std::string& script) const {
        write_file(path() / "script.sh", "cd '" + path().string() +
                                             "' || exit\nexport OMP_WAIT_POLICY=passive\n"
                                             "seq2seq() { '" WENGERT_SEQ2SEQ "' \"$@\"; }\n" +
                                             script);
        const std::string command = "sh '" + (path() / "script.sh").string() + "' >'" + (path() / "out.txt").string() +
                                    "' 2>'" + (path() / "error.txt").string() + '\'';
        const int status = std::system(command.c_str());
        REQUIRE(WIFEXITED(status));
        return {WEXITSTATUS(status), content_of(path() / "out.txt"), content_of(path() / "error.txt")};
    }
    Outcome run(const std::string& arguments, const std::string& input = {}) const {
        write_file(path() / "in.txt", input);
        return shell("seq2seq " + arguments + " <in.txt\n");
    }

    const std::filesystem::path& path() const { return directory_.path(); }

  private:
    TemporaryDirectory directory_;
};

constexpr const char* pairs =
    "Tom chases Jerry.\t汤姆追杰瑞。\tCC-BY\n"
    "Jerry chases Tom.\t杰瑞追汤姆。\tCC-BY\n"
    "Tom sleeps.\t汤姆睡觉。\n"
    "no translation\n"
    "Jerry sleeps.\t杰瑞睡觉。\n"
    "broken \xff\xfe\tbytes\n"
    "Tom ran yesterday.\t汤姆昨天跑了。\n"
    "Run!\t跑！\n";
constexpr const char* small =
    "--hidden 24 --embedding 12 --layers 1 --batch 2 --learning-rate 0.01 --schedule constant --threads 1";

/// A model that has learned the pairs by heart, made once.
const Workplace& trained() {
    static const Workplace& workplace = []() -> const Workplace& {
        static const Workplace made;
        write_file(made.path() / "pairs.tsv", pairs);
        const Outcome training =
            made.run(std::string("train --data pairs.tsv --validation-data pairs.tsv --model model "
                                 "--epochs 30 ") +
                     small);
        CAPTURE(training.error);
        REQUIRE(training.code == 0);
        return made;
    }();
    return workplace;
}

std::vector<std::string> lines(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> result;
    for (std::string line; std::getline(stream, line);) result.push_back(line);
    return result;
}

}  // namespace

TEST_CASE("help is there for the program and each verb") {
    const Workplace here;
    const Outcome all = here.run("--help");
    CHECK(all.code == 0);
    for (const std::string verb : {"train", "translate", "evaluate", "graph", "gradcheck"}) {
        CAPTURE(verb);
        CHECK(all.out.find(verb) != all.out.npos);
        const Outcome one = here.run(verb + " --help");
        CHECK(one.code == 0);
        CHECK(one.error.empty());
        CHECK(one.out.find("Usage: seq2seq " + verb) != one.out.npos);
    }
    const std::string train = here.run("train --help").out;
    for (const char* const option : {"--data",
                                     "--source",
                                     "--target",
                                     "--validation-data",
                                     "--validation-source",
                                     "--validation-target",
                                     "--model",
                                     "--hidden",
                                     "--embedding",
                                     "--layers",
                                     "--bidirectional",
                                     "--dropout",
                                     "--batch",
                                     "--epochs",
                                     "--max-steps",
                                     "--max-length",
                                     "--vocabulary",
                                     "--learning-rate",
                                     "--clip",
                                     "--seed",
                                     "--schedule",
                                     "--threads",
                                     "--precision",
                                     "=linear",
                                     "=float32",
                                     "=1024",
                                     "=256",
                                     "=5000",
                                     "=30",
                                     "=64",
                                     "=0.0005"}) {
        CAPTURE(option);
        CHECK(train.find(option) != train.npos);
    }
}

TEST_CASE("misuse is an error of one line") {
    const Workplace here;
    write_file(here.path() / "pairs.tsv", pairs);
    check_error(here.run(""), "A verb is required");
    check_error(here.run("sing"), "sing");
    check_error(here.run("train"), "--model");
    check_error(here.run("train --model m --hiden 5"), "--hiden");
    check_error(here.run("train --model m --hidden 0"), "--hidden");
    check_error(here.run("train --model m --hidden 1.5"), "--hidden: 1.5 is not a whole number from 1 to 1000000");
    check_error(here.run("train --model m --batch many"), "--batch: many is not a whole number from 1 to 1000000");
    check_error(here.run("evaluate --model m --threads 0"), "--threads: 0 is not a whole number from 1 to 4096");
    check_error(here.shell("WENGERT_GEMM=mkl seq2seq train --model m"),
                "WENGERT_GEMM is \"mkl\"; it may be openblas or");
    check_error(here.run("evaluate --model m --precision half"), "--precision: half not in {float32,bfloat16}");
    check_error(here.run("train --model m --schedule falling"), "--schedule: falling not in {linear,constant,cosine");
    check_error(here.run("train --model m --system bahdnau"), "--system: bahdnau not in {bahdanau,sutskever,cho,");
    check_error(here.run("train --model m --dropout 1"), "--dropout");
    check_error(here.run("train --model m --learning-rate -1"), "--learning-rate");
    check_error(here.run("train --model m --learning-rate nan"), "--learning-rate");
    check_error(here.run("train --model m --seed -1"), "--seed");
    check_error(here.run("train --model m --data absent.tsv"), "absent.tsv");
    check_error(here.run("train --model m --source pairs.tsv"), "--target");
    check_error(here.run("train --model m --data pairs.tsv --source pairs.tsv --target pairs.tsv"), "--data");
    check_error(here.run("translate"), "--model");
    check_error(here.run("graph"), "--out");
    CHECK(!std::filesystem::exists(here.path() / "m"));
}

TEST_CASE("what is wrong with the input is an error of one line") {
    const Workplace here;
    check_error(here.run("translate --model absent hello"), "absent: there is no checkpoint");
    check_error(here.run("evaluate --model absent"), "absent: there is no checkpoint");
    write_file(here.path() / "useless.tsv", "no tab\n");
    check_error(here.run("train --model m --data useless.tsv"), "useless.tsv: no usable pair");
    write_file(here.path() / "short.txt", "one line\n");
    write_file(here.path() / "long.txt", "two\nlines\n");
    check_error(here.run("train --model m --source short.txt --target long.txt"), "has 1 lines, but long.txt has 2");
    check_error(here.run("graph --out graph.jpeg"), "graph.jpeg");
    check_error(here.run("graph --out absent/graph.dot"), "absent/graph.dot");
    check_error(trained().run("translate --model model --attention absent/a.svg Tom"),
                "absent/a.svg: cannot be written: No such file or directory");
    check_error(trained().run("translate --model model --attention a.png Tom"), "its name must end in .svg");
    CHECK(trained().run("translate --model model", "Tom\n\xff\n").error ==
          "seq2seq: standard input:2: text: invalid UTF-8 at byte 0\n");
    write_file(here.path() / "file", "");
    write_file(here.path() / "pairs.tsv", pairs);
    const Outcome no_directory = here.run(std::string("train --model file/model --data pairs.tsv ") + small);
    CHECK(no_directory.code != 0);
    CHECK(lines(no_directory.error).back() == "seq2seq: file/model: the directory cannot be made: Not a directory");
    const Outcome is_file = here.run(std::string("train --model file --data pairs.tsv ") + small);
    CHECK(is_file.code != 0);
    CHECK(lines(is_file.error).back() == "seq2seq: file: the directory cannot be made: Not a directory");
}

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
    CHECK(json::parse(read_log().back())["validation_loss"].get<double>() > 0);
    CHECK(load_checkpoint(here.path() / "new/model").system->options().bidirectional);
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

/// The log's lines without what a clock or the machine says.
std::vector<json> steady_log(const std::filesystem::path& model) {
    std::vector<json> result;
    for (const std::string& line : lines(content_of(model / "log.jsonl"))) {
        json record = json::parse(line);
        for (const char* const key : {"tokens_per_second", "seconds", "peak_memory_mib"}) CHECK(record.erase(key) == 1);
        result.push_back(record);
    }
    return result;
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
                                      "  sleep $delay\n"
                                      "  kill -KILL $pid; wait $pid 2>/dev/null\n"
                                      "  readlink killed/latest\n"
                                      "  \"$program\" train --resume --model killed & pid=$!\n"
                                      "done\n"
                                      "wait $pid\n");
    CAPTURE(killed.error);
    CHECK(killed.code == 0);
    const std::vector<std::string> places = lines(killed.out);
    CHECK(places.size() == 4);
    CHECK(std::set(places.begin(), places.end()).size() > 1);  // it was killed in the midst of its work
    CHECK(steady_log(here.path() / "killed") == steady_log(here.path() / "whole"));
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

TEST_CASE("sentences are translated from arguments and from standard input") {
    const std::string expected = "汤姆追杰瑞。\n跑！\n";
    const Outcome arguments = trained().run("translate --model model 'Tom chases Jerry.' 'RUN !'");
    CHECK(arguments.code == 0);
    CHECK(arguments.out == expected);
    CHECK(arguments.error.empty());
    CHECK(trained().run("translate --model model", "Tom chases Jerry.\r\nRun!").out == expected);
    CHECK(trained().run("translate --model model", "\nRun!\n\n").out == "\n跑！\n\n");
    CHECK(trained().run("translate --model model", "").out.empty());
}

TEST_CASE("each line is translated before the next is read") {
    REQUIRE(trained()
                .shell("rm -f pipe && mkfifo pipe\n"
                       "seq2seq translate --model model <pipe >answers &\n"
                       "exec 3>pipe\n"
                       "echo 'Run!' >&3\n"
                       "for attempt in $(seq 600); do [ ! -s answers ] || break; sleep 0.1; done\n"
                       "cp answers first\n"
                       "echo 'Tom sleeps.' >&3\n"
                       "exec 3>&-\n"
                       "wait $!\n")
                .code == 0);
    CHECK(content_of(trained().path() / "first") == "跑！\n");
    CHECK(content_of(trained().path() / "answers") == "跑！\n汤姆睡觉。\n");
}

TEST_CASE("the attention of every sentence is drawn") {
    REQUIRE(trained().run("translate --model model --attention a.svg 'Tom sleeps.' 'Run!'").code == 0);
    const std::string svg = content_of(trained().path() / "a.svg");
    CHECK(svg.starts_with("<svg "));
    for (const char* const text : {"Tom sleeps.", "Run!", ">sleeps</text>", ">跑</text>", ">&lt;/s&gt;</text>"}) {
        CAPTURE(text);
        CHECK(svg.find(text) != svg.npos);
    }
}

TEST_CASE("an evaluation is one line of JSON") {
    const Outcome evaluation = trained().run("evaluate --model model --data pairs.tsv");
    REQUIRE(evaluation.code == 0);
    REQUIRE(lines(evaluation.out).size() == 1);
    const json line = json::parse(evaluation.out);
    CHECK(line.size() == 8);
    CHECK(line["signature"]["bleu"] == "nrefs:1|case:lc|eff:no|tok:zh|smooth:exp|version:2.6.0");
    CHECK(line["exact_match"] == 1.0);
    CHECK(line["bleu"].get<double>() == doctest::Approx(100));
    CHECK(line["loss"].get<double>() < 0.5);
    CHECK(line["perplexity"].get<double>() == doctest::Approx(std::exp(line["loss"].get<double>())));
    CHECK(line["sentences_per_second"].get<double>() > 0);
    CHECK(line["tokens_per_second"].get<double>() > 0);
    CHECK(evaluation.error.find("skipped 2") != evaluation.error.npos);

    // No data: the held-out part of the built-in corpus, which this model knows little of.
    const Outcome builtin = trained().run("evaluate --model model");
    REQUIRE(builtin.code == 0);
    CHECK(json::parse(builtin.out)["exact_match"].get<double>() < 0.5);
}

TEST_CASE("the tape of a training step is drawn, with a model and without") {
    for (const std::string model : {"", "--model model "}) {
        REQUIRE(trained().run("graph " + model + "--out graph.dot").code == 0);
        const std::string folded = content_of(trained().path() / "graph.dot");
        CHECK(folded.starts_with("digraph"));
        for (const char* const text : {"encoder", "attention", "decoder", "loss", "steps"}) {
            CAPTURE(text);
            CHECK(folded.find(text) != folded.npos);
        }
        REQUIRE(trained().run("graph " + model + "--unfold 2 --out graph.dot").code == 0);
        CHECK(content_of(trained().path() / "graph.dot").size() > folded.size());
    }
    REQUIRE(trained().run("graph --out graph.svg").code == 0);
    CHECK(content_of(trained().path() / "graph.svg").find("<svg") != std::string::npos);
}

TEST_CASE("output that cannot be written is an error") {
    check_error(trained().shell("seq2seq translate --model model 'Run!' >/dev/full"),
                "standard output cannot be written");
    check_error(trained().shell("seq2seq --help >/dev/full"), "standard output");
}

/// All pairs in one batch, and features enough for rounding to pay.
constexpr const char* wide = "train --data pairs.tsv --hidden 256 --embedding 128 --layers 1 --schedule constant ";

TEST_CASE("seq2seq: bfloat16 changes the products, not what is saved") {
    const Workplace here;
    write_file(here.path() / "pairs.tsv", pairs);
    const Outcome training =
        here.run(wide + std::string("--epochs 80 --learning-rate 3e-3 --precision bfloat16 --model m"));
    CHECK(training.code == 0);
    const bool is_idle = !bfloat16_is_idle().empty();
    CHECK(training.error.find(is_idle ? "float32 products" : "bfloat16 products") != training.error.npos);
    CHECK((training.error.find("brings nothing here") != training.error.npos) == is_idle);
    for (const Tensor& parameter : load_checkpoint(here.path() / "m").system->parameters())
        CHECK(parameter.dtype() == Dtype::float32);
    const Outcome exact = here.run("evaluate --model m --data pairs.tsv"),
                  rounded = here.run("evaluate --model m --data pairs.tsv --precision bfloat16");
    CHECK(json::parse(exact.out)["exact_match"] == 1.0);
    CHECK(json::parse(rounded.out)["exact_match"] == 1.0);
    CHECK(here.run("translate --model m --precision bfloat16 'Tom sleeps.'").out == "汤姆睡觉。\n");
}

TEST_CASE("seq2seq: where bfloat16 brings nothing, it says so and works") {
    const Workplace here;
    write_file(here.path() / "pairs.tsv", pairs);
    for (const std::string environment : {"WENGERT_GEMM=openblas", "ONEDNN_MAX_CPU_ISA=AVX2"}) {
        CAPTURE(environment);
        const auto run = [&](const std::string& arguments) {
            const Outcome outcome = here.shell("export " + environment + "\nseq2seq " + arguments + "\n");
            CHECK(outcome.code == 0);
            return outcome;
        };
        const std::string train = wide + std::string("--epochs 4 --force ");
        const Outcome rounded = run(train + "--model a --precision bfloat16"), exact = run(train + "--model b");
        CHECK(rounded.error.starts_with("--precision bfloat16 brings nothing here, all stays float32: "));
        CHECK(rounded.error.find("float32 products") != rounded.error.npos);
        CHECK(exact.error.find("brings nothing") == exact.error.npos);
        const auto loss = [&](const std::string& model) {
            return json::parse(run("evaluate --model " + model + " --data pairs.tsv").out)["loss"].get<double>();
        };
        CHECK(loss("a") == loss("b"));
    }
}
