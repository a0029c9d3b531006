#include "launch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <system_error>
#include <thread>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/nn/mpi.hpp>

#include "training_run.hpp"

namespace wengert::program {
namespace {

/// A training that was begun here would be one on each rank of theirs.
void require_startable() {
    for (const char* const name : {"OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK"})
        if (std::getenv(name) != nullptr)
            throw ValueError(fmt::format(
                "--ranks: it starts ranks by mpirun, and mpirun or a cluster has started this process: it has {}",
                name));
    if (!is_mpi_built())
        throw ValueError("--ranks: this build has no MPI; install libopenmpi-dev and configure it with -Dmpi=enabled");
}

/// What a directory says of its training.
struct Saved {
    std::string checkpoint;                     // the last one; empty: there is none
    std::filesystem::file_time_type options{};  // when a training last began, or went on, and wrote its options

    explicit Saved(const std::filesystem::path& model) {
        std::error_code error;
        checkpoint = std::filesystem::read_symlink(model / "latest", error).string();
        options = std::filesystem::last_write_time(model / "train.toml", error);
    }
};

/// What a process ends with, as a shell says it.
int exit_code(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

/// In a group of its own and without input, so that what is typed reaches this process alone.
pid_t start(std::vector<std::string> command) {
    std::vector<char*> arguments;
    for (std::string& word : command) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::array<int, 2> failure{};  // has the number of the error if the program cannot be run
    if (::pipe2(failure.data(), O_CLOEXEC) != 0)
        throw Error(fmt::format("--ranks: {}", std::generic_category().message(errno)));
    std::signal(SIGCHLD, SIG_DFL);  // whoever ignores it hears nothing of an end
    const pid_t parent = ::getpid(), process = ::fork();
    if (process == 0) {
        ::setpgid(0, 0);
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (::getppid() == parent && ::dup2(nothing, STDIN_FILENO) == STDIN_FILENO)
            ::execvp(arguments[0], arguments.data());
        const int error = errno;
        [[maybe_unused]] const auto told = ::write(failure[1], &error, sizeof error);
        ::_exit(127);
    }
    int error = process < 0 ? errno : 0;
    ::close(failure[1]);
    [[maybe_unused]] const auto heard = ::read(failure[0], &error, sizeof error);
    ::close(failure[0]);
    if (error == 0) return process;
    if (process > 0) ::waitpid(process, nullptr, 0);
    throw Error(fmt::format("--ranks: {} cannot be started: {}", command[0], std::generic_category().message(error)));
}

/// A signal to this process goes on to the ranks: mpirun hands SIGUSR1 to each, and after another would give them no
/// time to save.
int wait_for(pid_t process, const Signals& signals) {
    for (bool is_told = false;;) {
        int status = 0;
        const pid_t ended = ::waitpid(process, &status, WNOHANG);
        if (ended == process) return exit_code(status);
        if (ended < 0 && errno != EINTR)
            throw Error(fmt::format("--ranks: mpirun is lost: {}", std::generic_category().message(errno)));
        if (signals.received() != 0 && !is_told) is_told = ::kill(process, SIGUSR1) == 0;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

}  // namespace

int launch(const Launch& asked, const std::filesystem::path& model, const std::vector<std::string>& line) {
    require_startable();
    const Signals signals;
    const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
    std::vector<std::string> words(line.begin() + 1, line.end());
    bool has_begun = false;
    int attempts_in_vain = 0;
    for (std::int64_t ranks = asked.ranks;; --ranks) {
        const Saved before(model);
        std::vector<std::string> command{"mpirun", "-np", std::to_string(ranks), self};
        command.insert(command.end(), words.begin(), words.end());
        command.emplace_back(rank_flag);
        const int code = wait_for(start(std::move(command)), signals);
        const auto is_end_of = [code](int signal) { return code == 128 + signal; };
        if (const int signal = signals.received(); signal != 0) return is_end_of(SIGUSR1) ? 128 + signal : code;
        const Saved after(model);
        has_begun = has_begun || (after.options != before.options && !after.checkpoint.empty());
        attempts_in_vain = after.checkpoint == before.checkpoint ? attempts_in_vain + 1 : 0;
        const bool was_stopped = std::ranges::any_of(Signals::handled, is_end_of);
        if (code == 0 || was_stopped || !asked.restart_on_failure || !has_begun) return code;
        if (ranks == 1 || attempts_in_vain == 2) {
            fmt::print(stderr, "mpirun ended with {}, and {}; train --resume goes on from {}\n", code,
                       ranks == 1 ? "no rank is left" : "two attempts have saved nothing new", after.checkpoint);
            return code;
        }
        fmt::print(stderr, "mpirun ended with {}: {} of {} ranks go on from {}\n", code, ranks - 1, ranks,
                   after.checkpoint);
        words = {"train", "--resume", "--model", model.string()};
    }
}

}  // namespace wengert::program
