#include <omp.h>

#include <algorithm>
#include <exception>
#include <wengert/autograd/tensor/internal/waiting.hpp>
#include <wengert/autograd/tensor/parallel.hpp>

namespace wengert {
namespace {

/// Below this many elements one thread is done before a second has woken up.
constexpr std::int64_t least_work = 8192;

}  // namespace

std::int64_t parallel_parts(std::int64_t n, std::int64_t alignment, std::int64_t work) {
    if (work < least_work || is_in_parallel_region()) return 1;
    return std::min<std::int64_t>(omp_get_max_threads(), (n + alignment - 1) / alignment);
}

void parallel_ranges(std::int64_t n, std::int64_t alignment, std::int64_t work, RangeBody body, const void* context) {
    if (n <= 0) return;
    const std::int64_t threads = parallel_parts(n, alignment, work);
    if (threads <= 1) return body(context, 0, n);
    choose_waiting();
    const std::int64_t blocks = (n + alignment - 1) / alignment;
    // An exception must not leave the region; the first one goes on from here.
    std::exception_ptr failure;
#pragma omp parallel num_threads(static_cast <int>(threads))
    {
        // OpenMP may give fewer threads than it was asked for.
        const std::int64_t thread = omp_get_thread_num(), team = omp_get_num_threads();
        const std::int64_t begin = blocks * thread / team * alignment;
        const std::int64_t end = std::min(n, blocks * (thread + 1) / team * alignment);
        try {
            if (begin < end) body(context, begin, end);
        } catch (...) {
#pragma omp critical(wengert_parallel_failure)
            if (failure == nullptr) failure = std::current_exception();
        }
    }
    if (failure != nullptr) std::rethrow_exception(failure);
}

bool is_in_parallel_region() { return omp_in_parallel() != 0; }

}  // namespace wengert
