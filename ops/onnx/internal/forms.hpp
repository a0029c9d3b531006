#pragma once

#include <string>
#include <string_view>
#include <wengert/autograd/tape/operation.hpp>
#include <wengert/ops/onnx/internal/recorder.hpp>

namespace wengert::onnx {

/// The op with its place and its line, for errors: "cumsum (decoder.attention, at model.cpp:41)".
std::string describe(const Applied& op);
/// Throws ValueError: the op, which adds its name and its line, has no ONNX form, or not so.
[[noreturn]] void refuse(std::string_view how = {});

/// Writes an op as ONNX operators. Every op has its form in forms.cpp, and there alone; a formula, which has none, is
/// opened as the ops that it is composed of. Throws ValueError, with the op's name and line, for an op without a form.
ValueId write_form(Recorder& recorder, const Applied& op, const Inputs& in, const Tensor& out);

}  // namespace wengert::onnx
