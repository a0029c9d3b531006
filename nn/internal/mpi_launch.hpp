#pragma once

#include <cstdlib>
#include <string_view>

namespace wengert {

/// Whether mpirun, or a cluster's own command, started this program as one of several ranks: they say so in the
/// environment, and nothing has to be loaded to ask.
inline bool is_one_of_several_ranks() {
    for (const char* const name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"})
        if (const char* const size = std::getenv(name)) return std::string_view(size) != "1";
    return std::getenv("PMIX_RANK") != nullptr;
}

}  // namespace wengert
