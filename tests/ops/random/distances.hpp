#pragma once

#include <algorithm>
#include <cmath>

#include "../../values.hpp"

/// The largest distance between the share of the values below a point and the probability of that (Kolmogorov 1933),
/// and what it stays below but for one sample in 100,000.
template <class F>
double distance(Values values, const F& probability_below) {
    std::ranges::sort(values);
    double largest = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double p = probability_below(values[i]), n = static_cast<double>(values.size());
        largest = std::max({largest, p - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - p});
    }
    return largest;
}
inline double limit(int count) { return 2.47 / std::sqrt(static_cast<double>(count)); }
