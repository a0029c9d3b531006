// Mirrors no file: convolutions, pools, normalisations and attention beside PyTorch, for parity.cpp.
#include <cmath>
#include <wengert/ops/ops.hpp>

#include "parity.hpp"

using namespace wengert;

const OpCases& networks_cases() {
    static const OpCases cases{
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
        {"max_pool2d dilated",
         [](const OpInputs& in) {
             return max_pool2d(in[0], {2, 3}, {.stride = 1, .padding = {1, 0}, .dilation = {3, 2}});
         }},
        {"max_pool1d", [](const OpInputs& in) { return max_pool1d(in[0], 3, {.stride = 2}); }},
        {"avg_pool2d", [](const OpInputs& in) { return avg_pool2d(in[0], 3, {.stride = 2, .padding = 1}); }},
        {"avg_pool2d elements",
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
        {"batch_norm given", [](const OpInputs& in) { return batch_norm(in[0], in[1], in[2], in[3], in[4]); }},
        {"scaled_dot_product_attention",
         [](const OpInputs& in) { return scaled_dot_product_attention(in[0], in[1], in[2]); }},
        {"scaled_dot_product_attention causal",
         [](const OpInputs& in) { return scaled_dot_product_attention(in[0], in[1], in[2], {.causal = true}); }},
        {"scaled_dot_product_attention mask",
         [](const OpInputs& in) { return scaled_dot_product_attention(in[0], in[1], in[2], {.mask = in[3]}); }},
        {"conv2d plain", [](const OpInputs& in) { return conv2d(in[0], in[1]); }},
        {"conv2d depthwise",
         [](const OpInputs& in) { return conv2d(in[0], in[1], {.padding = 1, .dilation = 2, .groups = 4}); }},
        {"conv_transpose2d dilation",
         [](const OpInputs& in) {
             return conv_transpose2d(
                 in[0], in[1], {.stride = {2, 1}, .padding = {1, 0}, .output_padding = {1, 0}, .dilation = {2, 3}});
         }},
        {"conv1d groups",
         [](const OpInputs& in) { return conv1d(in[0], in[1], {.padding = 2, .dilation = 2, .groups = 3}); }},
        {"conv_transpose1d groups",
         [](const OpInputs& in) {
             return conv_transpose1d(in[0], in[1],
                                     {.stride = 3, .padding = 1, .output_padding = 2, .dilation = 2, .groups = 2});
         }},
        {"conv2d_weight",
         [](const OpInputs& in) { return conv2d_weight(in[0], in[1], 2, {.stride = 2, .padding = 1}); }},
        {"adaptive_avg_pool1d", [](const OpInputs& in) { return adaptive_avg_pool1d(in[0], 3); }},
        {"adaptive_max_pool1d", [](const OpInputs& in) { return adaptive_max_pool1d(in[0], 3); }},
        {"layer_norm plain", [](const OpInputs& in) { return layer_norm(in[0], {}, {}, 0.1); }},
        {"group_norm plain", [](const OpInputs& in) { return group_norm(in[0], 4, {}, {}, 0.1); }},
        {"rms_norm plain", [](const OpInputs& in) { return rms_norm(in[0], {}, 0x1p-52); }},
        {"scaled_dot_product_attention scale",
         [](const OpInputs& in) { return scaled_dot_product_attention(in[0], in[1], in[2], {.scale = 0.3}); }},
        {"scaled_dot_product_attention bool",
         [](const OpInputs& in) { return scaled_dot_product_attention(in[0], in[1], in[2], {.mask = in[3] != 0}); }},
        {"scaled_dot_product_attention bias",
         [](const OpInputs& in) { return scaled_dot_product_attention(in[0], in[1], in[2], {.mask = in[3]}); }},
        {"ctc_loss none",
         [](const OpInputs& in) {
             return ctc_loss(log_softmax(in[0]), in[1], in[2], in[3], {.reduction = Reduction::none});
         }},
        {"ctc_loss mean",
         [](const OpInputs& in) {
             return ctc_loss(log_softmax(in[0]), in[1], in[2], in[3], {.reduction = Reduction::mean});
         }},
        {"ctc_loss sum",
         [](const OpInputs& in) {
             return ctc_loss(log_softmax(in[0]), in[1], in[2], in[3], {.reduction = Reduction::sum});
         }},
        {"ctc_loss impossible",
         [](const OpInputs& in) {
             return ctc_loss(log_softmax(in[0]), in[1], in[2], in[3],
                             {.reduction = Reduction::sum, .zero_infinity = true});
         }},
    };
    return cases;
}
