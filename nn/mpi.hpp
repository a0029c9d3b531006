#pragma once

#include <memory>
#include <wengert/nn/communicator.hpp>

namespace WENGERT_EXPORT wengert {

/// The ranks that `mpirun -np N program` started; rank 0 of 1 if the program was not started so. It stands in the
/// library `wengert-mpi`. The first one begins MPI, unless the program did that itself, and its end ends MPI: a program
/// has one. If an exception ends it, MPI is left as it is: mpirun ends the other ranks when the process has ended.
///
/// Who waits for other ranks leaves the processor to others after a millisecond. Throws ValueError if MPI has ended
/// already, or if mpirun started the program and this build has no MPI, so that N processes do not all do the same.
/// What fails in MPI is an Error with its words.
std::unique_ptr<Communicator> mpi_communicator();

/// Whether this build has MPI.
bool is_mpi_built();

}  // namespace wengert
