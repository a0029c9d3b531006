#pragma once

#include <functional>
#include <type_traits>
#include <wengert/autograd/tape/operation.hpp>

namespace WENGERT_EXPORT wengert {

/// Sees or replaces a cotangent: x [..] -> the same value, whose cotangent backward gives to f. What f returns, of the
/// same shape and dtype, goes on to x in its stead; if f returns void, the cotangent goes on as it is.
///
///     const Tensor h = on_cotangent(cell(x, h), [](const Tensor& ct) { return clamp(ct, -1, 1); });
///     const Tensor s = on_cotangent(scores, [](const Tensor& ct) { std::cout << ct; });
///
/// f is called once in each pass that needs x's derivative, with the sum of all that the uses of the result contribute;
/// it must not write to it, and may keep it. Derivatives of a replaced cotangent are those of f, which must compute by
/// ops for them: if not, a recorded pass throws NotDifferentiableError. The same pass throws ShapeError or DtypeError
/// if what f returns is not like x. In forward mode the tangent passes as it is. Throws DtypeError unless x is float32
/// or float64, and ValueError in the pass if f returns an undefined tensor.
Tensor on_cotangent(const Input& x, std::function<Tensor(const Tensor&)> f);

template <class F>
requires std::is_void_v<std::invoke_result_t<F&, const Tensor&>> Tensor on_cotangent(const Input& x, F f) {
    return on_cotangent(x, std::function<Tensor(const Tensor&)>([f](const Tensor& cotangent) mutable {
                            f(cotangent);
                            return cotangent;
                        }));
}

}  // namespace wengert
