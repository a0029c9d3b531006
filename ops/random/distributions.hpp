#pragma once

#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/random/random.hpp>

/// Random tensors whose parameters are tensors. Constants; the same for any number of threads.
namespace WENGERT_EXPORT wengert {

/// 1 with the probability of each element, else 0: [..] -> the same, of its dtype. A probability counts to 2^-24 in
/// float32, to 2^-53 in float64. Throws ValueError for a probability outside [0, 1], DtypeError unless probabilities
/// are float32 or float64.
Tensor bernoulli(const Input& probability, Generator& generator);

/// Values of gamma distributions of scale 1, with the density x^(a - 1) e^-x / Γ(a): shapes a [..] -> the same, of its
/// dtype, no less than its least normal number (Marsaglia and Tsang 2000, A simple method for generating gamma
/// variables). Throws ValueError unless each a is positive and finite, DtypeError unless shapes are float32 or float64.
Tensor gamma(const Input& a, Generator& generator);

/// Positions drawn by their weights, which need not add up to 1: [.., n] -> int64 [.., count]. Without replacement none
/// is drawn twice, and they stand in the order in which they were drawn (Efraimidis and Spirakis 2006, Weighted random
/// sampling with a reservoir). Throws ValueError for a weight that is negative or not finite, for a row with no weight
/// to draw, or without replacement with fewer than `count`, and for count < 0; DtypeError unless weights are float32 or
/// float64, ShapeError for no axis.
Tensor multinomial(const Input& weights, std::int64_t count, Generator& generator, bool replacement = false);

/// The numbers 0 .. n - 1 in an order of which each is equally likely, int64 [n]. Throws ValueError for n < 0.
Tensor permutation(std::int64_t n, Generator& generator, const SourceLine& where = std::source_location::current());

}  // namespace wengert
