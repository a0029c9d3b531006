#pragma once

#include <cmath>
#include <cstring>
#include <vector>
#include <wengert/nn/lstm.hpp>
#include <wengert/ops/shape/concat.hpp>
#include <wengert/ops/shape/copies.hpp>
#include <wengert/ops/shape/views.hpp>

#include "../values.hpp"

/// The tensors of a stack's state, which are one or two.
inline std::vector<wengert::Tensor> parts(const wengert::Tensor& state) { return {state}; }
inline std::vector<wengert::Tensor> parts(const wengert::LstmState& state) { return {state.h, state.c}; }

/// All results of a stack in one vector.
inline wengert::Tensor joined_results(const auto& result) {
    std::vector<wengert::Tensor> all{reshape(result.outputs, {-1})};
    for (const wengert::Tensor& part : parts(result.state)) all.push_back(reshape(part, {-1}));
    return concat(all, 0);
}

/// Bit for bit.
inline bool identical(const wengert::Tensor& a, const wengert::Tensor& b) {
    const wengert::Tensor x = contiguous(a), y = contiguous(b);
    return x.shape() == y.shape() && x.dtype() == y.dtype() &&
           std::memcmp(x.raw(), y.raw(), static_cast<std::size_t>(x.numel()) * size_of(x.dtype())) == 0;
}

inline double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }
