#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>
#include <wengert/autograd/tape/node.hpp>
#include <wengert/autograd/tape/observer.hpp>
#include <wengert/ops/onnx/internal/graph.hpp>

namespace wengert::onnx {

/// Translates the ops of this thread, while it lives, into a graph: also those that a tape leaves out, on integers and
/// without a derivative. What an op reads that no op computed, and that is no input and no parameter, is a constant.
class Recorder final : public Observer {
  public:
    explicit Recorder(const std::vector<Tensor>& inputs);

    /// Ends the recording. Outputs that no op computed are constants.
    Graph finish(const std::vector<Tensor>& outputs);

    void begin(const Work&) override { ++depth_; }
    void end(const Work&) override { --depth_; }
    void computed(const Applied& op, const Inputs& in, const Tensor& out) override;

    /// What forms are written with. Throws ValueError for a tensor that was overwritten after an op computed it.
    ValueId value_of(const Tensor& x);
    ValueId number(double value, Dtype dtype) { return graph_.add_constant(scalar(value, dtype)); }
    ValueId vector(const std::vector<std::int64_t>& elements) { return graph_.add_constant(vector_of(elements)); }
    ValueId apply(std::string_view op, std::vector<ValueId> inputs, Attributes attributes = {});
    /// The second of the operator's two outputs.
    ValueId apply_for_second(std::string_view op, std::vector<ValueId> inputs, Attributes attributes);
    /// x as the dtype.
    ValueId cast(ValueId x, Dtype dtype);
    /// Part i of a Stack along the axis; no_value if x is none.
    ValueId part_of(ValueId x, std::int64_t axis, std::int64_t i) const;
    /// Records the ops that `compose` runs, as if the caller of the op had run them: the value of its result.
    ValueId open(const Applied& op, const std::function<Tensor()>& compose);

  private:
    /// A value by the elements that it shows, which a tensor without its own identity (a detached one) may show, too.
    struct Known {
        Tensor tensor;
        std::uint32_t version;
        ValueId id;
    };
    const Known* find(const Tensor& x) const;
    void define(const Tensor& x, ValueId id);

    Graph graph_;
    std::unordered_map<const Storage*, std::vector<Known>> known_;
    std::vector<std::string_view> opened_;
    std::unordered_map<ValueId, std::size_t> stacks_;  // node of each
    std::string user_;                                 // the op that is translated, and where
    int depth_ = 0, level_ = 0;                        // of work, and that of the ops to record
};

}  // namespace wengert::onnx
