#pragma once

#include <wengert/ops/onnx/internal/call.hpp>

/// The forms of ops that move a window over images or sequences.
namespace wengert::onnx {

ValueId convolution_of(const Call& call, std::string_view);
ValueId transposed_convolution_of(const Call& call, std::string_view);
ValueId avg_pool_of(const Call& call, std::string_view);
/// MaxPool has positions in all of its operand, here they are in an image.
ValueId pool_argmax_of(const Call& call, std::string_view);

}  // namespace wengert::onnx
