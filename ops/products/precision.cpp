#include <wengert/ops/products/internal/gemm.hpp>
#include <wengert/ops/products/precision.hpp>

namespace wengert {

std::string_view bfloat16_is_idle() { return gemm::bfloat16_is_idle(); }

}  // namespace wengert
