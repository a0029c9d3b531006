// Mirrors no file: ops beside PyTorch.
#include "parity.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/nn/safetensors.hpp>
#include <wengert/ops/all_ops.hpp>
#include <wengert/ops/ops.hpp>

#include "../nn/close.hpp"

using namespace wengert;

namespace {

/// Functions of the lists that have no case, and why. All others have one.
const std::map<std::string, std::string> beyond_pytorch{
    {"sigmoid_slope", "the derivative of sigmoid"},
    {"linear_scan", "PyTorch has no linear recurrence"},
    {"pool_argmax", "what max_pool2d looks up, which is compared"},
    {"spread_pool", "the derivative of avg_pool2d, which is compared"},
    {"map", "of any formula"},
    {"map_sum", "of any formula"},
    {"length_mask", "PyTorch has no such function"},
    {"dropout", "draws numbers of its own"},
    {"uniform", "draws numbers of its own"},
    {"normal", "draws numbers of its own"},
    {"randint", "draws numbers of its own"},
    {"bernoulli", "draws numbers of its own"},
    {"gamma", "draws numbers of its own"},
    {"multinomial", "draws numbers of its own"},
    {"permutation", "draws numbers of its own"},
};

OpCases all_cases() {
    OpCases all;
    for (const OpCases* cases : {&elements_cases(), &arrangements_cases(), &products_cases(), &networks_cases()})
        all.insert(cases->begin(), cases->end());
    return all;
}

/// The call that a name stands for: of the cases, or a function of the library's list.
std::function<Tensor(const OpInputs&)> call_of(const OpCases& cases, const std::string& name) {
    const auto found = cases.find(name);
    if (found != cases.end()) return found->second;
    for (const FunctionEntry& function : all_functions())
        if (function.name == name.substr(0, name.find(' ')))
            return [apply = function.apply](const OpInputs& in) { return apply(in.front(), in.back()); };
    return {};
}

/// Every function of the lists, and the ops that are operators by their names.
std::set<std::string> functions_of_lists() {
    std::set<std::string> names;
    for (const OpFamily& family : op_families())
        for (const auto* entries : {&family.ops, &family.composed})
            for (const OpEntry& entry : *entries) {
                const std::vector<std::string_view> functions = called_functions(entry.doc);
                names.insert(functions.begin(), functions.end());
                if (functions.empty()) names.emplace(entry.name);
            }
    return names;
}

/// The names of the file's cases: "NAME.0", "NAME.result", .. -> NAME.
std::set<std::string> names_of(const std::map<std::string, Tensor>& tensors) {
    std::set<std::string> names;
    for (const auto& [name, x] : tensors) names.insert(name.substr(0, name.find('.')));
    return names;
}

std::map<std::string, Tensor> fixture() {
    const TensorFile file = read_safetensors(std::filesystem::path(WENGERT_FIXTURES) / "ops.safetensors");
    return {file.tensors.begin(), file.tensors.end()};
}

}  // namespace

TEST_CASE("parity: every function of the lists is compared with PyTorch's, or has a reason not to be") {
    std::set<std::string> compared;
    for (const std::string& name : names_of(fixture())) compared.insert(name.substr(0, name.find(' ')));
    const std::set<std::string> functions = functions_of_lists();
    CHECK(functions.size() > 200);
    for (const std::string& name : functions)
        CHECK_MESSAGE(compared.contains(name) != beyond_pytorch.contains(name), name);
    for (const auto& [name, reason] : beyond_pytorch) CHECK_MESSAGE(functions.contains(name), name);
    for (const std::string& name : compared) CHECK_MESSAGE(functions.contains(name), name);
}

TEST_CASE("parity: results and gradients of ops are PyTorch's") {
    const std::map<std::string, Tensor> tensors = fixture();
    const OpCases cases = all_cases();
    const std::set<std::string> names = names_of(tensors);
    for (const auto& [name, call] : cases) CHECK_MESSAGE(names.contains(name), name);
    for (const std::string& name : names) {
        INFO(name);
        const auto call = call_of(cases, name);
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
            const double largest =
                !is_floating(expected.dtype()) || expected.numel() == 0 ? 0 : std::max(1.0, max(abs(expected)).item());
            CHECK(difference(actual, expected, 1e-10 * largest) == "");
        };
        check_close(result, tensors.at(name + ".result"));
        if (moving.empty()) continue;
        const OpInputs slopes = tape.gradient(result, moving, {.cotangent = tensors.at(name + ".cotangent")});
        for (std::size_t i = 0; i < moving.size(); ++i) check_close(slopes[i], expected_slopes[i]);
    }
}
