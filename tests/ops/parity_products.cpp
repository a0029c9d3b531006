// Mirrors no file: losses, products and linear algebra beside PyTorch, for parity.cpp.
#include <cmath>
#include <wengert/ops/ops.hpp>

#include "parity.hpp"

using namespace wengert;

namespace {

Tensor identity(std::int64_t n) { return eye(n, Dtype::float64); }
Tensor positive(const Tensor& a) { return matmul(a, transpose(a)) + identity(a.dim(-1)); }

}  // namespace

const OpCases& products_cases() {
    static const OpCases cases{
        {"mse_loss", [](const OpInputs& in) { return mse_loss(in[0], in[1]); }},
        {"l1_loss", [](const OpInputs& in) { return l1_loss(in[0], in[1]); }},
        {"huber_loss", [](const OpInputs& in) { return huber_loss(in[0], in[1], 0.7); }},
        {"binary_cross_entropy_with_logits",
         [](const OpInputs& in) { return binary_cross_entropy_with_logits(in[0], in[1], 1.5); }},
        {"kl_div", [](const OpInputs& in) { return kl_div(in[0], in[1]); }},
        {"nll_loss", [](const OpInputs& in) { return nll_loss(in[0], in[1]); }},
        {"cosine_similarity", [](const OpInputs& in) { return cosine_similarity(in[0], in[1]); }},
        {"cross_entropy",
         [](const OpInputs& in) { return cross_entropy(in[0], in[1], {.ignore_index = 4, .label_smoothing = 0.1}); }},
        {"cross_entropy weights",
         [](const OpInputs& in) { return cross_entropy(in[0], in[1], {.label_smoothing = 0.1, .weight = in[2]}); }},

        {"matmul", [](const OpInputs& in) { return matmul(in[0], in[1]); }},
        {"matmul vector", [](const OpInputs& in) { return matmul(in[0], in[1]); }},
        {"einsum batch", [](const OpInputs& in) { return einsum("bij,bjk->bik", in); }},
        {"einsum three", [](const OpInputs& in) { return einsum("bij,bjk,k->bi", in); }},
        {"einsum ellipsis", [](const OpInputs& in) { return einsum("...ij,...jk->...ki", in); }},
        {"einsum diagonal", [](const OpInputs& in) { return einsum("ii->i", in); }},
        {"tensordot",
         [](const OpInputs& in) {
             return tensordot(in[0], in[1], {0, 2}, {0, 1});
         }},
        {"outer", [](const OpInputs& in) { return outer(in[0], in[1]); }},
        {"kron", [](const OpInputs& in) { return kron(in[0], in[1]); }},

        {"cholesky", [](const OpInputs& in) { return cholesky(positive(in[0])); }},
        {"solve_triangular", [](const OpInputs& in) { return solve_triangular(tril(in[0]) + 3 * identity(4), in[1]); }},
        {"solve", [](const OpInputs& in) { return solve(in[0], in[1]); }},
        {"inverse", [](const OpInputs& in) { return inverse(in[0]); }},
        {"det", [](const OpInputs& in) { return det(in[0]); }},
        {"slogdet", [](const OpInputs& in) { return slogdet(in[0]).logabsdet; }},
        {"trace", [](const OpInputs& in) { return trace(in[0]); }},
        {"qr q", [](const OpInputs& in) { return qr(in[0]).q; }},
        {"qr r", [](const OpInputs& in) { return qr(in[0]).r; }},
        {"eigh values", [](const OpInputs& in) { return eigh(in[0] + transpose(in[0])).values; }},
        {"eigh vectors", [](const OpInputs& in) { return square(eigh(in[0] + transpose(in[0])).vectors); }},
        {"svd values", [](const OpInputs& in) { return svd(in[0]).s; }},
        {"svd vectors", [](const OpInputs& in) { return square(svd(in[0]).vh); }},

        {"linear", [](const OpInputs& in) { return linear(in[0], in[1], in[2]); }},
        {"dot", [](const OpInputs& in) { return dot(in[0], in[1]); }},
        {"pinv", [](const OpInputs& in) { return pinv(in[0]); }},
        {"lstsq", [](const OpInputs& in) { return lstsq(in[0], in[1]); }},
        {"matrix_power", [](const OpInputs& in) { return matrix_power(in[0], 3); }},
        {"matrix_power negative", [](const OpInputs& in) { return matrix_power(in[0], -2); }},
        {"nll_loss weights",
         [](const OpInputs& in) { return nll_loss(in[0], in[1], {.ignore_index = 4, .weight = in[2]}); }},
        {"hinge_loss", [](const OpInputs& in) { return hinge_loss(in[0], in[1], 0.7); }},
        {"kl_div batchmean", [](const OpInputs& in) { return kl_div(in[0], in[1], Reduction::batchmean); }},
        {"linear_cross_entropy", [](const OpInputs& in) { return linear_cross_entropy(in[0], in[1], in[2], in[3]); }},
        {"mse_loss none", [](const OpInputs& in) { return mse_loss(in[0], in[1], Reduction::none); }},
        {"l1_loss none", [](const OpInputs& in) { return l1_loss(in[0], in[1], Reduction::none); }},
        {"huber_loss none", [](const OpInputs& in) { return huber_loss(in[0], in[1], 1, Reduction::none); }},
        {"binary_cross_entropy_with_logits none",
         [](const OpInputs& in) { return binary_cross_entropy_with_logits(in[0], in[1], 1, Reduction::none); }},
        {"kl_div none", [](const OpInputs& in) { return kl_div(in[0], in[1], Reduction::none); }},
        {"nll_loss none",
         [](const OpInputs& in) {
             return nll_loss(in[0], in[1], {4, Reduction::none, in[2]});
         }},
        {"cross_entropy none",
         [](const OpInputs& in) {
             return cross_entropy(
                 in[0], in[1],
                 {.ignore_index = 4, .label_smoothing = 0.1, .reduction = Reduction::none, .weight = in[2]});
         }},
        {"mse_loss sum", [](const OpInputs& in) { return mse_loss(in[0], in[1], Reduction::sum); }},
        {"l1_loss sum", [](const OpInputs& in) { return l1_loss(in[0], in[1], Reduction::sum); }},
        {"huber_loss sum", [](const OpInputs& in) { return huber_loss(in[0], in[1], 1, Reduction::sum); }},
        {"binary_cross_entropy_with_logits sum",
         [](const OpInputs& in) { return binary_cross_entropy_with_logits(in[0], in[1], 1, Reduction::sum); }},
        {"kl_div sum", [](const OpInputs& in) { return kl_div(in[0], in[1], Reduction::sum); }},
        {"nll_loss sum",
         [](const OpInputs& in) {
             return nll_loss(in[0], in[1], {4, Reduction::sum, in[2]});
         }},
        {"cross_entropy sum",
         [](const OpInputs& in) {
             return cross_entropy(
                 in[0], in[1],
                 {.ignore_index = 4, .label_smoothing = 0.1, .reduction = Reduction::sum, .weight = in[2]});
         }},
    };
    return cases;
}
