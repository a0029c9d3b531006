#include <cstdint>
#include <wengert/ops/internal/composed.hpp>
#include <wengert/ops/ops.hpp>

namespace wengert {

std::span<const ComposedFunction> composed_pools() {
    static constexpr ComposedFunction rows[] = {
        {{"max_pool2d(x, kernel, options), max_pool1d(x, kernel, options), adaptive_max_pool2d(x, size), "
          "adaptive_max_pool1d(x, size)",
          "[.., H, W] -> [.., H', W']; [.., L] -> [.., L']", "the largest element of each window, NaN if there is one",
          "ct at the first of the largest, 0 elsewhere"},
         [] {
             return Samples{
                 sample_of("max_pool2d, [2, 4, 5]", {{2, 4, 5}}, [](const auto& in) { return max_pool2d(in[0], 2); }),
                 sample_of("max_pool2d, stride and padding", {{5, 4}},
                           [](const auto& in) {
                               return max_pool2d(in[0], {3, 2}, {.stride = {1, 2}, .padding = 1});
                           }),
                 sample_of("max_pool2d, dilation", {{6, 7}},
                           [](const auto& in) {
                               return max_pool2d(in[0], {3, 2}, {.stride = 1, .padding = {1, 0}, .dilation = {2, 3}});
                           }),
                 sample_of("max_pool1d, [2, 7], windows that overlap", {{2, 7}},
                           [](const auto& in) { return max_pool1d(in[0], 3, {.stride = 2, .padding = 1}); }),
                 sample_of("adaptive_max_pool2d, [5, 4]", {{5, 4}},
                           [](const auto& in) {
                               return adaptive_max_pool2d(in[0], {2, 3});
                           }),
                 sample_of("adaptive_max_pool1d, [2, 5]", {{2, 5}},
                           [](const auto& in) { return adaptive_max_pool1d(in[0], 2); })};
         }}};
    return rows;
}

std::span<const ComposedFunction> composed_losses() {
    static constexpr ComposedFunction rows[] = {
        {{"mse_loss(x, target, reduction = mean)", "[..], [..] -> []", "(x - target)²", "of the formula"},
         [] {
             const auto f = [](Reduction reduction) {
                 return [reduction](const std::vector<Tensor>& in) { return mse_loss(in[0], in[1], reduction); };
             };
             return Samples{sample_of("mean, [2, 3]", {{2, 3}, {2, 3}}, f(Reduction::mean)),
                            sample_of("sum, [2, 3]", {{2, 3}, {2, 3}}, f(Reduction::sum)),
                            sample_of("each, [2, 3]", {{2, 3}, {2, 3}}, f(Reduction::none))};
         }},
        {{"l1_loss(x, target, reduction = mean)", "[..], [..] -> []", "abs(x - target)", "of the formula"},
         [] {
             return Samples{
                 sample_of("mean, [2, 3]", {{2, 3}, {2, 3}}, [](const auto& in) { return l1_loss(in[0], in[1]); }),
                 sample_of("each, [3]", {{3}, {3}},
                           [](const auto& in) { return l1_loss(in[0], in[1], Reduction::none); })};
         }},
        {{"huber_loss(x, target, delta = 1, reduction = mean)", "[..], [..] -> []",
          "d²/2 where abs d ≤ delta, else delta (abs d - delta/2), d = x - target", "of the formula"},
         [] {
             return Samples{
                 sample_of("mean, [3, 4]", {{3, 4}, {3, 4}}, [](const auto& in) { return huber_loss(in[0], in[1]); }),
                 sample_of("each, delta = 0.4, [5]", {{5}, {5}},
                           [](const auto& in) { return huber_loss(in[0], in[1], 0.4, Reduction::none); })};
         }},
        {{"binary_cross_entropy_with_logits(x, target, positive_weight = 1, reduction = mean)", "[..], [..] -> []",
          "-target ln s - (1 - target) ln(1 - s), s = 1 / (1 + e⁻ˣ)", "of the formula"},
         [] {
             return Samples{
                 sample_of("mean, [2, 3]", {{2, 3}, {2, 3}},
                           [](const auto& in) { return binary_cross_entropy_with_logits(in[0], sigmoid(in[1])); }),
                 sample_of("sum, a positive weight, [4]", {{4}, {4}}, [](const auto& in) {
                     return binary_cross_entropy_with_logits(in[0], sigmoid(in[1]), 2.5, Reduction::sum);
                 })};
         }},
        {{"kl_div(x, target, reduction = mean)", "[..], [..] -> []", "target (ln target - x)", "of the formula"},
         [] {
             return Samples{sample_of("mean, [2, 3]", {{2, 3}, {2, 3}},
                                      [](const auto& in) { return kl_div(log_softmax(in[0]), softmax(in[1])); }),
                            sample_of("each, [2, 3]", {{2, 3}, {2, 3}},
                                      [](const auto& in) { return kl_div(in[0], exp(in[1]), Reduction::none); }),
                            sample_of("for each of the batch, [2, 3]", {{2, 3}, {2, 3}},
                                      [](const auto& in) { return kl_div(in[0], exp(in[1]), Reduction::batchmean); })};
         }},
        {{"hinge_loss(x, target, margin = 1, reduction = mean)", "[..], [..] -> []", "max(0, margin - target x)",
          "of the formula"},
         [] {
             return Samples{
                 sample_of("mean, [3, 4]", {{3, 4}, {3, 4}}, [](const auto& in) { return hinge_loss(in[0], in[1]); }),
                 sample_of("each, margin = 0.5, [5]", {{5}, {5}},
                           [](const auto& in) { return hinge_loss(in[0], in[1], 0.5, Reduction::none); })};
         }},
        {{"nll_loss(x, labels, reduction = mean), nll_loss(x, labels, options)", "[.., C], int64 [..] -> []",
          "-weight[label] x[.., label]", "-ct weight[label] at the labels"},
         [] {
             const Tensor x = sample_values({2, 2, 3}, -1.5, 1.5, 1),
                          labels = tensor({2, 0, 1, 1}, {2, 2}, Dtype::int64);
             return Samples{
                 {"mean, [2, 2, 3]", {x, labels}, [](const auto& in) { return nll_loss(in[0], in[1]); }},
                 {"weights of the classes, one label ignored",
                  {x, labels, sample_values({3}, 0.5, 1.5, 2)},
                  [](const auto& in) { return nll_loss(in[0], in[1], {.ignore_index = 2, .weight = in[2]}); }},
                 {"each, weights of the classes", {x, labels, sample_values({3}, 0.5, 1.5, 3)}, [](const auto& in) {
                      return nll_loss(in[0], in[1], {.reduction = Reduction::none, .weight = in[2]});
                  }}};
         }},
        {{"cosine_similarity(x, y, axis = -1, epsilon = 1e-8)", "operands broadcast: [.., n, ..] -> [.., ..]",
          "Σ x y / (max(norm x, epsilon) max(norm y, epsilon))", "of the formula"},
         [] {
             return Samples{sample_of("[2, 3], [2, 3]", {{2, 3}, {2, 3}},
                                      [](const auto& in) { return cosine_similarity(in[0], in[1]); }),
                            sample_of("each with each, axis 2", {{2, 1, 3}, {2, 3}},
                                      [](const auto& in) { return cosine_similarity(in[0], in[1], 2); }),
                            sample_of("norms below epsilon", {{3}, {3}},
                                      [](const auto& in) { return cosine_similarity(in[0], in[1], 0, 100); })};
         }}};
    return rows;
}

std::span<const ComposedFunction> composed_masks() {
    static constexpr ComposedFunction rows[] = {
        {{"length_mask(lengths, n)", "int64 [B] -> [B, n]", "1 before each row's length, 0 after", "none"}},
        {{"masked_fill(x, mask, value)", "the mask broadcasts", "x, but `value` where mask ≠ 0",
          "ct where mask = 0, else 0"},
         [] {
             return Samples{{"[2, 3], a mask [3]",
                             {sample_values({2, 3}, -1.5, 1.5, 1), tensor({0, 1, 0}, {3}, Dtype::int64)},
                             [](const auto& in) { return masked_fill(in[0], in[1], 0.5); }},
                            {"[3], a mask [2, 1]",
                             {sample_values({3}, -1.5, 1.5, 2), tensor({1, 0}, {2, 1}, Dtype::int64)},
                             [](const auto& in) { return masked_fill(in[0], in[1], -2); }}};
         }}};
    return rows;
}

std::span<const ComposedFunction> composed_normalisations() {
    static constexpr ComposedFunction rows[] = {
        {{"group_norm(x, groups, weight, bias, eps = 1e-5)", "[B, C, ..], [C], [C] -> [B, C, ..]",
          "(x - mean) / √(variance + eps) weight + bias, of each group of channels", "of the formula"},
         [] {
             const auto by = [](std::int64_t groups) {
                 return
                     [groups](const std::vector<Tensor>& in) { return group_norm(in[0], groups, in[1], in[2], 0.1); };
             };
             return Samples{sample_of("[2, 4, 3], 2 groups", {{2, 4, 3}, {4}, {4}}, by(2)),
                            sample_of("[2, 3], 1 group", {{2, 3}, {3}, {3}}, by(1)),
                            sample_of("[1, 2, 2, 2], a group each, no weight", {{1, 2, 2, 2}},
                                      [](const auto& in) { return group_norm(in[0], 2, {}, {}, 0.1); })};
         }},
        {{"batch_norm(x, weight, bias, eps = 1e-5)", "[B, C, ..], [C], [C] -> [B, C, ..], [C], [C]",
          "(x - mean) / √(variance + eps) weight + bias, of each channel over the batch; the mean; the variance",
          "of the formula"},
         [] {
             return Samples{sample_of("[3, 2, 2]", {{3, 2, 2}, {2}, {2}},
                                      [](const auto& in) { return batch_norm(in[0], in[1], in[2], 0.1).outputs; }),
                            sample_of("[4, 2], the statistics too, no weight", {{4, 2}}, [](const auto& in) {
                                const auto [y, center, variance] = batch_norm(in[0], {}, {}, 0.1);
                                return y + center * variance;
                            })};
         }},
        {{"batch_norm(x, mean, variance, weight, bias, eps = 1e-5)", "[B, C, ..], [C], [C], [C], [C] -> [B, C, ..]",
          "the same by a given mean and variance", "of the formula"},
         [] {
             return Samples{
                 sample_of("[2, 2, 3], mean and variance given", {{2, 2, 3}, {2}, {2}, {2}, {2}},
                           [](const auto& in) { return batch_norm(in[0], in[1], exp(in[2]), in[3], in[4], 0.1); })};
         }}};
    return rows;
}

std::span<const ComposedFunction> composed_noise() {
    static constexpr ComposedFunction rows[] = {
        {{"dropout(x, p, generator, shared = {})", "[..] -> same",
          "0 with probability p, else x / (1 - p); together along shared axes", "ct where x was kept, over 1 - p"},
         [] {
             return Samples{sample_of("[3, 4]", {{3, 4}},
                                      [](const auto& in) {
                                          Generator noise(1);
                                          return dropout(in[0], 0.4, noise);
                                      }),
                            sample_of("[2, 3, 4], the same at each step", {{2, 3, 4}}, [](const auto& in) {
                                Generator noise(2);
                                return dropout(in[0], 0.4, noise, 1);
                            })};
         }}};
    return rows;
}

}  // namespace wengert
