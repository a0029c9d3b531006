#pragma once

#include <concepts>
#include <vector>
#include <wengert/autograd/transform/derivatives.hpp>

namespace WENGERT_EXPORT wengert {

/// f(x, more..) for less memory: it runs without being recorded, and is run once more when backward comes to it (Chen
/// et al. 2016, Training deep nets with sublinear memory cost). What is kept meanwhile is the arguments, and no more.
///
///     for (const Block& block : blocks) h = checkpoint([&](const Tensor& h) { return block(h, noise); }, h);
///
/// Values and derivatives are those of f(x, more..), of all orders; sums of several uses of a parameter may round
/// differently. Parameters and recorded tensors that f captures get their cotangents too. Checkpoints nest.
///
/// f must be the same function when it runs again: what it captures by reference must live and be unchanged, and so
/// must scopes such as ProductPrecision. It draws the same random numbers, whichever generators it draws from, and
/// moves them once. Under no tape it is f(x, more..), and no more.
///
/// Throws ValueError for an undefined argument or result. A backward pass throws TapeError if f's result has another
/// shape the second time, if it draws another number of random numbers, or if what it captured was overwritten since.
Tensor checkpoint(const TensorFunction& f, const std::vector<Tensor>& inputs,
                  const SourceLine& where = std::source_location::current());

template <class F, std::same_as<Tensor>... More>
Tensor checkpoint(const F& f, const Input& x, const More&... more) {
    return checkpoint(function_of_list<1 + sizeof...(More)>(f), {tensor_of(x, "checkpoint"), more...}, x.where());
}

}  // namespace wengert
