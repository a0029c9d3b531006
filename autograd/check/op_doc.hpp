#pragma once

#include <string_view>
#include <wengert/autograd/tensor/export.hpp>

namespace WENGERT_EXPORT wengert {

/// What the op reference says of an op: one row of a Markdown table, in UTF-8 without "|". `ct` is the cotangent of the
/// result y.
struct OpDoc {
    std::string_view call;        ///< as a program writes it: "softmax(x, axes = -1)"
    std::string_view shape;       ///< of the operands and of the result: "[.., n, ..] -> the same"
    std::string_view formula;     ///< of the result
    std::string_view derivative;  ///< what each operand's cotangent gets; "none" for an op that has no derivative
};

}  // namespace wengert
