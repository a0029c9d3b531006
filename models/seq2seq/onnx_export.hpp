#pragma once

#include <filesystem>
#include <wengert/models/seq2seq/translator.hpp>
#include <wengert/nn/onnx.hpp>

namespace WENGERT_EXPORT wengert {

/// A system as ONNX graphs, for any number of sources (`batch`) of any length (`source`).
///
/// encoder: source int64 [batch, source], lengths int64 [batch] -> memory.*, state.*: what steps read, under the
/// names of the system's Memory and State.
///
/// step: token int64 [batch], memory.*, state.* -> logits [batch, V], weights [batch, source] if the system attends,
/// next.state.*: the state for the next step. The first token is <s>.
///
/// greedy: source, lengths, max_length int64 [] -> tokens int64 [batch, steps], weights [batch, steps, source]: the
/// best token of each step, neither <pad> nor <s>, until each row has its </s>, after which <pad> follows, or
/// max_length steps are done.
struct OnnxSystem {
    OnnxGraph encoder, step, greedy;  ///< the three graphs, as their files are called
};

/// Throws ValueError for a system whose state grows with each step, as a transformer's does, and what record_onnx()
/// throws.
OnnxSystem record_onnx(const System& system);

/// Writes encoder.onnx, step.onnx and greedy.onnx into a directory, which is made if need be, and beside them
/// source.vocabulary and target.vocabulary, one token a line in the order of ids, and what tokenizers have learned.
/// The files' metadata say the system, the numbers of <pad>, <s>, </s> and <unk>, and max_length. Throws FileError with
/// the path and the reason, and what record_onnx() throws.
void export_onnx(const Translator& translator, const std::filesystem::path& directory);

}  // namespace wengert
