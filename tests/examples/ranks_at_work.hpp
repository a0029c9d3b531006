#pragma once

#include <string>

#include "workplace.hpp"

/// Programs on several ranks, which mpirun starts.
namespace wengert {

/// The words before a program's that make N ranks of it on this machine, whatever its processors, also for root. A
/// sanitized one looks for no leaks: Open MPI keeps much, and its components are unloaded by then, so that no
/// suppression knows their names.
inline std::string mpirun(int ranks) {
    return "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1 ASAN_OPTIONS=detect_leaks=0 "
           "mpirun --oversubscribe --bind-to none -np " +
           std::to_string(ranks) + ' ';
}

/// Whether this build has MPI and this machine mpirun; says so if not.
inline bool has_mpi() {
#ifdef WENGERT_MPI
    if (Workplace().shell("command -v mpirun").code == 0) return true;
    MESSAGE("skipped: there is no mpirun here");
#else
    MESSAGE("skipped: this build has no MPI");
#endif
    return false;
}

}  // namespace wengert
