#pragma once

#include <map>
#include <string>
#include <vector>
#include <wengert/ops/onnx/internal/graph.hpp>
#include <wengert/ops/onnx/onnx_graph.hpp>

namespace wengert::onnx {

/// A graph with what its inputs and outputs are called.
struct Model {
    Graph graph;
    std::vector<OnnxPort> inputs, outputs;
};

/// The file. Throws ValueError if a name is not UTF-8, or if it has more bytes than the format allows.
std::string serialize(const Model& model, const std::map<std::string, std::string>& metadata);

}  // namespace wengert::onnx
