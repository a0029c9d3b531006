#pragma once

#include <span>
#include <string>
#include <vector>
#include <wengert/ops/onnx/internal/graph.hpp>

namespace wengert::onnx {

/// An axis of an input whose length calls decide.
struct Symbol {
    std::string name;
    ValueId input = no_value;  ///< one that has it ...
    int axis = 0;              ///< ... and which axis
};

/// What a program was when its symbols had certain lengths.
struct Trace {
    Graph graph;
    std::vector<std::int64_t> lengths;  ///< of each symbol
};

/// The size that is `values` in the traces. Throws ValueError, which speaks of `what`, if there is none.
Size size_of(std::span<const std::int64_t> values, std::span<const Trace> traces, const std::vector<Symbol>& symbols,
             const std::string& what);

/// What all traces of a program have in common: the first, in which each constant that follows from the symbols'
/// lengths is computed from the inputs' shapes: a vector of int64, equal elements of a shape, and numbers that count
/// from 0. Throws ValueError if the programs differ, or if a constant changes in another way, as one does that was
/// computed from an input by anything but ops.
Graph unite(std::vector<Trace>& traces, const std::vector<Symbol>& symbols);

}  // namespace wengert::onnx
