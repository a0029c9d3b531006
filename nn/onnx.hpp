#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>
#include <wengert/ops/onnx/onnx_graph.hpp>

namespace WENGERT_EXPORT wengert {

/// Writes a graph as an ONNX file (opset 17, IR version 8), atomically: a crash leaves the old file whole. Throws
/// FileError with the path and the reason if it cannot be written, ValueError if a name is not UTF-8.
void write_onnx(const std::filesystem::path& path, const OnnxGraph& graph,
                const std::map<std::string, std::string>& metadata = {});

/// A model, or any function of tensors, as an ONNX file:
///
///     export_onnx("model.onnx", [&](const auto& in) { return std::vector{model(in[0])}; },
///                 {{"x", zeros({2, 3, 8}), {"batch", "time", ""}}}, {"y"});
///
/// `inputs` have a name, an example and names of the axes whose lengths calls decide; `outputs` are the results' names.
/// record_onnx() says how it is done and what it throws, write_onnx() too.
void export_onnx(const std::filesystem::path& path, const OnnxFunction& f, const std::vector<OnnxPort>& inputs,
                 const std::vector<std::string>& outputs, const std::map<std::string, std::string>& metadata = {});

}  // namespace wengert
