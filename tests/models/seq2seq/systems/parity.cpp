// Mirrors no file: every system of the table beside PyTorch.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <vector>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/models/seq2seq/system.hpp>
#include <wengert/nn/safetensors.hpp>

#include "../../../nn/close.hpp"
#include "fixture_system.hpp"

using namespace wengert;

namespace {

/// Within 1e-10 of the largest element.
void check_close(const std::string& name, const Tensor& actual, const Tensor& expected) {
    INFO(name);
    const double largest = max(abs(expected)).item();
    CHECK(largest > 0);
    CHECK(difference(actual, expected, 1e-10 * largest) == "");
}

void compare(const System& system, const TensorFile& file) {
    const Tensor source = file.at("source"), lengths = file.at("source_lengths"), target = file.at("target");
    const NamedTensors parameters = system.named_parameters();
    assign(parameters, fixture_parameters(file));  // throws unless the names are the same

    const System::Forced forced = system.force(source, lengths, target);
    check_close("logits", forced.logits, file.at("logits"));
    if (forced.weights.defined()) check_close("weights", forced.weights, file.at("weights"));
    Tape tape;
    const Tensor loss = system.loss(source, lengths, target);
    check_close("loss", loss, file.at("loss"));
    std::vector<Tensor> inputs;
    for (const auto& [name, parameter] : parameters) inputs.push_back(parameter);
    const std::vector<Tensor> gradients = tape.gradient(loss, inputs);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const std::string name = "grad." + parameters[i].first;
        check_close(name, gradients[i], file.at(name));
    }
    const std::size_t others = forced.weights.defined() ? 6 : 5;
    CHECK(file.tensors.size() == 2 * parameters.size() + others);  // nothing is left out
}

}  // namespace

TEST_CASE("parity: each system's loss and gradients are PyTorch's, as usual and with options") {
    for (const SystemEntry& entry : all_systems())
        for (const char* suffix : {"", "_options"}) {
            const std::string name = fmt::format("system_{}{}.safetensors", entry.name, suffix);
            CAPTURE(name);
            const std::filesystem::path path = std::filesystem::path(WENGERT_FIXTURES) / name;
            const TensorFile file = read_safetensors(path);
            compare(*fixture_system(entry.name, file, path)->to(Dtype::float64), file);
        }
}
