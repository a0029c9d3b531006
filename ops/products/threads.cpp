#include <omp.h>

#include <string>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/ops/products/internal/gemm.hpp>
#include <wengert/ops/products/threads.hpp>

namespace wengert {

int thread_count() { return omp_get_max_threads(); }

void set_thread_count(int threads) {
    if (threads < 1)
        throw ValueError("set_thread_count: there must be at least one thread, not " + std::to_string(threads));
    omp_set_num_threads(threads);
    gemm::set_thread_count(threads);
}

}  // namespace wengert
