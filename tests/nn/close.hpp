#pragma once

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <wengert/autograd/tensor/tensor.hpp>

/// The first element in which two tensors differ by more than `tolerance`, in words, or that their shapes or dtypes do;
/// empty if they agree, so that CHECK(difference(a, b, 1e-10) == "") says what is wrong. NaN agrees with nothing.
inline std::string difference(const wengert::Tensor& actual, const wengert::Tensor& expected, double tolerance) {
    if (actual.shape() != expected.shape() || actual.dtype() != expected.dtype())
        return fmt::format("{} {} instead of {} {}", to_string(actual.dtype()), to_string(actual.shape()),
                           to_string(expected.dtype()), to_string(expected.shape()));
    const auto is = actual.to_vector<double>(), should = expected.to_vector<double>();
    for (std::size_t i = 0; i < is.size(); ++i)
        if (!(std::abs(is[i] - should[i]) <= tolerance))
            return fmt::format("element {} of {} is {} instead of {}", i, to_string(actual.shape()), is[i], should[i]);
    return "";
}
