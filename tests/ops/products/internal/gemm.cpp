#include <doctest/doctest.h>

#include <cstdlib>
#include <wengert/ops/products/internal/gemm.hpp>

using namespace wengert;

TEST_CASE("OpenBLAS uses no kernels of 2004 on a processor that can do more") {
#ifdef __x86_64__
    if (std::getenv("OPENBLAS_CORETYPE") == nullptr && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        CHECK(gemm::kernels() != "Prescott");
#endif
    CHECK_FALSE(gemm::kernels().empty());
}
