#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <wengert/ops/internal/composed.hpp>
#include <wengert/ops/ops.hpp>

namespace wengert {
namespace {

/// f of x, of this shape, and whole numbers.
template <class F>
Sample sample_with_positions(std::string label, const Shape& shape, std::initializer_list<double> positions, F f) {
    return {std::move(label), {sample_values(shape, -1.5, 1.5, 1), tensor(positions, Dtype::int64)}, std::move(f)};
}

}  // namespace

std::span<const ComposedFunction> composed_lookups() {
    static constexpr ComposedFunction rows[] = {
        {{"index_select(x, axis, positions)", "[.., n, ..], int64 [k] -> [.., k, ..]", "x[.., positions[i], ..]",
          "ct added at the positions"},
         [] {
             const auto along = [](int axis) {
                 return [axis](const std::vector<Tensor>& in) { return index_select(in[0], axis, in[1]); };
             };
             return Samples{sample_with_positions("[3, 2], positions twice", {3, 2}, {2, 0, 2, 2}, along(0)),
                            sample_with_positions("[2, 3, 2], axis -2", {2, 3, 2}, {1, 0}, along(-2)),
                            sample_with_positions("[2, 3], no positions", {2, 3}, {}, along(1))};
         }}};
    return rows;
}

std::span<const ComposedFunction> composed_positions() {
    static constexpr ComposedFunction rows[] = {
        {{"nonzero(x)", "[..] -> int64 [k, axes]", "the positions of the elements that are not 0", "none"}},
        {{"masked_select(x, mask)", "the mask broadcasts -> [k]", "the elements where mask ≠ 0",
          "ct where mask ≠ 0, else 0"},
         [] {
             return Samples{sample_with_positions("[2, 3], a mask [3]", {2, 3}, {1, 0, 1},
                                                  [](const auto& in) { return masked_select(in[0], in[1]); }),
                            sample_with_positions("[2, 1], which broadcasts", {2, 1}, {0, 1, 1},
                                                  [](const auto& in) { return masked_select(in[0], in[1]); })};
         }},
        {{"one_hot(ids, n)", "int64 [..] -> [.., n]", "1 at the position ids, else 0", "none"}}};
    return rows;
}

std::span<const ComposedFunction> composed_scatters() {
    static constexpr ComposedFunction rows[] = {
        {{"index(x, {i, j})", "[n, m, ..], int64 [p..] each -> [p.., ..]", "x[i, j]", "ct added at the positions"},
         [] {
             return Samples{sample_with_positions("[3, 2, 2] by one axis", {3, 2, 2}, {2, 0, 2},
                                                  [](const auto& in) { return index(in[0], {in[1]}); }),
                            {"[3, 3] by two, one from the end",
                             {sample_values({3, 3}, -1.5, 1.5, 2), tensor({2, 0, 2}, Dtype::int64),
                              tensor({-1, 1, -3}, Dtype::int64)},
                             [](const auto& in) {
                                 return index(in[0], {in[1], in[2]});
                             }}};
         }},
        {{"index_put(x, {i, j}, values, accumulate = false)", "[n, m, ..], int64 [p..] each, [p.., ..] -> [n, m, ..]",
          "x, with values set or added at [i, j]", "ct, 0 where values are set; ct[i, j]"},
         [] {
             const Tensor x = sample_values({3, 2}, -1.5, 1.5, 1), places = tensor({2, 0, 2}, Dtype::int64);
             return Samples{{"set, the last one where a place is given twice",
                             {x, places, sample_values({3, 2}, -1.5, 1.5, 2)},
                             [](const auto& in) { return index_put(in[0], {in[1]}, in[2]); }},
                            {"added, values that broadcast",
                             {x, places, sample_values({2}, -1.5, 1.5, 3)},
                             [](const auto& in) { return index_put(in[0], {in[1]}, in[2], true); }},
                            {"set, by two axes",
                             {x, places, sample_values({3}, -1.5, 1.5, 4), tensor({1, 0, 0}, Dtype::int64)},
                             [](const auto& in) {
                                 return index_put(in[0], {in[1], in[3]}, in[2]);
                             }}};
         }},
        {{"segment_sum(values, segments, n)", "[k, ..], int64 [k] -> [n, ..]", "sums of the slices of each segment",
          "ct[segments]"},
         [] {
             return Samples{sample_with_positions("[4, 2], an empty segment", {4, 2}, {2, 0, 2, 0},
                                                  [](const auto& in) { return segment_sum(in[0], in[1], 3); }),
                            sample_with_positions("[3]", {3}, {1, 1, 0},
                                                  [](const auto& in) { return segment_sum(in[0], in[1], 2); })};
         }}};
    return rows;
}

std::span<const ComposedFunction> composed_orders() {
    static constexpr ComposedFunction rows[] = {
        {{"sort(x, axis = -1, descending = false)", "[.., n, ..] -> the same", "the elements in their order",
          "ct where they came from"},
         [] {
             return Samples{sample_of("[2, 4]", {{2, 4}}, [](const auto& in) { return sort(in[0]); }),
                            sample_of("[4, 2], axis 0, descending", {{4, 2}},
                                      [](const auto& in) { return sort(in[0], 0, true); })};
         }},
        {{"topk(x, k, axis = -1, largest = true)", "[.., n, ..] -> [.., k, ..], int64 [.., k, ..]",
          "the k largest elements, or smallest, and their positions", "ct where they came from; none"},
         [] {
             return Samples{
                 sample_of("[2, 5], the largest", {{2, 5}}, [](const auto& in) { return topk(in[0], 2).values; }),
                 sample_of("[4, 2], axis 0, the smallest", {{4, 2}},
                           [](const auto& in) { return topk(in[0], 3, 0, false).values; })};
         }},
        {{"cummax(x, axis), cummin(x, axis)", "[.., n, ..] -> the same, int64 the same",
          "the largest element so far, or smallest, and its position", "ct added where they came from; none"},
         [] {
             return Samples{
                 sample_of("cummax, [2, 6]", {{2, 6}}, [](const auto& in) { return cummax(in[0], 1).values; }),
                 sample_of("cummin, [5, 2]", {{5, 2}}, [](const auto& in) { return cummin(in[0], 0).values; })};
         }},
        {{"quantile(x, q, axes = all_axes, keepdim = false), median(x, axes = all_axes, keepdim = false)",
          "[.., n, ..] -> [.., ..]", "what a share q of the elements is below", "ct, shared between the two nearest"},
         [] {
             return Samples{sample_of("quantile, [2, 5], between two", {{2, 5}},
                                      [](const auto& in) { return quantile(in[0], 0.3); }),
                            sample_of("quantile, [5, 2], of one element, keepdim", {{5, 2}},
                                      [](const auto& in) { return quantile(in[0], 0.75, 0, true); }),
                            sample_of("median, [2, 4]", {{2, 4}}, [](const auto& in) { return median(in[0], -1); })};
         }}};
    return rows;
}

std::span<const ComposedFunction> composed_arrangements() {
    static constexpr ComposedFunction rows[] = {
        {{"slice(x, axis, {.begin, .end, .step})", "[.., n, ..] -> [.., k, ..]", "x[.., begin:end:step, ..]",
          "ct in its place, 0 elsewhere"},
         [] {
             const auto by = [](const Steps& steps) {
                 return [steps](const std::vector<Tensor>& in) { return slice(in[0], 1, steps); };
             };
             return Samples{sample_of("[2, 6], every second", {{2, 6}}, by({.begin = 1, .step = 2})),
                            sample_of("[2, 5], down", {{2, 5}}, by({.begin = -1, .end = 0, .step = -2})),
                            sample_of("[2, 5], a part", {{2, 5}}, by({.begin = 1, .end = -1}))};
         }},
        {{"flip(x, axes = all_axes)", "[..] -> the same", "the elements in the reverse order", "ct flipped"},
         [] {
             return Samples{sample_of("[2, 3]", {{2, 3}}, [](const auto& in) { return flip(in[0]); }),
                            sample_of("[2, 3, 2], axes 0 and 2", {{2, 3, 2}}, [](const auto& in) {
                                return flip(in[0], {0, 2});
                            })};
         }},
        {{"roll(x, shift, axis), roll(x, {shift, ..}, {axis, ..})", "[..] -> the same", "each element shift places on",
          "ct rolled back"},
         [] {
             return Samples{sample_of("[2, 5], one axis", {{2, 5}}, [](const auto& in) { return roll(in[0], 2, 1); }),
                            sample_of("[2, 3], two axes", {{2, 3}}, [](const auto& in) {
                                return roll(in[0], {1, -2}, {0, 1});
                            })};
         }},
        {{"repeat_interleave(x, n, axis), repeat_interleave(x, counts, axis)",
          "[.., k, ..] -> [.., k n, ..]; [.., k, ..], int64 [k] -> [.., Σ counts, ..]",
          "each slice n or counts[i] times", "ct, summed"},
         [] {
             return Samples{
                 sample_of("[2, 3], 2 times", {{2, 3}}, [](const auto& in) { return repeat_interleave(in[0], 2, 1); }),
                 sample_with_positions("[3, 2] by counts", {3, 2}, {2, 0, 1},
                                       [](const auto& in) { return repeat_interleave(in[0], in[1], 0); })};
         }},
        {{"tile(x, n, axis), tile(x, {n, ..})", "[.., k, ..] -> [.., k n, ..]", "the whole n times", "ct, summed"},
         [] {
             return Samples{sample_of("[2, 3], an axis", {{2, 3}}, [](const auto& in) { return tile(in[0], 3, 0); }),
                            sample_of("[2, 2], all axes and one more", {{2, 2}}, [](const auto& in) {
                                return tile(in[0], {2, 1, 2});
                            })};
         }},
        {{"pad(x, axis, before, after, options), pad(x, {{before, after}, ..}, options)",
          "[.., n, ..] -> [.., before + n + after, ..]",
          "with a constant, the edge, the reflection or the other end beyond the ends", "ct, added where it came from"},
         [] {
             const auto with = [](PadMode mode) {
                 return [mode](const std::vector<Tensor>& in) { return pad(in[0], 1, 2, 1, {.mode = mode}); };
             };
             return Samples{sample_of("[2, 3], a constant", {{2, 3}},
                                      [](const auto& in) { return pad(in[0], 1, 2, 1, {.value = 0.5}); }),
                            sample_of("[2, 3], the edge", {{2, 3}}, with(PadMode::edge)),
                            sample_of("[2, 3], reflected", {{2, 3}}, with(PadMode::reflect)),
                            sample_of("[2, 3], circular", {{2, 3}}, with(PadMode::circular)),
                            sample_of("[2, 3], all axes", {{2, 3}}, [](const auto& in) {
                                return pad(in[0], {{1, 0}, {0, 2}}, {.mode = PadMode::edge});
                            })};
         }},
        {{"tril(x, k = 0), triu(x, k = 0)", "[.., m, n] -> the same", "x[i, j] where j - i ≤ k, or ≥ k, else 0",
          "the triangle of ct"},
         [] {
             return Samples{sample_of("tril, [2, 3, 3]", {{2, 3, 3}}, [](const auto& in) { return tril(in[0]); }),
                            sample_of("tril, [2, 4], above", {{2, 4}}, [](const auto& in) { return tril(in[0], 1); }),
                            sample_of("triu, [4, 2], below", {{4, 2}}, [](const auto& in) { return triu(in[0], -1); })};
         }},
        {{"diagonal(x, offset = 0, row_axis = -2, column_axis = -1), "
          "diag_embed(x, offset = 0, row_axis = -2, column_axis = -1)",
          "[.., m, n] -> [.., k]; [.., k] -> [.., k + abs offset, k + abs offset]",
          "the elements x[i, i + offset]; a matrix with them", "a matrix with ct; the diagonal of ct"},
         [] {
             return Samples{sample_of("diagonal, [3, 4]", {{3, 4}}, [](const auto& in) { return diagonal(in[0], 1); }),
                            sample_of("diagonal, [3, 2, 3], axes 0 and 2", {{3, 2, 3}},
                                      [](const auto& in) { return diagonal(in[0], -1, 0, 2); }),
                            sample_of("diag_embed, [2, 2]", {{2, 2}}, [](const auto& in) { return diag_embed(in[0]); }),
                            sample_of("diag_embed, [2, 2], axes 2 and 0, below", {{2, 2}},
                                      [](const auto& in) { return diag_embed(in[0], -1, 2, 0); })};
         }},
        {{"movedim(x, from, to)", "an axis moved", "a view", "ct moved back"},
         [] {
             return Samples{
                 sample_of("[2, 3, 4], 0 to -1", {{2, 3, 4}}, [](const auto& in) { return movedim(in[0], 0, -1); })};
         }},
        {{"flatten(x, first = 0, last = -1)", "[.., a, b, ..] -> [.., a b, ..]", "axes as one", "ct in x's shape"},
         [] {
             return Samples{sample_of("[2, 3]", {{2, 3}}, [](const auto& in) { return flatten(in[0]); }),
                            sample_of("[2, 3, 2, 2], axes 1 and 2", {{2, 3, 2, 2}},
                                      [](const auto& in) { return flatten(in[0], 1, 2); })};
         }},
        {{"split(x, lengths, axis), split(x, length, axis), unbind(x, axis)", "parts or slices of an axis", "views",
          "each part's ct in its place"},
         [] {
             const auto joined = [](std::vector<Tensor> parts, int axis) {
                 std::ranges::reverse(parts);
                 return concat(parts, axis);
             };
             return Samples{
                 sample_of("split, [2, 5] by lengths", {{2, 5}},
                           [=](const auto& in) {
                               return joined(split(in[0], {1, 3, 1}, 1), 1);
                           }),
                 sample_of("split, [5, 2], each of 2", {{5, 2}},
                           [=](const auto& in) { return joined(split(in[0], 2, 0), 0); }),
                 sample_of("unbind, [3, 2]", {{3, 2}}, [=](const auto& in) { return joined(unbind(in[0], 0), 0); })};
         }},
        {{"meshgrid({x, y})", "[a], [b] -> [a, b], [a, b]", "the coordinates of a grid, views", "ct, summed"}, [] {
             return Samples{sample_of("[2], [3]", {{2}, {3}}, [](const auto& in) {
                 const std::vector<Tensor> grid = meshgrid(in);
                 return grid[0] * exp(grid[1]);
             })};
         }}};
    return rows;
}

}  // namespace wengert
