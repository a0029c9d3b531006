#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <wengert/autograd/tensor/export.hpp>

namespace WENGERT_EXPORT wengert {

/// What the operands of a float32 product are rounded to before they are multiplied; sums are float32.
enum class Precision : std::uint8_t {
    float32,
    /// 8 bits of mantissa, one of them not stored: a relative error of 2^-8 at most. float32's range, but for the last
    /// 2^-8 of it, which round to infinity, and for denormal numbers, which count as zero.
    bfloat16,
};

/// As options have it.
constexpr std::string_view to_string(Precision precision) {
    return precision == Precision::bfloat16 ? "bfloat16" : "float32";
}

/// While it lives, matrix products of float32 tensors (matmul, linear, linear_cross_entropy) of this thread have this
/// precision, and so have those of their derivatives, whenever they are taken:
///
///     const ProductPrecision precision(Precision::bfloat16);
///     Tape tape;
///     optimizer.step(tape.gradient(model.loss(...), parameters(model)));
///
/// All else stays float32: parameters, gradients, optimisers, every op that is no product. So do products where
/// rounding gains nothing (those of fewer than 2^20 multiplications, those with a vector, unless it is a row times a
/// weight, batches of products), all in parallel regions of the caller's, and all where bfloat16_is_idle(). Scopes end
/// in the reverse of the order in which they began.
class ProductPrecision {
  public:
    /// Begins a scope, inside of others or not.
    explicit ProductPrecision(Precision precision) : outer_(std::exchange(current_, precision)) {}
    ~ProductPrecision() { current_ = outer_; }
    ProductPrecision(const ProductPrecision&) = delete;
    ProductPrecision& operator=(const ProductPrecision&) = delete;

    /// Of this thread's innermost scope; float32 outside.
    static Precision current() { return current_; }

  private:
    constinit static inline thread_local Precision current_ = Precision::float32;
    const Precision outer_;
};

/// Why Precision::bfloat16 changes nothing here, in words: no oneDNN, or no instructions for it. Empty if it does.
/// Throws ValueError if the environment's WENGERT_GEMM names no library.
std::string_view bfloat16_is_idle();

}  // namespace wengert
