// Mirrors no file: every op of the list.
// Covers ops/all_ops.hpp
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <source_location>
#include <string>
#include <utility>
#include <vector>
#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/autograd/observe/anomaly.hpp>
#include <wengert/autograd/observe/memory.hpp>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/ops/all_ops.hpp>
#include <wengert/ops/ops.hpp>

using namespace wengert;

namespace {

bool any_input_moves(const Sample& sample) {
    for (const Tensor& input : sample.inputs)
        if (is_floating(input.dtype()) && input.numel() > 0) return true;
    return false;
}

}  // namespace

TEST_CASE("gradients: first and second order of every op") {
    for (const OpEntry& op : all_sampled()) {
        CAPTURE(op.name);
        const std::vector<Sample> samples = op.samples();
        CHECK(!samples.empty());
        CHECK(std::ranges::any_of(samples, any_input_moves));
        for (const Sample& sample : samples) {
            CAPTURE(sample.label);
            if (op.differentiable) {
                for (const int order : {1, 2}) {
                    const GradcheckResult result = gradcheck(sample.f, sample.inputs, {.order = order});
                    CHECK_MESSAGE(result.passed, result.message);
                }
                continue;
            }
            Tape tape;
            for (const Tensor& input : sample.inputs) tape.watch(input);
            const Tensor result = sample.f(sample.inputs);
            const std::string text =
                "gradient: the result comes from " + std::string(op.name) + ", which has no derivative";
            try {
                tape.gradient(result, sample.inputs, {.cotangent = zeros(result.shape(), result.dtype())});
                FAIL_CHECK("a gradient of " << op.name);
            } catch (const NotDifferentiableError& error) {
                CHECK(std::string(error.what()).substr(0, text.size()) == text);
            }
        }
    }
}

TEST_CASE("gradients: third order of every op, along random directions") {
    for (const OpEntry& op : all_sampled()) {
        if (!op.differentiable) continue;
        CAPTURE(op.name);
        for (const Sample& sample : op.samples()) {
            if (sample.label == "extremes") continue;  // lgamma's third derivative is NaN below 0, as polygamma says
            CAPTURE(sample.label);
            const GradcheckResult result =
                gradcheck(sample.f, sample.inputs, {.order = 3, .full_jacobian_limit = 0, .directions = 2});
            CHECK_MESSAGE(result.passed, result.message);
        }
    }
}

/// Inputs that are used again after the op have a cotangent already when its rule runs.
TEST_CASE("gradients: every op adds to what is there") {
    for (const OpEntry& op : all_sampled()) {
        if (!op.differentiable) continue;
        CAPTURE(op.name);
        for (const Sample& sample : op.samples()) {
            CAPTURE(sample.label);
            std::vector<Tensor> inputs;
            for (const Tensor& input : sample.inputs)
                if (is_floating(input.dtype())) inputs.push_back(input);
            const auto gradients = [&](double weight) {
                Tape tape;
                for (const Tensor& input : inputs) tape.watch(input);
                Tensor total = sum(sample.f(sample.inputs));
                for (const Tensor& input : inputs) total = total + sum(input) * weight;
                return tape.gradient(total, inputs);
            };
            const std::vector<Tensor> alone = gradients(0), added = gradients(3);
            for (std::size_t k = 0; k < inputs.size(); ++k) {
                const auto a = alone[k].to_vector<double>(), b = added[k].to_vector<double>();
                for (std::size_t i = 0; i < a.size(); ++i)
                    CHECK((b[i] == doctest::Approx(a[i] + 3).epsilon(1e-12) || std::isnan(a[i])));
            }
        }
    }
}

TEST_CASE("gradients: what a recorded pass records bears the line of the op whose rule it is") {
    for (const OpEntry& op : all_sampled()) {
        if (!op.differentiable) continue;
        CAPTURE(op.name);
        for (const Sample& sample : op.samples()) {
            CAPTURE(sample.label);
            Tape tape;
            std::vector<Tensor> inputs;
            for (const Tensor& input : sample.inputs) {
                if (!is_floating(input.dtype())) continue;
                tape.watch(input);
                inputs.push_back(input);
            }
            const Tensor result = sample.f(sample.inputs);
            std::set<std::string> lines;
            const NodeId end = tape.size();
            for (NodeId id = 0; id < end; ++id) lines.insert(to_string(tape[id].where()));
            const Tensor cotangent = sample_values(result.shape(), -1, 1, 9);
            tape.gradient(result, inputs, {.create_graph = true, .cotangent = cotangent});
            for (NodeId id = end; id < tape.size(); ++id) {
                CAPTURE(tape[id].name());
                CHECK(lines.contains(to_string(tape[id].where())));
            }
        }
    }
}

TEST_CASE("gradients: what fails in a recorded rule is an error of the op whose rule it is, at its line") {
    const Tensor x = zeros({1}, Dtype::float64);
    const DetectAnomalies detect;
    Tape tape;
    tape.watch(x);
    const Tensor y = sqrt(x);
    const std::string line = to_string(SourceLine(std::source_location::current()));
    try {
        tape.gradient(y, x, {.create_graph = true});
        FAIL_CHECK("nothing was thrown");
    } catch (const NonFiniteError& error) {
        const std::string what = error.what(), here = line.substr(0, line.rfind(':'));
        CHECK(what.starts_with("sqrt: forward produced inf at [0] of the result [1]"));
        CHECK(what.ends_with("\n  at " + here + ":" + std::to_string(tape[1].where().line)));
    }
}

TEST_CASE("gradients: an op that no tape follows makes no node") {
    for (const OpEntry& op : all_sampled()) {
        CAPTURE(op.name);
        for (const Sample& sample : op.samples()) {
            CAPTURE(sample.label);
            CHECK(Recording::current() == nullptr);
            const Tensor free = sample.f(sample.inputs);
            CHECK(free.state()->recording == 0);
            CHECK(free.state()->node == no_node);
            Tape tape;
            const Tensor unfollowed = sample.f(sample.inputs);
            CHECK(tape.size() == 0);
            CHECK(tape.find(unfollowed) == no_node);
            CHECK(saved_bytes(tape) == 0);
        }
    }
}

TEST_CASE("gradients: without a tape an op takes memory for its result only") {
    const Tensor x = ones({4, 5}), w = ones({3, 5});
    const auto live = [] { return allocator_statistics().live_bytes; };
    const std::int64_t before = live();
    std::int64_t of_results;
    {
        const Tensor a = Tensor::empty({4, 3}), b = Tensor::empty({4, 3}), c = Tensor::empty({});
        of_results = live() - before;
    }
    CHECK(live() == before);
    const Tensor a = matmul(x, transpose(w)), b = tanh(a), c = sum(b);
    CHECK(live() - before == of_results);
}

TEST_CASE("gradients: every op has a row for the reference, which fits a table") {
    for (const OpFamily& family : op_families())
        for (const auto* entries : {&family.ops, &family.composed})
            for (const OpEntry& op : *entries) {
                CAPTURE(op.name);
                for (const std::string_view text : {op.doc.call, op.doc.shape, op.doc.formula, op.doc.derivative}) {
                    CHECK(!text.empty());
                    CHECK(text.find('|') == std::string_view::npos);
                    CHECK(text.find('\n') == std::string_view::npos);
                }
            }
}

TEST_CASE("gradients: no two samples of a name have one label") {
    std::set<std::pair<std::string_view, std::string>> met;
    for (const OpEntry& op : all_sampled())
        for (const Sample& sample : op.samples())
            CHECK_MESSAGE(met.emplace(op.name, sample.label).second, sample.label);
}

/// A derivative that the row tells of is checked, of each function.
TEST_CASE("gradients: a composed function has samples, and labels name each where a row has several") {
    for (const OpFamily& family : op_families())
        for (const OpEntry& op : family.composed) {
            CAPTURE(op.name);
            CHECK((op.doc.derivative == "none") == (op.samples == nullptr));
            if (op.samples == nullptr) continue;
            const std::vector<std::string_view> called = called_functions(op.doc);
            const std::vector<Sample> samples = op.samples();
            for (const std::string_view name : called) {
                CAPTURE(name);
                if (name == op.name && std::ranges::count(called, name) == std::ssize(called)) continue;
                CHECK(std::ranges::any_of(
                    samples, [&](const Sample& sample) { return sample.label.starts_with(std::string(name) + ","); }));
            }
        }
}

TEST_CASE("gradients: what follows from an op without derivative has none, and says why") {
    const Tensor x = ones({3});
    Tape tape;
    tape.watch(x);
    const Tensor above = x > 0.5;
    CHECK_THROWS_AS(tape.gradient(sum(above * 2.0), x), NotDifferentiableError);
    CHECK(tape.gradient(sum(above * x), x).to_vector<double>() == std::vector<double>{1, 1, 1});
    CHECK_THROWS_AS(tape.gradient(sum(ones({3})), x), TapeError);
}
