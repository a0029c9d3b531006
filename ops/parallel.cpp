#include <omp.h>

#include <algorithm>
#include <wengert/ops/parallel.hpp>

namespace wengert {
namespace {

/// Below this many elements one thread is done before a second has woken up.
constexpr std::int64_t least_work = 8192;

}  // namespace

int thread_count() { return omp_get_max_threads(); }

void parallel_ranges(std::int64_t n, std::int64_t alignment, std::int64_t work, RangeBody body, const void* context) {
    const std::int64_t blocks = (n + alignment - 1) / alignment;
    const std::int64_t threads = std::min<std::int64_t>(omp_get_max_threads(), blocks);
    if (threads <= 1 || work < least_work || omp_in_parallel()) {
        if (n > 0) body(context, 0, n);
        return;
    }
#pragma omp parallel num_threads(static_cast<int>(threads))
    {
        const std::int64_t thread = omp_get_thread_num();
        const std::int64_t begin = blocks * thread / threads * alignment;
        const std::int64_t end = std::min(n, blocks * (thread + 1) / threads * alignment);
        if (begin < end) body(context, begin, end);
    }
}

}  // namespace wengert
