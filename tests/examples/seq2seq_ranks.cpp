// Mirrors no file: the training of the program in examples/seq2seq on several ranks.
#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <wengert/models/seq2seq/checkpoint.hpp>

#include "ranks_at_work.hpp"

using namespace wengert;
using nlohmann::json;

namespace {

const std::string on_pairs =
    "train --data pairs.tsv --validation-data pairs.tsv --hidden 24 --embedding 12 --layers 1 --threads 1 "
    "--learning-rate 0.01 ";

/// A script in which `ranks N ARGUMENT...` runs the program on N ranks, and pid has the number of rank 1's process.
std::string with_ranks(const std::string& script) {
    return "cat >one_rank.sh <<'end'\n"
           "[ \"$OMPI_COMM_WORLD_RANK\" = 1 ] && echo $$ >pid\n"
           "exec '" WENGERT_SEQ2SEQ
           "' \"$@\"\n"
           "end\n"
           "ranks() { size=$1; shift; " +
           mpirun(0).substr(0, mpirun(0).size() - 2) + "$size sh one_rank.sh \"$@\"; }\n" + script;
}

std::vector<json> logged_by_ranks(const std::filesystem::path& model) {
    std::vector<json> result;
    for (const std::string& line : lines(content_of(model / "log.jsonl"))) result.push_back(json::parse(line));
    return result;
}

void check_same_course(const std::vector<json>& a, const std::vector<json>& b) {
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        CHECK(a[i]["step"] == b[i]["step"]);
        CHECK(a[i]["learning_rate"] == b[i]["learning_rate"]);
        for (const char* const key : {"loss", "gradient_norm", "validation_loss"})
            CHECK(a[i][key].get<double>() == doctest::Approx(b[i][key].get<double>()).epsilon(1e-3));
    }
}

}  // namespace

TEST_CASE("two ranks train as one with twice the batch, one of them speaks, and others go on") {
    if (!has_mpi()) return;
    const Workplace here;
    write_file(here.path() / "pairs.tsv", pairs);
    const std::string falling = on_pairs + "--schedule plateau --schedule-patience 0 --metric chrf ";
    const Outcome run =
        here.shell(with_ranks("set -e\n"
                              "seq2seq " +
                              falling +
                              "--batch 4 --epochs 8 --model one 2>/dev/null\n"
                              "ranks 2 " +
                              falling +
                              "--batch 2 --epochs 4 --model two\n"
                              "ranks 3 train --resume --model two --epochs 6\n"
                              "seq2seq train --resume --model two --epochs 8\n"
                              "wc -l <two/commands.txt\n"));
    CAPTURE(run.error);
    REQUIRE(run.code == 0);
    check_same_course(logged_by_ranks(here.path() / "two"), logged_by_ranks(here.path() / "one"));
    CHECK(lines(run.out).back() == "3");
    CHECK(has(run.error, "2 ranks of 1 threads"));
    CHECK(has(run.error, "3 ranks of 1 threads"));
    // A rank that speaks says it once.
    for (const std::string line : {"epoch 4: ", "epoch 6: ", "going on after step 8 of 12\n"}) {
        CAPTURE(line);
        const std::size_t at = run.error.find(line);
        CHECK(at != run.error.npos);
        CHECK(run.error.find(line, at + 1) == run.error.npos);
    }
    CHECK(load_checkpoint(here.path() / "two").steps == 16);
}

TEST_CASE("a rank that is killed ends the run with a message, and the training goes on from its checkpoint") {
    if (!has_mpi()) return;
    const Workplace here;
    write_file(here.path() / "pairs.tsv", pairs);
    const std::string train = on_pairs + "--batch 2 --save-every 5 --validate-every 50 --max-steps ";
    const Outcome run = here.shell(with_ranks("ranks 2 " + train +
                                              "1000000 --model m 2>first & pid=$!\n"
                                              "until [ -e m/latest ] && [ \"$(readlink m/latest)\" != checkpoint-0 ]; "
                                              "do sleep 0.05; done\n"
                                              "kill -KILL $(cat pid); wait $pid; echo $?\n"
                                              "readlink m/latest\n"
                                              "seq2seq train --resume --model m --max-steps 1 2>again; echo $?\n"));
    const std::vector<std::string> out = lines(run.out);
    CAPTURE(run.out);
    REQUIRE(out.size() == 3);
    CHECK(out[0] != "0");
    CHECK(has(content_of(here.path() / "first"), "rank 1"));
    CHECK(has(content_of(here.path() / "first"), "signal 9"));
    CHECK(out[1].starts_with("checkpoint-"));
    CHECK(out[2] == "0");
    CHECK(has(content_of(here.path() / "again"), "the training is at its end already, after step "));
    CHECK(load_checkpoint(here.path() / "m").steps >= 5);
}

TEST_CASE("a signal to any rank saves and ends the training on all") {
    if (!has_mpi()) return;
    const Workplace here;
    write_file(here.path() / "pairs.tsv", pairs);
    const Outcome run = here.shell(with_ranks("ranks 2 " + on_pairs +
                                              "--batch 2 --validate-every 100000 --max-steps 1000000 --model m "
                                              "2>error & pid=$!\n"
                                              "until [ -e m/latest ]; do sleep 0.05; done\n"
                                              "sleep 0.5; kill -TERM $(cat pid); wait $pid; echo $?\n"));
    CHECK(run.out == "143\n");
    CHECK(has(content_of(here.path() / "error"), "stopped by signal 15 after step "));
    CHECK(load_checkpoint(here.path() / "m").steps > 0);
}

TEST_CASE("what one rank cannot do, all leave, and one says it") {
    if (!has_mpi()) return;
    const Workplace here;
    write_file(here.path() / "pairs.tsv", pairs);
    const Outcome run = here.shell(with_ranks("ranks 2 " + on_pairs +
                                              "--max-steps 2 --model m 2>/dev/null || exit\n"
                                              "ranks 2 " +
                                              on_pairs + "--max-steps 2 --model m\n"));
    CHECK(run.code == 1);
    const std::string said = "seq2seq: m: there is a model already; --resume goes on with it, --force begins anew\n";
    const std::size_t at = run.error.find(said);
    CAPTURE(run.error);
    CHECK(at != run.error.npos);
    CHECK(run.error.find("seq2seq: ", at + 1) == run.error.npos);
}

#ifndef WENGERT_MPI
TEST_CASE("several processes of a build without MPI are refused") {
    const Workplace here;
    check_error(here.shell("OMPI_COMM_WORLD_SIZE=2 seq2seq train --model m\n"), "this build has no MPI");
    CHECK(!std::filesystem::exists(here.path() / "m"));
}
#endif
