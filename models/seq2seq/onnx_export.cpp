#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <system_error>
#include <wengert/models/seq2seq/onnx_export.hpp>

namespace wengert {
namespace {

using OnnxTensors = std::vector<Tensor>;
using OnnxNames = std::vector<std::string>;

/// The names of what steps read, those that they change last.
struct StateNames {
    OnnxNames memory, state;

    OnnxNames all() const {
        OnnxNames both = memory;
        both.insert(both.end(), state.begin(), state.end());
        return both;
    }
};

StateNames names_of(DecoderState& state) {
    StateNames names;
    state.visit([&](const std::string& name, Tensor&) { names.memory.push_back(name); },
                [&](const std::string& name, Tensor&) { names.state.push_back(name); });
    return names;
}

OnnxTensors tensors_of(DecoderState& state, bool with_memory) {
    OnnxTensors tensors;
    state.visit(
        [&](const std::string&, Tensor& x) {
            if (with_memory) tensors.push_back(x);
        },
        [&](const std::string&, Tensor& x) { tensors.push_back(x); });
    return tensors;
}

/// A system's functions of tensors.
class Functions {
  public:
    explicit Functions(const System& system) : system_(system) {}

    OnnxTensors encode(const Tensor& source, const Tensor& lengths) const {
        return tensors_of(*system_.start(source, lengths), true);
    }

    /// One step: its results, and the state after it.
    struct Stepped {
        System::Step step;
        OnnxTensors state;
    };
    /// `known` begins with what encode() returns.
    Stepped step(const Tensor& token, const Tensor* known) const {
        // Of another source, for what follows from the parameters alone; all else is replaced.
        const std::int64_t rows = token.dim(0), length = 2;
        const std::unique_ptr<DecoderState> state =
            system_.start(zeros({rows, length}, Dtype::int64), full({rows}, length, Dtype::int64));
        const auto replace = [&known](const std::string&, Tensor& x) { x = *known++; };
        state->visit(replace, replace);
        const System::Step result = system_.step(token, *state);
        return {result, tensors_of(*state, false)};
    }

    /// The next token of rows that have not finished, <pad> of others.
    OnnxTensors choose(const Tensor& token, const Tensor& finished, const Tensor* known) const {
        Stepped next = step(token, known);
        const Tensor& logits = next.step.logits;
        Tensor forbidden = zeros({logits.dim(1)}, Dtype::boolean);
        forbidden.mutable_data<bool>()[Vocabulary::pad] = true;
        forbidden.mutable_data<bool>()[Vocabulary::start] = true;
        const Tensor best = argmax(masked_fill(logits, forbidden, -std::numeric_limits<double>::infinity()), -1);
        const Tensor chosen = where(finished, Vocabulary::pad, best);
        const Tensor has_finished = logical_or(finished, chosen == Vocabulary::end);
        OnnxTensors results{any(logical_not(has_finished)), chosen, has_finished};
        results.insert(results.end(), next.state.begin(), next.state.end());
        results.push_back(chosen);
        if (next.step.weights.defined()) results.push_back(next.step.weights);
        return results;
    }

  private:
    const System& system_;
};

OnnxNames with_prefix(const std::string& prefix, const OnnxNames& names) {
    OnnxNames result;
    for (const std::string& name : names) result.push_back(prefix + name);
    return result;
}

void append(OnnxNames& to, const OnnxNames& more) { to.insert(to.end(), more.begin(), more.end()); }

}  // namespace

OnnxSystem record_onnx(const System& system) {
    const Functions functions(system);
    // Rows of several lengths and ids, so that they differ.
    const std::int64_t size = system.options().source_vocabulary;
    std::vector<std::int64_t> ids;
    for (std::int64_t i = 0; i < 6; ++i) ids.push_back((2 + 3 * i) % size);
    const Tensor source = tensor(ids, {2, 3}), lengths = tensor(std::vector<std::int64_t>{3, 2}, {2});
    const std::vector<OnnxPort> sources{{"source", source, {"batch", "source"}}, {"lengths", lengths, {"batch"}}};

    const std::unique_ptr<DecoderState> first = system.start(source, lengths);
    const StateNames names = names_of(*first);
    const System::Step probe = system.step(tensor(std::vector<std::int64_t>{1, 1}, {2}), *first);
    if (names_of(*first).state != names.state)
        throw ValueError(
            fmt::format("ONNX: the state of the system {} grows with each step, which a graph of one step has no form "
                        "for",
                        system.name()));
    const bool attends = probe.weights.defined();

    OnnxGraph encoder =
        record_onnx([&](const OnnxTensors& in) { return functions.encode(in[0], in[1]); }, sources, names.all());
    const Tensor token = tensor(std::vector<std::int64_t>{1, 3}, {2});
    std::vector<OnnxPort> of_step{{"token", token, {"batch"}}};
    of_step.insert(of_step.end(), encoder.outputs().begin(), encoder.outputs().end());
    OnnxNames results{"logits"};
    if (attends) results.emplace_back("weights");
    append(results, with_prefix("next.", names.state));
    OnnxGraph step = record_onnx(
        [&](const OnnxTensors& in) {
            Functions::Stepped next = functions.step(in[0], &in[1]);
            OnnxTensors out{next.step.logits};
            if (attends) out.push_back(next.step.weights);
            out.insert(out.end(), next.state.begin(), next.state.end());
            return out;
        },
        of_step, results);

    OnnxNames begun{"token", "finished"};
    append(begun, names.all());
    const OnnxGraph before = record_onnx(
        [&](const OnnxTensors& in) {
            const std::int64_t rows = in[0].dim(0);
            OnnxTensors out{full({rows}, Vocabulary::start, Dtype::int64), zeros({rows}, Dtype::boolean)};
            const OnnxTensors known = functions.encode(in[0], in[1]);
            out.insert(out.end(), known.begin(), known.end());
            return out;
        },
        sources, begun);
    of_step.insert(of_step.begin() + 1, {"finished", tensor({false, true}), {"batch"}});
    OnnxNames chosen{"go_on", "next.token", "next.finished"};
    append(chosen, with_prefix("next.", names.state));
    chosen.emplace_back("tokens");
    if (attends) chosen.emplace_back("weights");
    const OnnxGraph choice =
        record_onnx([&](const OnnxTensors& in) { return functions.choose(in[0], in[1], &in[2]); }, of_step, chosen);
    return {std::move(encoder), std::move(step), onnx_loop(before, choice, "max_length")};
}

void export_onnx(const Translator& translator, const std::filesystem::path& directory) {
    const OnnxSystem system = record_onnx(*translator.system);
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) throw FileError(fmt::format("{}: cannot be made: {}", directory.string(), error.message()));
    const std::map<std::string, std::string> metadata{
        {"system", std::string(translator.system->name())},  {"pad", fmt::format("{}", Vocabulary::pad)},
        {"start", fmt::format("{}", Vocabulary::start)},     {"end", fmt::format("{}", Vocabulary::end)},
        {"unknown", fmt::format("{}", Vocabulary::unknown)}, {"max_length", fmt::format("{}", translator.max_length)},
    };
    write_onnx(directory / "encoder.onnx", system.encoder, metadata);
    write_onnx(directory / "step.onnx", system.step, metadata);
    write_onnx(directory / "greedy.onnx", system.greedy, metadata);
    translator.source.vocabulary.save(directory / "source.vocabulary");
    translator.target.vocabulary.save(directory / "target.vocabulary");
    translator.source.tokenizer.save(directory / "source.subwords");
    translator.target.tokenizer.save(directory / "target.subwords");
}

}  // namespace wengert
