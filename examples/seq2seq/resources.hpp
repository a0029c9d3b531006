#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <wengert/ops/products/precision.hpp>

namespace wengert::program {

/// What a verb computes with.
struct Resources {
    int threads = 0;  ///< 0: as OpenMP decides
    Precision precision = Precision::float32;
    std::int64_t memory_limit = 0;  ///< MiB; 0: none
};

/// --threads, --memory-limit and --precision.
void add_resources(CLI::App& verb, Resources& resources, const std::string& group = "Options");

/// Runs the verb with them, and says where a precision brings nothing.
void compute_with(const Resources& resources, const std::function<void()>& verb);

}  // namespace wengert::program
