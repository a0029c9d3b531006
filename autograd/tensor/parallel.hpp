#pragma once

#include <cstdint>
#include <type_traits>
#include <wengert/autograd/tensor/export.hpp>

namespace WENGERT_EXPORT wengert {

/// Calls body(begin, end) on OpenMP's threads for parts of [0, n): one for each thread, cut at multiples of
/// `alignment`, or the whole at once if `work` (in elements) does not pay a parallel region. Which thread does what
/// depends on n and the number of threads only. What one of them throws goes on when all are done.
using RangeBody = void (*)(const void* context, std::int64_t begin, std::int64_t end);
void parallel_ranges(std::int64_t n, std::int64_t alignment, std::int64_t work, RangeBody body, const void* context);

template <class F>
void parallel_ranges(std::int64_t n, std::int64_t alignment, std::int64_t work, const F& f) {
    parallel_ranges(
        n, alignment, work,
        [](const void* context, std::int64_t begin, std::int64_t end) {
            (*static_cast<const F*>(context))(begin, end);
        },
        &f);
}

/// How many parts that makes: 1 inside a parallel region.
std::int64_t parallel_parts(std::int64_t n, std::int64_t alignment, std::int64_t work);

/// Whether the calling thread is one of several in an OpenMP region, of a program's own too.
bool is_in_parallel_region();

}  // namespace wengert
