#include <wengert/models/seq2seq/onnx_export.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "../../onnx_fixture.hpp"
#include "small_translator.hpp"
#include "systems/fixture_system.hpp"

using namespace wengert;

namespace {

/// A system with the options and the weights of a file of tests/fixtures/system_fixtures.py.
std::unique_ptr<System> system_of(std::string_view name, const TensorFile& file, const std::filesystem::path& path) {
    std::unique_ptr<System> system = fixture_system(name, file, path);
    assign(system->named_parameters(), fixture_parameters(file));
    return system;
}

NamedTensors tensors_of(DecoderState& state, const std::string& prefix, bool with_memory) {
    NamedTensors tensors;
    state.visit(
        [&](const std::string& name, Tensor& x) {
            if (with_memory) tensors.emplace_back(name, x);
        },
        [&](const std::string& name, Tensor& x) { tensors.emplace_back(prefix + name, x); });
    return tensors;
}

/// The best tokens as search() finds them, with </s>, padded, and what they looked at.
NamedTensors greedy_of(const System& system, const Tensor& source, const Tensor& lengths, std::int64_t limit) {
    const System* const systems[] = {&system};
    std::vector<std::vector<std::int64_t>> rows;
    std::size_t steps = 0;
    for (const auto& best : search(systems, source, lengths, limit)) {
        rows.push_back(best[0].tokens);
        if (best[0].is_whole) rows.back().push_back(Vocabulary::end);
        steps = std::max(steps, rows.back().size());
    }
    std::vector<std::int64_t> tokens;
    for (std::vector<std::int64_t>& row : rows) {
        row.resize(steps, Vocabulary::pad);
        tokens.insert(tokens.end(), row.begin(), row.end());
    }
    return {{"tokens", tensor(tokens, {std::ssize(rows), static_cast<std::int64_t>(steps)})}};
}

/// Attention of a run that goes on for rows that have ended, as the graph's does.
void add_weights(NamedTensors& results, const System& system, const Tensor& source, const Tensor& lengths) {
    const std::unique_ptr<DecoderState> state = system.start(source, lengths);
    const Tensor tokens = results[0].second;
    std::vector<Tensor> weights;
    Tensor token = full({source.dim(0)}, Vocabulary::start, Dtype::int64);
    for (std::int64_t t = 0; t < tokens.dim(1); ++t) {
        const System::Step step = system.step(token, *state);
        if (!step.weights.defined()) return;
        weights.push_back(step.weights);
        token = select(tokens, 1, t);
    }
    results.emplace_back("weights", stack(weights, 1));
}

Tensor spread_ids(const Shape& shape, std::int64_t below) {
    std::vector<std::int64_t> values;
    for (std::int64_t i = 0; i < shape.numel(); ++i) values.push_back(2 + (5 * i + i / 4) % (below - 2));
    return tensor(values, shape);
}

void check_system(OnnxFixture& fixture, const std::string& name, const System& system) {
    const OnnxSystem graphs = record_onnx(system);
    // More sources, and longer ones, than the graphs were recorded with.
    const Tensor source = spread_ids({4, 7}, system.options().source_vocabulary);
    const Tensor lengths = tensor(std::vector<std::int64_t>{7, 2, 5, 1}, {4});
    const std::unique_ptr<DecoderState> state = system.start(source, lengths);
    fixture.check(name + ": encoder", graphs.encoder.serialized(), {{"source", source}, {"lengths", lengths}},
                  tensors_of(*state, "", true));

    // The third step: a state that is not the first.
    for (const std::int64_t token : {Vocabulary::start, std::int64_t{4}})
        system.step(full({4}, static_cast<double>(token), Dtype::int64), *state);
    NamedTensors inputs = tensors_of(*state, "", true);
    const Tensor token = tensor(std::vector<std::int64_t>{5, 3, 8, 6}, {4});
    inputs.emplace_back("token", token);
    const System::Step step = system.step(token, *state);
    NamedTensors outputs = tensors_of(*state, "next.", false);
    outputs.emplace_back("logits", step.logits);
    if (step.weights.defined()) outputs.emplace_back("weights", step.weights);
    fixture.check(name + ": step", graphs.step.serialized(), inputs, outputs);

    NamedTensors found = greedy_of(system, source, lengths, 12);
    add_weights(found, system, source, lengths);
    fixture.check(name + ": greedy", graphs.greedy.serialized(),
                  {{"source", source}, {"lengths", lengths}, {"max_length", scalar(12, Dtype::int64)}}, found);
}

}  // namespace

TEST_CASE("record_onnx: ONNX Runtime finds the same logits and tokens with every recurrent system") {
    OnnxFixture fixture("systems");
    for (const SystemEntry& entry : all_systems())
        for (const char* suffix : {"", "_options"}) {
            const std::string name = fmt::format("{}{}", entry.name, suffix);
            CAPTURE(name);
            const std::filesystem::path path =
                std::filesystem::path(WENGERT_FIXTURES) / fmt::format("system_{}.safetensors", name);
            const std::unique_ptr<System> system = system_of(entry.name, read_safetensors(path), path);
            if (entry.name == "transformer")
                CHECK_THROWS_WITH_AS(record_onnx(*system),
                                     "ONNX: the state of the system transformer grows with each step, which a graph of "
                                     "one step has no form for",
                                     ValueError);
            else
                check_system(fixture, name, *system);
        }
    fixture.check_all_met();
}

TEST_CASE("export_onnx: the files of a translator") {
    const TemporaryDirectory directory;
    const Translator translator = small_translator();
    const std::filesystem::path out = directory.path() / "a \"<&>\" 你好" / "onnx";
    export_onnx(translator, out);
    for (const char* name : {"encoder.onnx", "step.onnx", "greedy.onnx"}) CHECK(content_of(out / name).size() > 1000);
    CHECK(Vocabulary::load(out / "source.vocabulary") == translator.source.vocabulary);
    CHECK(Vocabulary::load(out / "target.vocabulary") == translator.target.vocabulary);
    write_file(directory.path() / "file", "");
    CHECK_THROWS_AS(export_onnx(translator, directory.path() / "file"), FileError);
}
