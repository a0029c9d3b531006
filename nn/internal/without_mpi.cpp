#include <wengert/nn/internal/mpi_launch.hpp>
#include <wengert/nn/mpi.hpp>

namespace wengert {

std::unique_ptr<Communicator> mpi_communicator() {
    if (is_one_of_several_ranks())
        throw ValueError(
            "mpi: mpirun started several of this program, and this build has no MPI; install libopenmpi-dev and "
            "configure the build with -Dmpi=enabled");
    return std::make_unique<SingleProcess>();
}

bool is_mpi_built() { return false; }

}  // namespace wengert
