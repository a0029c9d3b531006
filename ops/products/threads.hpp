#pragma once

#include <wengert/autograd/tensor/export.hpp>

namespace WENGERT_EXPORT wengert {

/// How many threads kernels and matrix products use: OpenMP's, shared with OpenBLAS. Default: as OpenMP says
/// (OMP_NUM_THREADS, or one for each processor). Set for the calling thread: another thread of the program has its own.
/// Throws ValueError for fewer than one.
int thread_count();
void set_thread_count(int threads);

}  // namespace wengert
