#include <wengert/ops/onnx/internal/forms.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <wengert/ops/all_ops.hpp>
#include <wengert/ops/onnx/internal/model.hpp>
#include <wengert/ops/ops.hpp>

#include "onnx_fixture.hpp"
#include "ops/brute_force.hpp"

using namespace wengert;

namespace {

/// Records f at fixed lengths and compares the file with the fixture; nothing if an op has no form.
bool has_form(OnnxFixture& fixture, const std::string& name, const Sample& sample) {
    std::vector<OnnxPort> ports;
    NamedTensors inputs;
    std::vector<Tensor> values;
    for (const Tensor& x : sample.inputs) {
        values.push_back(is_floating(x.dtype()) ? cast(x, Dtype::float32) : x);
        inputs.emplace_back(fmt::format("x{}", inputs.size()), values.back());
        ports.push_back({inputs.back().first, values.back(), {}});
    }
    try {
        const Tensor expected = sample.f(values);
        const OnnxGraph graph = record_onnx([&](const auto& in) { return std::vector{sample.f(in)}; }, ports, {"y"});
        fixture.check(name, graph.serialized(), inputs, {{"y", expected}});
        return true;
    } catch (const DtypeError&) {
        return false;  // a sample that holds tensors of float64
    } catch (const ValueError& error) {
        CHECK_MESSAGE(std::string(error.what()).find("has no ONNX form") != std::string::npos, error.what());
        return false;
    }
}

bool is_empty(const Sample& sample) {
    return std::ranges::any_of(sample.inputs, [](const Tensor& x) { return x.numel() == 0; });
}

/// Formulas and functions that are composed of ops.
std::vector<Sample> compositions() {
    const Tensor x = sample_values({3, 4}, -1, 1, 1), y = sample_values({3, 4}, 0.5, 1, 2),
                 v = sample_values({4}, -1, 1, 3);
    const double infinity = std::numeric_limits<double>::infinity();
    const Tensor scores = tensor({1, -infinity, 2, -infinity, -infinity, -infinity}, {2, 3}, Dtype::float64);
    const Tensor lengths = tensor(std::vector<std::int64_t>{2, 0, 3}, {3});
    return {
        {"a formula",
         {x, y, v},
         [](const auto& in) {
             return map([](auto a, auto b, auto c) { return sigmoid(a) * tanh(b) + c / (1 + exp(-a)); }, in[0], in[1],
                        in[2]);
         }},
        {"a formula of two results",
         {x, y},
         [](const auto& in) {
             const auto [p, q] = map([](auto a, auto b) { return std::tuple{a * b, a - b}; }, in[0], in[1]);
             return p + 2 * q;
         }},
        {"both results of a formula",
         {x, y},
         [](const auto& in) {
             return concat({reshape(in[0], {12}), reshape(stack({in[0], in[1]}, 0), {24})}, 0);
         }},
        {"a formula with a captured number",
         {x},
         [](const auto& in) { return map([scale = 0.3](auto a) { return scale * a * a; }, in[0]); }},
        {"a formula that chooses",
         {x, y},
         [](const auto& in) {
             return map([](auto a, auto b) { return where(a > 0 && !(b < a), a, -b); }, in[0], in[1]);
         }},
        {"a formula that is a number",
         {x},
         [](const auto& in) { return map([](auto a) { return where(a == a, 2.0, 3.0); }, in[0]); }},
        {"the sum of a formula",
         {x, y, v},
         [](const auto& in) {
             return map_sum([](auto a, auto b, auto c) { return c * tanh(a + b); }, -1, in[0], in[1], in[2]);
         }},
        {"the sum of a formula, keepdim",
         {x, y},
         [](const auto& in) {
             return map_sum([](auto a, auto b) { return a * b; }, ReductionAxes({0, 1}).keeping_dims(), in[0], in[1]);
         }},
        {"silu, gelu and mish", {x}, [](const auto& in) { return silu(in[0]) + gelu_tanh(in[0]) + mish(in[0]); }},
        {"means", {x}, [](const auto& in) { return mean(in[0], 0) + mean(in[0]); }},
        {"softmax of a row of minus infinities", {scores}, [](const auto& in) { return softmax(in[0]); }},
        {"softmax over the first axis", {x}, [](const auto& in) { return softmax(in[0], 0); }},
        {"a mask of lengths", {lengths}, [](const auto& in) { return length_mask(in[0], 3); }},
        {"a filled mask",
         {x, lengths},
         [](const auto& in) { return masked_fill(in[0], unsqueeze(length_mask(in[1], 4), 0)[0], 7); }},
        {"comparisons of integers",
         {lengths},
         [](const auto& in) { return where(logical_or(in[0] > 2, in[0] == 0), in[0] * 2, in[0] - 1); }},
        {"counts",
         {lengths},
         [](const auto& in) { return where(all(in[0]), count_nonzero(in[0]), -count_nonzero(logical_not(in[0]))); }},
        {"normalisations without weights",
         {x},
         [](const auto& in) { return layer_norm(in[0], {}, {}) + rms_norm(in[0], {}); }},
        {"attention with a mask",
         {sample_values({2, 3, 4}, -1, 1, 4), sample_values({2, 5, 4}, -1, 1, 5), sample_values({2, 5, 3}, -1, 1, 6),
          sample_values({3, 5}, -1, 1, 7)},
         [](const auto& in) { return scaled_dot_product_attention(in[0], in[1], in[2], {.mask = in[3]}); }},
    };
}

}  // namespace

TEST_CASE("forms: what every op with a form computes, ONNX Runtime computes, too") {
    OnnxFixture fixture("ops");
    for (const OpEntry& op : all_ops()) {
        std::size_t number = 0;
        for (const Sample& sample : op.samples()) {
            const std::string name = fmt::format("{}: {}: {}", op.name, number++, sample.label);
            if (!is_empty(sample)) has_form(fixture, name, sample);
        }
    }
    for (const Sample& sample : compositions()) {
        CAPTURE(sample.label);
        CHECK(has_form(fixture, sample.label, sample));
    }
    fixture.check_all_met();
}

TEST_CASE("forms: an op without one is named with its place and its line") {
    const Tensor x = sample_values({3}, 0, 1, 1);
    const auto record = [&](const OnnxFunction& f) { record_onnx(f, {{"x", x, {}}}, {"y"}); };
    brute_force::check_refused<ValueError>(
        "cumprod: has no ONNX form", [&] { record([](const auto& in) { return std::vector{cumprod(in[0], 0)}; }); });
    brute_force::check_refused<ValueError>("log1p: has no ONNX form\n  in decoder.cell, step 3", [&] {
        record([](const auto& in) {
            const Scope scope("decoder"), cell("cell");
            const Step step(3);
            return std::vector{map([](auto a) { return 2 * log1p(a); }, in[0])};
        });
    });
    brute_force::check_refused<ValueError>("softmax: over 2 axes together has no ONNX form", [&] {
        record([](const auto& in) { return std::vector{softmax(reshape(in[0], {1, 3}), {0, 1})}; });
    });
}
