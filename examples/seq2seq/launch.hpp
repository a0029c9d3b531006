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
};

/// Starts the ranks by mpirun, each with the words of this program's command line but those that asked for ranks.
/// SIGINT and SIGTERM save and end the training.
///
/// With restart_on_failure, if a rank was killed, or an attempt failed that saved something, the training goes on from
/// its last checkpoint on one rank less, until none is left. An error that comes again at the same step so ends it.
///
/// Returns what the last mpirun ended with, or 128 and the number of the signal that ended the training early. Throws
/// ValueError if mpirun has started this process, too, and Error if mpirun cannot be started.
int launch(const Launch& asked, const std::filesystem::path& model, const std::vector<std::string>& line);

}  // namespace wengert::program
