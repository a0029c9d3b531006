#include <wengert/ops/internal/composed.hpp>
#include <wengert/ops/ops.hpp>

namespace wengert {

std::span<const ComposedFunction> composed_matrix_products() {
    static constexpr ComposedFunction rows[] = {
        {{"dot(a, b)", "[.., n], [.., n] -> [..], leading axes broadcast", "Σ a b", "ct b; ct a"},
         [] {
             const auto f = [](const std::vector<Tensor>& in) { return dot(in[0], in[1]); };
             return Samples{sample_of("[4], [4]", {{4}, {4}}, f), sample_of("[2, 3], [3]", {{2, 3}, {3}}, f)};
         }},
        {{"outer(a, b)", "[.., m], [.., n] -> [.., m, n]", "a[i] b[j]", "ct b; aᵀ ct"},
         [] {
             const auto f = [](const std::vector<Tensor>& in) { return outer(in[0], in[1]); };
             return Samples{sample_of("[3], [2]", {{3}, {2}}, f), sample_of("[2, 3], [2]", {{2, 3}, {2}}, f)};
         }},
        {{"kron(a, b)", "[.., m, n], [.., p, q] -> [.., m p, n q]", "a[i, j] b, each a block", "of the formula"},
         [] {
             const auto f = [](const std::vector<Tensor>& in) { return kron(in[0], in[1]); };
             return Samples{sample_of("[2, 3], [2, 1]", {{2, 3}, {2, 1}}, f),
                            sample_of("[2, 1, 2], [2, 2]", {{2, 1, 2}, {2, 2}}, f)};
         }},
        {{"trace(a, offset = 0, row_axis = -2, column_axis = -1)", "[.., m, n] -> [..]", "Σ a[i, i + offset]",
          "ct on the diagonal"},
         [] {
             return Samples{sample_of("[3, 3]", {{3, 3}}, [](const auto& in) { return trace(in[0]); }),
                            sample_of("[2, 3, 4], above the diagonal", {{2, 3, 4}},
                                      [](const auto& in) { return trace(in[0], 1); }),
                            sample_of("[3, 2, 3], axes 2 and 0, below", {{3, 2, 3}},
                                      [](const auto& in) { return trace(in[0], -1, 2, 0); })};
         }},
        {{"matrix_power(a, n)", "[.., m, m] -> the same", "aⁿ, of the inverse for n < 0", "of the products"}, [] {
             const auto to = [](std::int64_t n) {
                 return [n](const std::vector<Tensor>& in) { return matrix_power(in[0], n); };
             };
             return Samples{sample_of("n = 3, [2, 2, 2]", {{2, 2, 2}}, to(3)),
                            sample_of("n = 1, [2, 2]", {{2, 2}}, to(1)), sample_of("n = -2, [2, 2]", {{2, 2}}, to(-2))};
         }}};
    return rows;
}

std::span<const ComposedFunction> composed_solutions() {
    static constexpr ComposedFunction rows[] = {
        {{"inverse(a)", "[.., n, n] -> the same", "a⁻¹", "-a⁻ᵀ ct a⁻ᵀ"}, [] {
             const auto f = [](const std::vector<Tensor>& in) { return inverse(in[0]); };
             return Samples{sample_of("[3, 3]", {{3, 3}}, f), sample_of("[2, 2, 2]", {{2, 2, 2}}, f),
                            sample_of("[0, 0]", {{0, 0}}, f)};
         }}};
    return rows;
}

std::span<const ComposedFunction> composed_least_squares() {
    static constexpr ComposedFunction rows[] = {
        {{"lstsq(a, b)", "[.., m, n], [.., m, k] or [m] -> [.., n, k] or [.., n]",
          "x with the least norm of a x - b, of several the least; columns or rows of a independent, else pinv(a) b",
          "of the composition of qr and solve_triangular"},
         [] {
             const auto f = [](const std::vector<Tensor>& in) { return lstsq(in[0], in[1]); };
             return Samples{sample_of("[3, 2], [3, 2]", {{3, 2}, {3, 2}}, f),
                            sample_of("[2, 3], [2, 1]", {{2, 3}, {2, 1}}, f),
                            sample_of("[2, 3, 2], [3], a vector", {{2, 3, 2}, {3}}, f)};
         }}};
    return rows;
}

}  // namespace wengert
