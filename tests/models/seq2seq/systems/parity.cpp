// Mirrors no file: every system of the table beside PyTorch.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/models/seq2seq/internal/option_json.hpp>
#include <wengert/models/seq2seq/system.hpp>
#include <wengert/nn/safetensors.hpp>

#include "../../../nn/close.hpp"

using namespace wengert;

namespace {

/// Those of a file of tests/fixtures/system_fixtures.py.
SystemOptions options_of(const TensorFile& file, const std::filesystem::path& path) {
    const nlohmann::json json = nlohmann::json::parse(file.metadata.at("options"));
    const Settings settings(json, path);
    constexpr Bounds<std::int64_t> tokens{1, 100};
    SystemOptions options{.source_vocabulary = settings.number("source_vocabulary", tokens),
                          .target_vocabulary = settings.number("target_vocabulary", tokens)};
    std::vector<std::string_view> names{"source_vocabulary", "target_vocabulary"};
    options.describe(OptionReader{settings, names});
    settings.require_known(names);
    return options;
}

/// The encoder's and the decoder's.
NamedTensors parameters_of(const TensorFile& file) {
    NamedTensors parameters;
    for (const auto& [name, x] : file.tensors)
        if (name.starts_with("encoder.") || name.starts_with("decoder.")) parameters.emplace_back(name, x);
    return parameters;
}

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
    assign(parameters, parameters_of(file));  // throws unless the names are the same

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
            Generator generator(1);
            compare(*make_system(entry.name, options_of(file, path), generator)->to(Dtype::float64), file);
        }
}
