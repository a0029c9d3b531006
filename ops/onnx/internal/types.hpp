#pragma once

#include <wengert/autograd/tensor/dtype.hpp>

namespace wengert::onnx {

/// TensorProto.DataType of a dtype.
constexpr int onnx_type(Dtype dtype) {
    switch (dtype) {
        case Dtype::float32:
            return 1;
        case Dtype::int32:
            return 6;
        case Dtype::int64:
            return 7;
        case Dtype::boolean:
            return 9;
        case Dtype::float16:
            return 10;
        case Dtype::float64:
            return 11;
        case Dtype::bfloat16:
            return 16;
    }
    return 0;
}

}  // namespace wengert::onnx
