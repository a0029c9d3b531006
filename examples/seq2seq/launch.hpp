#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace wengert::program {

/// A training on several ranks, which this process starts and waits for.
struct Launch {
    std::int64_t ranks = 0;           ///< 0: this process trains
    bool restart_on_failure = false;  ///< goes on with those ranks that are left
    bool is_rank = false;             ///< such a process has started this one

    bool starts_ranks() const { return ranks > 0 && !is_rank; }
};

/// The flag of a rank, which no help shows.
inline constexpr const char* rank_flag = "--is-rank";

/// Starts the ranks by mpirun, each with the words of this program's command line and rank_flag. SIGINT, SIGTERM and
/// SIGHUP save and end the training; whatever ends this process ends mpirun, and so the ranks.
///
/// With restart_on_failure a training that has begun goes on from its last checkpoint on one rank less, until none is
/// left. Two attempts in a row that save nothing new end it, so that an error that comes again does.
///
/// Returns what the last mpirun ended with, or 128 and the number of the signal at which the training was saved. Throws
/// ValueError if MPI has started this process already or this build has none, and Error if mpirun cannot be started.
int launch(const Launch& asked, const std::filesystem::path& model, const std::vector<std::string>& line);

}  // namespace wengert::program
