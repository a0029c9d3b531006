#include "launch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <system_error>
#include <thread>
#include <wengert/autograd/tensor/error.hpp>

#include "training_run.hpp"

namespace wengert::program {
namespace {

constexpr const char *ranks_flag = "--ranks", *restart_flag = "--restart-on-failure";

/// A training that was begun here would be one on each rank of that mpirun.
void require_no_mpirun() {
    for (const char* const name : {"OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK"})
        if (std::getenv(name) != nullptr)
            throw ValueError(
                fmt::format("{}: it starts ranks by mpirun, and mpirun has started this process", ranks_flag));
}

/// The words after the program's name, without those that asked for ranks.
std::vector<std::string> of_a_rank(const std::vector<std::string>& words) {
    std::vector<std::string> kept;
    for (std::size_t i = 1; i < words.size(); ++i) {
        if (words[i] == ranks_flag)
            ++i;  // its number
        else if (words[i] != restart_flag && !words[i].starts_with(std::string(ranks_flag) + '='))
            kept.push_back(words[i]);
    }
    return kept;
}

/// The name of the last checkpoint; empty if there is none.
std::string last_checkpoint(const std::filesystem::path& model) {
    std::error_code error;
    return std::filesystem::read_symlink(model / "latest", error).string();
}

/// In a group of its own and without input, so that what is typed reaches this process alone.
pid_t start(std::vector<std::string> command) {
    std::vector<char*> arguments;
    for (std::string& word : command) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t files;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    pid_t process = 0;
    const int failed = ::posix_spawnp(&process, arguments[0], &files, &attributes, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
    if (failed != 0)
        throw Error(fmt::format("{}: {} cannot be started: {}", ranks_flag, command[0],
                                std::generic_category().message(failed)));
    return process;
}

/// What a process ends with, as a shell says it. A signal to this one goes on to the ranks: mpirun hands SIGUSR1 to
/// each, and after another signal would give them no time to save.
int wait_for(pid_t process, const Signals& signals) {
    bool has_told = false;
    for (;;) {
        int status = 0;
        if (const pid_t ended = ::waitpid(process, &status, WNOHANG); ended == process)
            return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        if (signals.received() != 0 && !has_told) has_told = ::kill(process, SIGUSR1) == 0;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

}  // namespace

int launch(const Launch& asked, const std::filesystem::path& model, const std::vector<std::string>& line) {
    require_no_mpirun();
    const Signals signals;
    const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
    std::vector<std::string> arguments = of_a_rank(line);
    for (std::int64_t ranks = asked.ranks;; --ranks) {
        const std::string before = last_checkpoint(model);
        std::vector<std::string> command{"mpirun", "-np", std::to_string(ranks), self};
        command.insert(command.end(), arguments.begin(), arguments.end());
        const int code = wait_for(start(std::move(command)), signals);
        if (const int signal = signals.received(); signal != 0) return code == 0 ? 0 : 128 + signal;
        const std::string now = last_checkpoint(model);
        const bool was_stopped = std::ranges::count(Signals::ending, code - 128) > 0;
        const bool was_lost = code > 128 ? !was_stopped : code != 0 && now != before;
        if (!asked.restart_on_failure || now.empty() || !was_lost) return code;
        if (ranks == 1) {
            fmt::print(stderr, "no rank is left; train --resume goes on from {}\n", now);
            return code;
        }
        fmt::print(stderr, "a rank was lost, mpirun ended with {}: {} of {} ranks go on from {}\n", code, ranks - 1,
                   ranks, now);
        arguments = {"train", "--resume", "--model", model.string()};
    }
}

}  // namespace wengert::program
