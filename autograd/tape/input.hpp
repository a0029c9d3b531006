#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <wengert/autograd/tensor/tensor.hpp>

namespace WENGERT_EXPORT wengert {

/// A type of the caller's that converts to a tensor.
template <class T>
concept ConvertsToTensor = !std::is_arithmetic_v<T> && !std::same_as<T, Tensor> && !std::same_as<T, class Input> &&
                           std::is_convertible_v<const T&, Tensor>;

/// An operand of a public op: a tensor, or a number, whose dtype follows from the other operands'
/// (ops/elementwise/promotion.hpp). Made by conversion at the call, where it notes the caller's line.
class Input {
  public:
    /// A tensor; the handle must outlive the call.
    Input(const Tensor& tensor, const SourceLine& where = std::source_location::current())
        : tensor_(&tensor), where_(where) {}
    /// What converts to a tensor. `converted` lives as long as the call whose operand this is.
    template <ConvertsToTensor T>
    Input(const T& x, const SourceLine& where = std::source_location::current(), Tensor&& converted = Tensor())
        : tensor_(&converted), where_(where) {
        converted = static_cast<Tensor>(x);
    }
    /// The same operand: it knows its line.
    Input(const Input& x, const SourceLine&) : Input(x) {}
    /// A number; its dtype follows from the other operands'.
    template <class T>
    requires std::is_arithmetic_v<T> Input(T value, const SourceLine& where = std::source_location::current())
        : where_(where) {
        constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
        if (std::is_integral_v<T> && (value <= T{0} || static_cast<std::uint64_t>(value) <= most)) {
            number_ = static_cast<std::int64_t>(value);
            dtype_ = std::same_as<T, bool> ? Dtype::boolean : Dtype::int64;
        } else {
            number_ = std::bit_cast<std::int64_t>(static_cast<double>(value));
        }
    }

    /// The tensor; throws ValueError if it is undefined or the operand is a number.
    const Tensor& tensor() const;
    /// Whether it is a number, and no tensor.
    bool is_number() const { return tensor_ == nullptr; }
    /// Whether it is a default-constructed tensor.
    bool is_undefined() const { return tensor_ != nullptr && !tensor_->defined(); }
    /// What a number would be if nothing else had a dtype: float32, int64 or bool, as PyTorch has it.
    Dtype number_dtype() const { return dtype_; }
    /// The tensor, or the number as a scalar of `dtype`. Throws ValueError for one that `dtype` cannot hold.
    Tensor as(Dtype dtype) const;
    /// The line where the caller wrote the operand.
    const SourceLine& where() const { return where_; }

  private:
    const Tensor* tensor_ = nullptr;
    std::int64_t number_ = 0;  ///< or the bits of a double
    SourceLine where_;
    Dtype dtype_ = Dtype::float32;
};

}  // namespace wengert
