#include "resources.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <wengert/autograd/tensor/memory_limit.hpp>
#include <wengert/ops/products/threads.hpp>

#include "option_flags.hpp"

namespace wengert::program {

void add_resources(CLI::App& verb, Resources& r, const std::string& group) {
    add_number(verb, "--threads", r.threads, Bounds<int>{1, 4096},
               "Default: OMP_NUM_THREADS, or one for each processor")
        ->default_str("")
        ->group(group);
    add_number(verb, "--memory-limit", r.memory_limit, Bounds<std::int64_t>{0, std::int64_t{1} << 32},
               "MiB that tensors may take; 0: what the system has")
        ->group(group);
    static constexpr std::array precisions{Choice<Precision>{"float32", Precision::float32},
                                           Choice<Precision>{"bfloat16", Precision::bfloat16}};
    add_choice(verb, "--precision", r.precision, precisions, "Of large products' operands; models stay float32")
        ->group(group);
}

void compute_with(const Resources& resources, const std::function<void()>& verb) {
    if (resources.threads > 0) set_thread_count(resources.threads);
    set_memory_limit(static_cast<std::size_t>(resources.memory_limit) << 20);
    const std::string_view idle = bfloat16_is_idle();  // asked in any case: it refuses a wrong WENGERT_GEMM at once
    const bool is_in_vain = resources.precision == Precision::bfloat16 && !idle.empty();
    if (is_in_vain) fmt::print(stderr, "--precision bfloat16 brings nothing here, all stays float32: {}\n", idle);
    const ProductPrecision precision(is_in_vain ? Precision::float32 : resources.precision);
    verb();
}

}  // namespace wengert::program
