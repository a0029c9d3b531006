// Mirrors no file: ops beside PyTorch.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/nn/safetensors.hpp>
#include <wengert/ops/ops.hpp>

#include "../nn/close.hpp"

using namespace wengert;

namespace {

using OpInputs = std::vector<Tensor>;
using OpCases = std::map<std::string, std::function<Tensor(const OpInputs&)>>;

Tensor identity(std::int64_t n) { return diag_embed(ones({n}, Dtype::float64)); }
Tensor positive(const Tensor& a) { return matmul(a, transpose(a)) + identity(a.dim(-1)); }

/// Each call of tests/fixtures/op_fixtures.py that is no function of the list, here.
const OpCases& op_cases() {
    static const OpCases cases{
        {"leaky_relu", [](const OpInputs& in) { return leaky_relu(in[0], 0.1); }},
        {"elu", [](const OpInputs& in) { return elu(in[0], 0.7); }},
        {"celu", [](const OpInputs& in) { return celu(in[0], 0.7); }},
        {"clamp", [](const OpInputs& in) { return clamp(in[0], -0.5, 1.0); }},
        {"lerp", [](const OpInputs& in) { return lerp(in[0], in[1], in[2]); }},
        {"where", [](const OpInputs& in) { return where(in[0] > in[1], in[0], in[1] * in[1]); }},
        {"polygamma", [](const OpInputs& in) { return polygamma(2.0, in[0]); }},
        {"pow", [](const OpInputs& in) { return pow(in[0], in[1]); }},

        {"sum",
         [](const OpInputs& in) {
             return sum(in[0], {0, 2});
         }},
        {"mean", [](const OpInputs& in) { return mean(in[0], 1, true); }},
        {"prod", [](const OpInputs& in) { return prod(in[0], 1); }},
        {"max",
         [](const OpInputs& in) {
             return max(in[0], {0, 1});
         }},
        {"min", [](const OpInputs& in) { return min(in[0], -1); }},
        {"amax",
         [](const OpInputs& in) {
             return amax(in[0], {0, 1});
         }},
        {"amin", [](const OpInputs& in) { return amin(in[0], -1); }},
        {"var",
         [](const OpInputs& in) {
             return var(in[0], {0, 2});
         }},
        {"var_population", [](const OpInputs& in) { return var(in[0], 1, 0); }},
        {"stddev", [](const OpInputs& in) { return stddev(in[0], 1); }},
        {"norm",
         [](const OpInputs& in) {
             return norm(in[0], 2, {1, 2});
         }},
        {"norm_1", [](const OpInputs& in) { return norm(in[0], 1, 1); }},
        {"norm_3", [](const OpInputs& in) { return norm(in[0], 3, 1); }},
        {"norm_inf", [](const OpInputs& in) { return norm(in[0], HUGE_VAL, 1); }},
        {"logsumexp",
         [](const OpInputs& in) {
             return logsumexp(in[0], {0, 1});
         }},
        {"softmax", [](const OpInputs& in) { return softmax(in[0], 1); }},
        {"log_softmax", [](const OpInputs& in) { return log_softmax(in[0], 1); }},
        {"cumsum", [](const OpInputs& in) { return cumsum(in[0], 1); }},
        {"cumprod", [](const OpInputs& in) { return cumprod(in[0], 1); }},
        {"logcumsumexp", [](const OpInputs& in) { return logcumsumexp(in[0], 1); }},
        {"cummax", [](const OpInputs& in) { return cummax(in[0], 1).values; }},
        {"cummin", [](const OpInputs& in) { return cummin(in[0], 2).values; }},
        {"sort", [](const OpInputs& in) { return sort(in[0], 1); }},
        {"topk", [](const OpInputs& in) { return topk(in[0], 2, 2).values; }},
        {"quantile", [](const OpInputs& in) { return quantile(in[0], 0.3, 1); }},
        {"median", [](const OpInputs& in) { return median(in[0], 2); }},

        {"flip",
         [](const OpInputs& in) {
             return flip(in[0], {0, 2});
         }},
        {"roll", [](const OpInputs& in) { return roll(in[0], 2, 2); }},
        {"tile", [](const OpInputs& in) { return tile(in[0], 2, 1); }},
        {"repeat_interleave", [](const OpInputs& in) { return repeat_interleave(in[0], 2, 1); }},
        {"pad_constant", [](const OpInputs& in) { return pad(in[0], 2, 1, 2, {.value = 0.5}); }},
        {"pad_edge", [](const OpInputs& in) { return pad(in[0], 2, 1, 2, {.mode = PadMode::edge}); }},
        {"pad_reflect", [](const OpInputs& in) { return pad(in[0], 2, 1, 2, {.mode = PadMode::reflect}); }},
        {"pad_circular", [](const OpInputs& in) { return pad(in[0], 2, 1, 2, {.mode = PadMode::circular}); }},
        {"tril", [](const OpInputs& in) { return tril(in[0], 1); }},
        {"triu", [](const OpInputs& in) { return triu(in[0], -1); }},
        {"diagonal", [](const OpInputs& in) { return diagonal(in[0]); }},
        {"diag_embed", [](const OpInputs& in) { return diag_embed(in[0]); }},
        {"movedim", [](const OpInputs& in) { return movedim(in[0], 0, 2); }},
        {"unfold", [](const OpInputs& in) { return unfold(in[0], 2, 3, 1); }},
        {"slice_steps", [](const OpInputs& in) { return slice(in[0], 2, {.begin = 1, .step = 2}); }},
        {"concat", [](const OpInputs& in) { return concat(in, 0); }},
        {"stack", [](const OpInputs& in) { return stack(in, 1); }},

        {"gather", [](const OpInputs& in) { return gather(in[0], 1, in[1]); }},
        {"scatter", [](const OpInputs& in) { return scatter(in[0], 1, in[1], in[2]); }},
        {"scatter_add", [](const OpInputs& in) { return scatter_add(in[0], 1, in[1], in[2]); }},
        {"index_select", [](const OpInputs& in) { return index_select(in[0], 1, in[1]); }},
        {"index",
         [](const OpInputs& in) {
             return index(in[0], {in[1], in[2]});
         }},
        {"index_put",
         [](const OpInputs& in) {
             return index_put(in[0], {in[1], in[2]}, in[3]);
         }},
        {"index_add",
         [](const OpInputs& in) {
             return index_put(in[0], {in[1], in[2]}, in[3], true);
         }},
        {"masked_select", [](const OpInputs& in) { return masked_select(in[0], in[1]); }},
        {"segment_sum", [](const OpInputs& in) { return segment_sum(in[0], in[1], 4); }},
        {"embedding", [](const OpInputs& in) { return embedding(in[0], in[1]); }},

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
        {"cross_entropy_weights",
         [](const OpInputs& in) { return cross_entropy(in[0], in[1], {.label_smoothing = 0.1, .weight = in[2]}); }},

        {"matmul", [](const OpInputs& in) { return matmul(in[0], in[1]); }},
        {"matmul_vector", [](const OpInputs& in) { return matmul(in[0], in[1]); }},
        {"einsum_batch", [](const OpInputs& in) { return einsum("bij,bjk->bik", in); }},
        {"einsum_three", [](const OpInputs& in) { return einsum("bij,bjk,k->bi", in); }},
        {"einsum_ellipsis", [](const OpInputs& in) { return einsum("...ij,...jk->...ki", in); }},
        {"einsum_diagonal", [](const OpInputs& in) { return einsum("ii->i", in); }},
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
        {"qr_q", [](const OpInputs& in) { return qr(in[0]).q; }},
        {"qr_r", [](const OpInputs& in) { return qr(in[0]).r; }},
        {"eigh_values", [](const OpInputs& in) { return eigh(in[0] + transpose(in[0])).values; }},
        {"eigh_vectors", [](const OpInputs& in) { return square(eigh(in[0] + transpose(in[0])).vectors); }},
        {"svd_values", [](const OpInputs& in) { return svd(in[0]).s; }},
        {"svd_vectors", [](const OpInputs& in) { return square(svd(in[0]).vh); }},

        {"conv2d",
         [](const OpInputs& in) {
             return conv2d(in[0], in[1], in[2], {.stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}, .groups = 2});
         }},
        {"conv_transpose2d",
         [](const OpInputs& in) {
             return conv_transpose2d(in[0], in[1], in[2],
                                     {.stride = 2, .padding = 1, .output_padding = 1, .groups = 2});
         }},
        {"conv1d", [](const OpInputs& in) { return conv1d(in[0], in[1], in[2], {.stride = 2, .padding = 1}); }},
        {"conv_transpose1d",
         [](const OpInputs& in) {
             return conv_transpose1d(in[0], in[1], in[2], {.stride = 2, .padding = 1, .output_padding = 1});
         }},
        {"max_pool2d",
         [](const OpInputs& in) {
             return max_pool2d(in[0], {3, 2}, {.stride = {2, 1}, .padding = {1, 0}});
         }},
        {"max_pool1d", [](const OpInputs& in) { return max_pool1d(in[0], 3, {.stride = 2}); }},
        {"avg_pool2d", [](const OpInputs& in) { return avg_pool2d(in[0], 3, {.stride = 2, .padding = 1}); }},
        {"avg_pool2d_elements",
         [](const OpInputs& in) {
             return avg_pool2d(in[0], 3, {.stride = 2, .padding = 1, .count_include_pad = false});
         }},
        {"avg_pool1d", [](const OpInputs& in) { return avg_pool1d(in[0], 3); }},
        {"adaptive_avg_pool2d",
         [](const OpInputs& in) {
             return adaptive_avg_pool2d(in[0], {4, 2});
         }},
        {"adaptive_max_pool2d",
         [](const OpInputs& in) {
             return adaptive_max_pool2d(in[0], {4, 2});
         }},
        {"layer_norm", [](const OpInputs& in) { return layer_norm(in[0], in[1], in[2]); }},
        {"rms_norm", [](const OpInputs& in) { return rms_norm(in[0], in[1], 1e-6); }},
        {"group_norm", [](const OpInputs& in) { return group_norm(in[0], 2, in[1], in[2]); }},
        {"batch_norm", [](const OpInputs& in) { return batch_norm(in[0], in[1], in[2]).outputs; }},
        {"batch_norm_given", [](const OpInputs& in) { return batch_norm(in[0], in[1], in[2], in[3], in[4]); }},
        {"attention", [](const OpInputs& in) { return scaled_dot_product_attention(in[0], in[1], in[2]); }},
        {"attention_causal",
         [](const OpInputs& in) { return scaled_dot_product_attention(in[0], in[1], in[2], {.causal = true}); }},
        {"attention_mask",
         [](const OpInputs& in) { return scaled_dot_product_attention(in[0], in[1], in[2], {.mask = in[3]}); }},
        {"ctc_loss",
         [](const OpInputs& in) {
             const auto lengths = [](const std::vector<std::int64_t>& numbers) { return tensor(numbers, {2}); };
             return ctc_loss(log_softmax(in[0]), in[1], lengths({6, 4}), lengths({3, 2}),
                             {.reduction = Reduction::none});
         }},
    };
    return cases;
}

/// The call that a name stands for: of the cases above, or a function of the library's list.
std::function<Tensor(const OpInputs&)> call_of(const std::string& name) {
    const auto found = op_cases().find(name);
    if (found != op_cases().end()) return found->second;
    for (const FunctionEntry& function : all_functions())
        if (function.name == name)
            return [apply = function.apply](const OpInputs& in) { return apply(in.front(), in.back()); };
    return {};
}

}  // namespace

TEST_CASE("parity: results and gradients of ops are PyTorch's") {
    const TensorFile file = read_safetensors(std::filesystem::path(WENGERT_FIXTURES) / "ops.safetensors");
    const std::map<std::string, Tensor> tensors(file.tensors.begin(), file.tensors.end());
    std::set<std::string> names;
    for (const auto& [name, x] : tensors) names.insert(name.substr(0, name.find('.')));
    for (const auto& [name, call] : op_cases()) CHECK_MESSAGE(names.contains(name), name);
    for (const std::string& name : names) {
        INFO(name);
        const auto call = call_of(name);
        REQUIRE(call);
        OpInputs operands, moving, expected_slopes;
        Tape tape;
        while (true) {
            const std::string number = std::to_string(operands.size());
            const auto operand = tensors.find(name + "." + number);
            if (operand == tensors.end()) break;
            operands.push_back(operand->second);
            const auto slope = tensors.find(name + ".grad." + number);
            if (slope == tensors.end()) continue;
            tape.watch(operand->second);
            moving.push_back(operand->second);
            expected_slopes.push_back(slope->second);
        }
        const Tensor result = call(operands);
        const auto check_close = [](const Tensor& actual, const Tensor& expected) {
            const double largest = std::max(1.0, max(abs(expected)).item());
            CHECK(difference(actual, expected, 1e-10 * largest) == "");
        };
        check_close(result, tensors.at(name + ".result"));
        const OpInputs slopes = tape.gradient(result, moving, {.cotangent = tensors.at(name + ".cotangent")});
        for (std::size_t i = 0; i < moving.size(); ++i) check_close(slopes[i], expected_slopes[i]);
    }
}
