// Mirrors no file: every op of the list, with operands that it may not take.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/ops/all_ops.hpp>
#include <wengert/ops/ops.hpp>

using namespace wengert;

namespace {

/// What may be wrong with an operand.
std::vector<std::pair<std::string, Tensor>> spoilt(const Tensor& x) {
    std::vector<std::pair<std::string, Tensor>> all{{"undefined", Tensor()}, {"an axis more", unsqueeze(x, 0)}};
    if (is_floating(x.dtype())) {
        for (const Dtype dtype : {Dtype::boolean, Dtype::int32, Dtype::int64, Dtype::float16})
            all.emplace_back(to_string(dtype), ones(x.shape(), dtype));
        all.emplace_back("float32", cast(x, Dtype::float32));
    } else {
        all.emplace_back("float64", cast(x, Dtype::float64));
        for (const double far : {-1e6, 1e6}) {
            const Tensor ids = zeros(x.shape(), Dtype::int64);
            fill(ids, far);
            all.emplace_back("far away", ids);
        }
    }
    for (int axis = 0; axis < x.rank(); ++axis) {
        const std::string of_axis = " along axis " + std::to_string(axis);
        if (x.dim(axis) > 0) {
            all.emplace_back("shorter" + of_axis, slice(x, axis, 0, x.dim(axis) - 1));
            const Tensor first = slice(x, axis, 0, 1);
            if (is_floating(x.dtype()))
                all.emplace_back("longer" + of_axis,
                                 concat({x, first * sample_values(first.shape(), 0.95, 1.1, 3)}, axis));
        }
        all.emplace_back("empty" + of_axis, slice(x, axis, 0, 0));
    }
    if (x.rank() > 0 && x.dim(0) > 0) all.emplace_back("an axis fewer", select(x, 0, 0));
    return all;
}

/// Who may refuse a sample's operands: the op, under each of its names, what the sample calls before it, and functions
/// that are composed of ops, which answer for them. Not the ops that others run inside.
struct Responsible {
    std::set<std::string, std::less<>> names;
    std::set<std::string, std::less<>> lines;  ///< of what the sample calls and a tape records
};
Responsible responsible(const OpEntry& op, const Sample& sample) {
    Responsible result{{std::string(op.name)}, {}};
    auto& [names, lines] = result;
    const auto add = [&names](const OpEntry& entry) {
        for (const std::string_view name : called_functions(entry.doc)) names.emplace(name);
    };
    add(op);
    for (const OpFamily& family : op_families()) std::ranges::for_each(family.composed, add);
    // A comparison that a sample calls leaves no node.
    for (const OpEntry& other : all_ops())
        if (!other.differentiable) names.emplace(other.name);
    Tape tape;
    for (const Tensor& x : sample.inputs)
        if (is_floating(x.dtype())) tape.watch(x);
    sample.f(sample.inputs);
    for (NodeId id = 0; id < tape.size(); ++id) {
        if (tape[id].is_leaf()) continue;
        names.emplace(tape[id].name());
        lines.insert(to_string(tape[id].where()));
    }
    return result;
}

bool is_finite(const Tensor& x) {
    const std::vector<double> values = x.to_vector<double>();
    return std::ranges::all_of(values, [](double v) { return std::isfinite(v); });
}

}  // namespace

TEST_CASE("bad input: an error of the op at the line of the call, or a result with a right gradient") {
    const auto is_checked = [](const Tensor& x) { return x.dtype() == Dtype::float64; };
    // Differences need float64, which an op that promotes its operands does not.
    const auto is_single = [](const Tensor& x) { return x.dtype() == Dtype::float32; };
    int refused = 0, taken = 0;
    for (const OpEntry& op : all_sampled()) {
        CAPTURE(op.name);
        for (const Sample& sample : op.samples()) {
            CAPTURE(sample.label);
            const auto [names, lines] = responsible(op, sample);
            for (std::size_t i = 0; i < sample.inputs.size(); ++i) {
                CAPTURE(i);
                for (const auto& [what, x] : spoilt(sample.inputs[i])) {
                    CAPTURE(what);
                    std::vector<Tensor> inputs = sample.inputs;
                    inputs[i] = x;
                    try {
                        const Tensor y = sample.f(inputs);
                        ++taken;
                        // A mask of numbers that move is at its kink.
                        if (!op.differentiable || !x.defined() || what == "float64" || !is_checked(y) ||
                            std::ranges::none_of(inputs, is_checked) || std::ranges::any_of(inputs, is_single))
                            continue;
                        const GradcheckResult result =
                            gradcheck(sample.f, inputs, {.full_jacobian_limit = 0, .directions = 1});
                        const bool is_infinite = result.verdict == GradcheckVerdict::not_finite && !is_finite(y);
                        CHECK_MESSAGE((result.passed || is_infinite), result.message);
                    } catch (const Error& error) {
                        ++refused;
                        const std::string text = error.what();
                        if (error.op().empty()) {  // the sample itself asked for a length
                            CHECK_MESSAGE((text.starts_with("an undefined tensor was used") ||
                                           text.find("does not exist in a tensor of") != std::string::npos),
                                          text);
                            continue;
                        }
                        CHECK_MESSAGE(names.contains(error.op()), text);
                        if (what == "float16") CHECK_MESSAGE(text.find("cast() it first") != std::string::npos, text);
                        CHECK_MESSAGE(text.starts_with(error.op() + ": "), text);
                        const std::size_t place = text.rfind("\n  at ");
                        REQUIRE_MESSAGE(place != std::string::npos, text);
                        CHECK_MESSAGE((!op.differentiable || lines.empty() || lines.contains(text.substr(place + 6))),
                                      text);
                    }
                }
            }
        }
    }
    CHECK(refused > 3'000);
    CHECK(taken > 3'000);
}
