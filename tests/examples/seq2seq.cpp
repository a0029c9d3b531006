#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <wengert/models/seq2seq/checkpoint.hpp>
#include <wengert/ops/products/precision.hpp>

#include "workplace.hpp"

using namespace wengert;
using nlohmann::json;

namespace {

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

}  // namespace

TEST_CASE("help is there for the program and each verb") {
    const Workplace here;
    const Outcome all = here.run("--help");
    CHECK(all.code == 0);
    for (const std::string verb : {"train", "translate", "interactive", "serve", "evaluate", "compare", "average",
                                   "export", "score", "graph", "gradcheck", "options"}) {
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

TEST_CASE("the page of options is what the program says") {
    CHECK(Workplace().run("options").out == content_of(std::filesystem::path(WENGERT_DOCS) / "options.md"));
}

TEST_CASE("misuse is an error of one line") {
    const Workplace here;
    write_file(here.path() / "pairs.tsv", pairs);
    check_error(here.run(""), "A verb is required");
    check_error(here.run("sing"), "sing");
    check_error(here.run("train"), "--model");
    check_error(here.run("tarnslate --model m"), "there is no verb tarnslate (did you mean translate?)");
    check_error(here.run("--threads 2 tarnslate"), "there is no verb tarnslate (did you mean translate?)");
    check_error(here.run("42"), "there is no verb 42 (");
    check_error(here.run("train --model m --hiden 5"), "--hiden: train has no such option (did you mean --hidden?)");
    check_error(here.run("train --model m --sorce pairs.tsv --target pairs.tsv"),
                "--sorce: train has no such option (did you mean --source?)");
    write_file(here.path() / "wrong.toml", "[train]\nhiden=5\n");
    check_error(here.run("train --model m --config wrong.toml"),
                "--config: INI was not able to parse train.hiden (did you mean --hidden?); a file has [train]");
    write_file(here.path() / "wrong.toml", "[train]\nhidden=[]\n");
    check_error(here.run("train --model m --config wrong.toml"), "--config: train.hidden has no value; a file has");
    write_file(here.path() / "wrong.toml", "[train]\nhidden=[12\n");
    check_error(here.run("train --model m --config wrong.toml"), "--config: the list of hidden has no ]; a file has");
    check_error(here.run("train --model m --preset huge"), "--preset: huge not in {seed,tiny,");
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
    check_error(here.run("train --model m --system cho --heads 2"),
                "cho: heads is 2, but this system does not read it");
    check_error(here.run("train --model m --data absent.tsv"), "absent.tsv");
    check_error(here.run("train --model m --source pairs.tsv"), "--target");
    check_error(here.run("train --model m --data pairs.tsv --source pairs.tsv --target pairs.tsv"), "--data");
    check_error(here.run("translate"), "--model");
    check_error(here.run("translate --model m --temperature 2"), "--temperature requires --sample");
    check_error(here.run("translate --model m --n-best 2"), "--n-best requires --beam");
    check_error(here.run("graph"), "--out");
    check_error(here.run("graph --out a.svg --model m --system cho"), "--model excludes --system");
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
    check_error(trained().run("translate --model model --attention a.png Tom"),
                "the name must end in .svg or .html or .json");
    check_error(trained().run("translate --model model --beam 2 --n-best 3 Tom"),
                "n_best is 3, more than the beam of 2");
    check_error(trained().run("translate --model model --min-length 9 --max-length 3 Tom"),
                "min_length is 9, more than max_length 3");
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

TEST_CASE("the attention of every sentence is written as numbers") {
    REQUIRE(trained().run("translate --model model --attention a.json 'Tom sleeps.' 'Run!'").code == 0);
    const json maps = json::parse(content_of(trained().path() / "a.json"));
    REQUIRE(maps.size() == 2);
    CHECK(maps[1]["title"] == "Run!");
    CHECK(maps[1]["source"] == json{"run", "!", "</s>"});
    CHECK(maps[1]["weights"].size() == maps[1]["target"].size());
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

TEST_CASE("typed lines are translated, with what each token looked at") {
    const Outcome session = trained().run("interactive --model model", "Tom sleeps.\n\n\xff\nRun!\r\n");
    REQUIRE(session.code == 0);
    const auto shown = lines(session.out);
    REQUIRE(shown.size() == 4);  // nothing for the empty line, and the faulty one does not end it
    CHECK(shown[1].starts_with("    -"));
    CHECK(shown[1].find("(") != shown[1].npos);
    CHECK(shown[2] == "跑！");
    CHECK(session.error.find("UTF-8") != session.error.npos);
}

TEST_CASE("models are compared in a table, with their curves and their scores by length") {
    const Outcome table = trained().run(
        "compare --model model/best --model model --data pairs.tsv --beam 2 --curves curves.svg --lengths lengths.svg");
    CAPTURE(table.error);
    REQUIRE(table.code == 0);
    const auto rows = lines(table.out);
    REQUIRE(rows.size() == 6);
    CHECK(rows[0].starts_with("| model | system | parameters | BLEU, greedy | BLEU, beam 2 | p |"));
    for (const std::string& row : rows)
        if (row.starts_with("|")) CHECK(std::ranges::count(row, '|') == 12);
    CHECK(rows[2].starts_with("| model/best | bahdanau | "));
    CHECK(rows[2].find("| 100.0 | 100.0 |") != std::string::npos);
    CHECK(rows[5].find("tok:zh") != std::string::npos);
    for (const char* const picture : {"curves.svg", "lengths.svg"}) {
        const std::string svg = content_of(trained().path() / picture);
        CHECK(svg.starts_with("<svg "));
        CHECK(svg.find("BLEU") != svg.npos);
    }
    check_error(trained().run("compare --model no --data pairs.tsv"), "no: there is no checkpoint");
    check_error(trained().run("compare --model model --curves a.png"), "--curves a.png: the name must end in .svg");
    check_error(trained().run("compare --model model --lengths absent/a.svg"), "absent/a.svg: cannot be written");

    // Equal names do not tell the two apart, and a checkpoint by itself has the log beside it.
    const Outcome greedy = trained().run("compare --model model/ --model model/latest/ --data pairs.tsv");
    REQUIRE(greedy.code == 0);
    CHECK(lines(greedy.out)[0].starts_with("| model | system | parameters | BLEU, greedy | p |"));
    CHECK(lines(greedy.out)[2].starts_with("| model/ | bahdanau |"));
    CHECK(lines(greedy.out)[3].starts_with("| model/latest/ | bahdanau |"));
    CHECK(lines(greedy.out)[3].find("| 1.000 |") != std::string::npos);
    CHECK(lines(greedy.out)[2].find("|  |  |") == std::string::npos);
    CHECK(trained().run("compare --model model --data pairs.tsv --sample").out.find("BLEU, sampled") !=
          std::string::npos);
}

TEST_CASE("scores of unlike kinds are not compared") {
    const Outcome training =
        trained().run(std::string("train --data pairs.tsv --model cased --keep-case --max-steps 1 ") + small);
    REQUIRE(training.code == 0);
    const Outcome table = trained().run("compare --model model --model cased --data pairs.tsv");
    CHECK(table.code != 0);
    CHECK(table.error.find("cased by nrefs:1|case:mixed") != std::string::npos);
}

TEST_CASE("the mean of a model's checkpoints is a model") {
    const Outcome average = trained().run("average --model model --model model/best --out mean");
    CAPTURE(average.error);
    REQUIRE(average.code == 0);
    CHECK(trained().run("translate --model mean 'Run!'").out == "跑！\n");
    check_error(trained().run("average --model model --model no --out other"), "no: there is no checkpoint");
    CHECK(!std::filesystem::exists(trained().path() / "other"));
    check_error(trained().run("average --model model --out mean"), "mean: there is a model already");
    check_error(trained().run("average --model model --out model/latest"), "is a checkpoint");
}

TEST_CASE("export writes graphs and vocabularies, and says what is wrong") {
    const Outcome outcome = trained().run("export --model model --onnx graphs/onnx");
    CAPTURE(outcome.error);
    CHECK(outcome.code == 0);
    for (const char* name : {"encoder.onnx", "step.onnx", "greedy.onnx", "source.vocabulary", "target.vocabulary"})
        CHECK(std::filesystem::file_size(trained().path() / "graphs/onnx" / name) > 0);
    check_error(trained().run("export --model no --onnx out"), "no: there is no checkpoint");
    check_error(trained().run("export --model model --onnx pairs.tsv"), "pairs.tsv: cannot be made: ");
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
