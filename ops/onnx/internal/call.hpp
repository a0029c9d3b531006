#pragma once

#include <vector>
#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/onnx/internal/recorder.hpp>

namespace wengert::onnx {

using Axes = std::vector<std::int64_t>;

/// An op to be translated.
struct Call {
    Recorder& recorder;
    const Applied& op;
    const Inputs& in;
    const Tensor& out;

    ValueId operand(std::size_t i) const { return recorder.value_of(in[i]); }
    std::vector<ValueId> operands() const {
        std::vector<ValueId> all;
        for (std::size_t i = 0; i < in.size(); ++i) all.push_back(operand(i));
        return all;
    }
    ValueId write(std::string_view name, std::vector<ValueId> inputs, Attributes attributes = {}) const {
        return recorder.apply(name, std::move(inputs), std::move(attributes));
    }
    template <class Op>
    const Op& as() const {
        return *op.as<Op>();
    }
    bool keeps_dims() const { return in[0].rank() == out.rank(); }
};

}  // namespace wengert::onnx
