#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <wengert/autograd/tape/operation.hpp>

/// What the ops of linear algebra share: operands that are batches of matrices [.., m, n], and the walk over a batch.
namespace wengert::matrices {

/// Throws unless x is float32 or float64, has two axes or more, and BLAS can count them.
void require(const Tensor& x, std::string_view name);
/// The same, and unless the last two axes are equally long.
void require_square(const Tensor& x, std::string_view name);

/// The shape of x in a x = b for a = in[0] [.., n, n], b = in[1] [.., n, k]: [.., n, k], leading axes broadcast. Throws
/// unless the two fit.
Shape solution_shape(const Inputs& in);
/// Throws unless a x = b has as many rows on both sides: of a [.., m, n] and b [.., m, k], or a vector b [m].
void require_equation(const Tensor& a, const Tensor& b);

/// How many matrices x [.., m, n] is.
std::int64_t count(const Tensor& x);
/// "a" for the only matrix of x [m, n], "a[2, 0]" for one of a batch.
std::string place(const Tensor& x, std::string_view name, std::int64_t matrix);

/// What f said of the first matrix that it refused.
struct Refusal {
    std::int64_t matrix, reason;
};
/// Calls f(i, room) for the matrices 0, .., n - 1 of a batch, each of which costs so many multiplications. f returns 0,
/// or why it refuses a matrix; the first refusal is returned, and what comes after it may be left out. Threads share
/// a batch, and BLAS, which finds itself in a parallel region, uses none of its own; it does for a matrix alone. Each
/// thread has a room of so many bytes, at a multiple of 64.
using Body = std::int64_t (*)(const void* f, std::int64_t matrix, std::byte* room);
std::optional<Refusal> walk(std::int64_t n, std::int64_t cost, std::int64_t room, Body body, const void* f);

template <class F>
std::optional<Refusal> for_each(std::int64_t n, std::int64_t cost, std::int64_t room, const F& f) {
    return walk(
        n, cost, room,
        [](const void* g, std::int64_t matrix, std::byte* room_of_thread) -> std::int64_t {
            if constexpr (std::is_void_v<std::invoke_result_t<F, std::int64_t, std::byte*>>) {
                (*static_cast<const F*>(g))(matrix, room_of_thread);
                return 0;
            } else {
                return (*static_cast<const F*>(g))(matrix, room_of_thread);
            }
        },
        &f);
}

/// For each matrix of a batch, which of another batch's broadcasts to it.
class Counterpart {
  public:
    /// x [.., m, n] broadcasts to a tensor of this shape, but for the last two axes.
    Counterpart(const Tensor& x, const Shape& shape);
    std::int64_t operator()(std::int64_t matrix) const;

  private:
    Shape batch_, steps_, strides_;
};

/// [n, n] with ones on the diagonal, for x [.., n, n].
Tensor identity_like(const Tensor& x);
/// a b in full precision, for rules.
Tensor product(const Tensor& a, const Tensor& b);

}  // namespace wengert::matrices
