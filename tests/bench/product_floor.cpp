#include "product_floor.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <numeric>
#include <wengert/ops/products/internal/gemm.hpp>

namespace wengert {
namespace {

/// How many sentences are longer than each step.
std::vector<std::int64_t> rows_of_steps(const std::vector<std::int64_t>& lengths) {
    std::vector<std::int64_t> rows(static_cast<std::size_t>(std::ranges::max(lengths)));
    for (const std::int64_t length : lengths)
        for (std::int64_t t = 0; t < length; ++t) ++rows[static_cast<std::size_t>(t)];
    return rows;
}

std::int64_t total(const std::vector<std::int64_t>& rows) { return std::reduce(rows.begin(), rows.end()); }

}  // namespace

double ProductFloor::product(Kind kind, std::int64_t rows, std::int64_t in, std::int64_t out, bool repeats) {
    const auto [entry, is_new] = measured_.try_emplace({kind, rows, in, out}, 0);
    if (!is_new) return entry->second;
    const auto reserve = [](std::vector<float>& v, std::int64_t n) {
        if (v.size() < static_cast<std::size_t>(n)) v.assign(static_cast<std::size_t>(n), 0.5f);
    };
    reserve(a_, std::max(rows * in, rows * out));
    reserve(b_, std::max(in * out, rows * out));
    reserve(c_, std::max({rows * out, rows * in, in * out}));
    const auto multiply = [&] {
        switch (kind) {
            case Kind::forward:
                return gemm::multiply<float>({a_.data(), rows, in, in, 1}, {b_.data(), in, out, 1, in},
                                             {c_.data(), rows, out, out, 1}, false);
            case Kind::input_gradient:
                return gemm::multiply<float>({a_.data(), rows, out, out, 1}, {b_.data(), out, in, in, 1},
                                             {c_.data(), rows, in, in, 1}, false);
            case Kind::weight_gradient:
                return gemm::multiply<float>({a_.data(), out, rows, 1, out}, {b_.data(), rows, in, in, 1},
                                             {c_.data(), out, in, in, 1}, false);
        }
    };
    double best = std::numeric_limits<double>::infinity();
    for (int run = 0; run < (repeats ? 12 : 3); ++run) {
        const auto begin = std::chrono::steady_clock::now();
        multiply();
        best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    }
    return entry->second = best;
}

double ProductFloor::layer(const std::vector<std::int64_t>& rows, std::int64_t in, std::int64_t out) {
    double seconds = 0;
    for (const std::int64_t n : rows) {
        seconds += product(Kind::forward, n, in, out, rows.size() > 1);
        if (training_) seconds += product(Kind::input_gradient, n, in, out, rows.size() > 1);
    }
    if (training_) seconds += product(Kind::weight_gradient, total(rows), in, out, false);
    return seconds;
}

double ProductFloor::seconds(const BatchLengths& lengths) {
    const auto [h, e, v, a, layers, bidirectional] = model_;
    const std::vector<std::int64_t> source = rows_of_steps(lengths.source);
    std::vector<std::int64_t> target = rows_of_steps(lengths.target);
    target.erase(target.begin());  // a target's last token is not read
    const std::int64_t directions = bidirectional ? 2 : 1, memory = h * directions;
    double seconds = 0;
    for (int l = 0; l < layers; ++l)
        for (std::int64_t d = 0; d < directions; ++d)
            seconds += layer({total(source)}, l == 0 ? e : memory, 3 * h) + layer(source, h, 3 * h);
    if (bidirectional) seconds += layer({source.front()}, memory, h);
    seconds += layer({total(source)}, memory, a) + layer(target, h, a);
    seconds += layer({total(target)}, e, 3 * h) + layer(target, memory, 3 * h) + layer(target, h, 3 * h);
    return seconds + layer({total(target)}, h, v);
}

double ProductFloor::greedy_seconds(std::int64_t batch, std::int64_t source_length, std::int64_t steps) {
    const auto [h, e, v, a, layers, bidirectional] = model_;
    const std::vector<std::int64_t> source(static_cast<std::size_t>(source_length), batch),
        target(static_cast<std::size_t>(steps), batch);
    const std::int64_t directions = bidirectional ? 2 : 1, memory = h * directions;
    double seconds = 0;
    for (int l = 0; l < layers; ++l)
        for (std::int64_t d = 0; d < directions; ++d)
            seconds += layer({total(source)}, l == 0 ? e : memory, 3 * h) + layer(source, h, 3 * h);
    if (bidirectional) seconds += layer({batch}, memory, h);
    seconds += layer({total(source)}, memory, a) + layer(target, h, a);
    return seconds + layer(target, e, 3 * h) + layer(target, memory, 3 * h) + layer(target, h, 3 * h) +
           layer(target, h, v);
}

}  // namespace wengert
