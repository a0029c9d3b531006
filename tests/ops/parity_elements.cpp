// Mirrors no file: functions of elements, and reductions beside PyTorch, for parity.cpp.
#include <cmath>
#include <wengert/ops/ops.hpp>

#include "parity.hpp"

using namespace wengert;

const OpCases& elements_cases() {
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
        {"var population", [](const OpInputs& in) { return var(in[0], 1, 0); }},
        {"stddev", [](const OpInputs& in) { return stddev(in[0], 1); }},
        {"norm",
         [](const OpInputs& in) {
             return norm(in[0], 2, {1, 2});
         }},
        {"norm 1", [](const OpInputs& in) { return norm(in[0], 1, 1); }},
        {"norm 3", [](const OpInputs& in) { return norm(in[0], 3, 1); }},
        {"norm inf", [](const OpInputs& in) { return norm(in[0], HUGE_VAL, 1); }},
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

        {"hardtanh limits", [](const OpInputs& in) { return hardtanh(in[0], -0.5, 1); }},
        {"argmax", [](const OpInputs& in) { return argmax(in[0], 1); }},
        {"argmin", [](const OpInputs& in) { return argmin(in[0]); }},
        {"count_nonzero",
         [](const OpInputs& in) {
             return count_nonzero(in[0], {0, 2});
         }},
        {"any", [](const OpInputs& in) { return any(in[0], 2); }},
        {"all", [](const OpInputs& in) { return all(in[0], 1); }},
        {"sum_to",
         [](const OpInputs& in) {
             return sum_to(in[0], {3, 1});
         }},
        {"logical_not", [](const OpInputs& in) { return logical_not(in[0]); }},
        {"isnan", [](const OpInputs& in) { return isnan(1.0 / in[0]); }},
        {"isinf", [](const OpInputs& in) { return isinf(1.0 / in[0]); }},
        {"isfinite", [](const OpInputs& in) { return isfinite(1.0 / in[0]); }},
        {"argsort", [](const OpInputs& in) { return argsort(in[0], 1, true); }},
        {"searchsorted", [](const OpInputs& in) { return searchsorted(in[0], in[1]); }},
        {"searchsorted right", [](const OpInputs& in) { return searchsorted(in[0], in[1], true); }},
        {"leaky_relu kinks", [](const OpInputs& in) { return leaky_relu(in[0], 0.1); }},
        {"elu kinks", [](const OpInputs& in) { return elu(in[0], 0.7); }},
        {"l1_loss kinks", [](const OpInputs& in) { return l1_loss(in[0], in[1]); }},
        {"huber_loss kinks", [](const OpInputs& in) { return huber_loss(in[0], in[1], 0.5); }},
        {"prod zeros", [](const OpInputs& in) { return prod(in[0], 1); }},
        {"cumprod zeros", [](const OpInputs& in) { return cumprod(in[0], 1); }},
        {"norm zeros", [](const OpInputs& in) { return norm(in[0], 2, 1); }},
        {"norm 1 zeros", [](const OpInputs& in) { return norm(in[0], 1, 1); }},
        {"norm 3 zeros", [](const OpInputs& in) { return norm(in[0], 3, 1); }},
        {"softmax infinite", [](const OpInputs& in) { return softmax(in[0], 1); }},
        {"log_softmax infinite", [](const OpInputs& in) { return select(log_softmax(in[0], 1), 1, 2); }},
        {"logsumexp infinite", [](const OpInputs& in) { return logsumexp(in[0], 1); }},
        {"cosine_similarity zeros", [](const OpInputs& in) { return cosine_similarity(in[0], in[1]); }},
    };
    return cases;
}
