#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>
#include <wengert/autograd/tensor/tensor.hpp>

namespace WENGERT_EXPORT wengert {

namespace onnx {
struct Model;
}

/// An input or output of a graph.
struct OnnxPort {
    std::string name;  ///< as the file has it
    /// What stood there when the function was recorded: its dtype is the port's.
    Tensor example;
    /// The name of each axis whose length calls decide; empty for one that always is as long as the example's. None at
    /// all: all axes are fixed.
    std::vector<std::string> axes = {};
};

/// A function of tensors, which says all that it reads of them by ops.
using OnnxFunction = std::function<std::vector<Tensor>(const std::vector<Tensor>& inputs)>;

/// A function as a graph of ONNX operators (https://onnx.ai), opset 17.
class OnnxGraph {
  public:
    /// What record_onnx() makes; a user has no other way to a model.
    explicit OnnxGraph(std::shared_ptr<const onnx::Model> model) : model_(std::move(model)) {}

    /// In the order of the function's arguments.
    const std::vector<OnnxPort>& inputs() const;
    /// In the order of the function's results.
    const std::vector<OnnxPort>& outputs() const;
    /// The content of a file. Throws ValueError if a name is not UTF-8, or if it is longer than the format's 2 GiB.
    std::string serialized(const std::map<std::string, std::string>& metadata = {}) const;
    /// For those who write files.
    const onnx::Model& model() const { return *model_; }

  private:
    std::shared_ptr<const onnx::Model> model_;
};

/// Records f and translates its ops. Parameters are initializers under their names; what f makes without ops, as
/// zeros() and arange() do, is a constant, or follows from the inputs' shapes.
///
/// f runs once at the examples' lengths, once more for each named axis, which then is longer by 1, and once with all of
/// them longer and other elements: integers change their places along named axes, floats are multiplied by 3/4. All
/// runs must be the same program, so that what depends on a length is known and not guessed. A loop over a named axis
/// says Step(t) in each step and becomes a Scan.
///
/// Throws ValueError, with the op and its line, if an op has no ONNX form, a loop over a named axis cannot be rolled,
/// or something was computed from an input by other means than ops; ShapeError if a named axis has not the same length
/// in all examples, or one below 2; and for names that are empty or given twice.
OnnxGraph record_onnx(const OnnxFunction& f, const std::vector<OnnxPort>& inputs,
                      const std::vector<std::string>& outputs);

/// `before`, then `step` over and over: an ONNX Loop. An input X of `step` is the output "next.X" of the step before,
/// at first the output X of `before`; if `step` has no such output, it is X of `before` in all steps. The loop ends
/// when the output "go_on", one bool, is false, or after as many steps as the graph's last input says, an int64 named
/// `limit`. All other outputs of `step`, [n, ..], are the graph's outputs, stacked along axis 1: [n, steps, ..].
/// Throws ValueError if `before` lacks an output that `step` reads, or `step` lacks go_on.
OnnxGraph onnx_loop(const OnnxGraph& before, const OnnxGraph& step, const std::string& limit);

}  // namespace wengert
