#include "seq2seq/launch.hpp"

#include <doctest/doctest.h>

#include <string>
#include <wengert/models/seq2seq/checkpoint.hpp>

#include "../ranks_at_work.hpp"

using namespace wengert;

namespace {

const std::string training =
    "train --data pairs.tsv --validation-data pairs.tsv --hidden 24 --embedding 12 --layers 1 --batch 2 --threads 1 "
    "--save-every 5 --validate-every 1000000 --model m --max-steps ";

/// A line of a script that runs the program beside it, with `pid` the number of its process.
std::string beside(const std::string& arguments) { return "(exec '" WENGERT_SEQ2SEQ "' " + arguments + ") & pid=$!\n"; }

/// Functions of a script: what does not come is not waited for.
constexpr const char* waiting =
    "wait_until() {\n"
    "    turns=0\n"
    "    until eval \"$1\"; do turns=$((turns + 1)); [ $turns -lt 3000 ] || exit 98; sleep 0.02; done\n"
    "}\n"
    "has_saved() { [ -e m/latest ] && [ \"$(readlink m/latest)\" != checkpoint-0 ]; }\n";

/// A workplace in which mpirun is a script that writes down how many ranks it should start, and does what `behaviour`
/// says: `attempt` has the number of its call, and "$@" is the program of a rank.
class StandIn {
  public:
    explicit StandIn(const std::string& behaviour) {
        write_file(here_.path() / "pairs.tsv", pairs);
        write_file(here_.path() / "bin" / "mpirun", std::string("#!/bin/sh\n") + waiting +
                                                        "[ \"$1\" = -np ] || exit 99\n"
                                                        "echo $2 >>ranks; shift 2\n"
                                                        "attempt=$(wc -l <ranks)\n" +
                                                        behaviour);
    }

    Outcome operator()(const std::string& script) const {
        return here_.shell(std::string("chmod +x bin/mpirun\nexport PATH=\"$PWD/bin:$PATH\"\n") + waiting + script);
    }
    /// The numbers of ranks that were asked for.
    std::string ranks() const { return content_of(here_.path() / "ranks"); }
    std::int64_t steps() const { return load_checkpoint(here_.path() / "m").steps; }

  private:
    struct Place : Workplace {
        Place() { std::filesystem::create_directory(path() / "bin"); }
    } here_;
};

const std::string killed_once =
    "if [ $attempt = 1 ]; then\n"
    "    \"$@\" & wait_until has_saved; kill -KILL $!; wait $!; exit 137\n"
    "fi\n"
    "exec \"$@\"\n";

}  // namespace

#ifdef WENGERT_MPI
TEST_CASE("a training goes on by itself with the ranks that are left") {
    const StandIn mpirun(killed_once);
    const Outcome run = mpirun("seq2seq " + training + "400 --ranks 3 --restart-on-failure\n");
    CAPTURE(run.error);
    CHECK(run.code == 0);
    CHECK(mpirun.ranks() == "3\n2\n");
    CHECK(mpirun.steps() == 400);
    CHECK(has(run.error, "mpirun ended with 137: 2 of 3 ranks go on from checkpoint-"));
    CHECK(has(run.error, "going on after step "));
}

TEST_CASE("a training that nobody asked to go on ends with the rank that is lost") {
    const StandIn mpirun(killed_once);
    CHECK(mpirun("seq2seq " + training + "400000 --ranks=3\n").code == 137);
    CHECK(mpirun.ranks() == "3\n");
}

TEST_CASE("a training that cannot go on is not begun again") {
    SUBCASE("there is no checkpoint") {
        const StandIn mpirun("exit 137\n");
        CHECK(mpirun("seq2seq " + training + "10 --ranks 3 --restart-on-failure\n").code == 137);
        CHECK(mpirun.ranks() == "3\n");
    }
    SUBCASE("the checkpoint is another training's") {
        const StandIn mpirun("[ $attempt = 1 ] && exec \"$@\"\nexit 137\n");
        const std::string begin = "seq2seq " + training + "10 --ranks 3 --restart-on-failure";
        CHECK(mpirun(begin + "\n" + begin + " --force\n").code == 137);
        CHECK(mpirun.ranks() == "3\n3\n");
    }
    SUBCASE("the same error comes again") {
        const StandIn mpirun("[ $attempt != 1 ] || \"$@\"\nexit 1\n");
        const Outcome run = mpirun("seq2seq " + training + "10 --ranks 5 --restart-on-failure\n");
        CHECK(run.code == 1);
        CHECK(mpirun.ranks() == "5\n4\n3\n");
        CHECK(has(run.error, "two attempts have saved nothing new; train --resume goes on from checkpoint-10"));
    }
    SUBCASE("no rank is left") {
        const StandIn mpirun("[ $attempt != 1 ] || \"$@\"\nexit 137\n");
        const Outcome run = mpirun("seq2seq " + training + "10 --ranks 2 --restart-on-failure\n");
        CHECK(run.code == 137);
        CHECK(mpirun.ranks() == "2\n1\n");
        CHECK(has(run.error, "no rank is left; train --resume goes on from checkpoint-10"));
    }
    SUBCASE("somebody stopped the ranks") {
        const StandIn mpirun("\"$@\" & wait_until has_saved; kill -USR1 $!; wait $!; exit $?\n");
        CHECK(mpirun("seq2seq " + training + "400000 --ranks 2 --restart-on-failure\n").code == 138);
        CHECK(mpirun.ranks() == "2\n");
    }
}

TEST_CASE("a signal to who started the ranks reaches them as SIGUSR1, and what they did is saved") {
    const std::string stop = beside(training + "400000 --ranks 2 --restart-on-failure") +
                             "wait_until '[ -e ready ]'\n"
                             "kill -TERM $pid; wait $pid; echo $?\n";
    const StandIn mpirun(
        "\"$@\" & rank=$!\n"
        "trap 'kill -USR1 $rank' USR1\n"
        "wait_until has_saved; : >ready\n"
        "wait $rank; code=$?; while kill -0 $rank 2>/dev/null; do wait $rank; code=$?; done; exit $code\n");
    const Outcome run = mpirun(stop);
    CAPTURE(run.error);
    CHECK(run.out == "143\n");
    CHECK(has(run.error, "stopped by signal 10 after step "));
    CHECK(mpirun.ranks() == "2\n");
    CHECK(mpirun.steps() > 0);
    // What was not saved is no end by a signal.
    CHECK(StandIn("trap 'exit 3' USR1\n: >ready\nwait_until false\n")(stop).out == "3\n");
}

TEST_CASE("mpirun ends with who started it, however that ends") {
    const StandIn mpirun("trap ': >told; exit 1' TERM\n: >ready\nwait_until false\n");
    const Outcome run = mpirun(beside(training + "10 --ranks 2") +
                               "wait_until '[ -e ready ]'\n"
                               "kill -KILL $pid; wait_until '[ -e told ]'; echo told\n");
    CHECK(run.out == "told\n");
}

TEST_CASE("ranks are waited for where SIGCHLD is ignored") {
    const StandIn mpirun("exec \"$@\"\n");
    CHECK(mpirun("trap '' CHLD\nexec '" WENGERT_SEQ2SEQ "' " + training + "10 --ranks 2\n").code == 0);
    CHECK(mpirun.steps() == 10);
}
#endif

TEST_CASE("ranks that cannot be started are an error") {
    const Workplace here;
    write_file(here.path() / "pairs.tsv", pairs);
    check_error(here.shell("OMPI_COMM_WORLD_RANK=0 seq2seq " + training + "10 --ranks 2\n"),
                "has started this process: it has OMPI_COMM_WORLD_RANK");
    check_error(here.run(training + "10 --restart-on-failure"), "--ranks");
    check_error(here.run(training + "10 --ranks 0 --restart-on-failure"), "--restart-on-failure: --ranks starts none");
    check_error(here.run(training + "10 --ranks 2 --hold-out 3"), "--hold-out");
#ifdef WENGERT_MPI
    check_error(here.shell("PATH=\nseq2seq " + training + "10 --ranks 2\n"), "mpirun cannot be started: No such file");
#else
    check_error(here.run(training + "10 --ranks 2"), "--ranks: this build has no MPI");
#endif
    CHECK(!std::filesystem::exists(here.path() / "m"));
}

TEST_CASE("of two ranks that mpirun started one is killed, and the other goes on alone") {
    if (!has_mpi()) return;
    const Workplace here;
    write_file(here.path() / "pairs.tsv", pairs);
    // What the command line of mpirun says elsewhere is in Open MPI's environment.
    const Outcome run = here.shell(
        std::string(waiting) +
        "export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 ASAN_OPTIONS=detect_leaks=0\n"
        "export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none\n"
        "rank() {\n"
        "    for process in /proc/[0-9]*; do\n"
        "        [ \"$(readlink $process/cwd)\" = \"$PWD\" ] && grep -qz '^OMPI_COMM_WORLD_RANK=1$' $process/environ "
        "&&\n"
        "            echo ${process#/proc/}\n"
        "    done 2>/dev/null\n"
        "}\n" +
        beside(training + "1000000 --ranks 2 --restart-on-failure") +
        "trap 'kill -KILL $pid' EXIT\n"
        "wait_until has_saved\n"
        "kill -KILL $(rank)\n"
        "wait_until '[ \"$(wc -l <m/commands.txt)\" = 2 ]'\n"
        "sleep 0.5; kill -TERM $pid; wait $pid; echo $?\n");
    CAPTURE(run.error);
    CHECK(run.out == "143\n");
    CHECK(has(run.error, "1 of 2 ranks go on from checkpoint-"));
    CHECK(has(run.error, "stopped by signal "));
}
