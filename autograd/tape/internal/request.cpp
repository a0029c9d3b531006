#include <fmt/format.h>

#include <algorithm>
#include <wengert/autograd/tape/internal/request.hpp>

namespace wengert {
namespace {

constexpr std::string_view nothing_followed =
    "nothing that it was computed from was marked by set_parameter(), or by watch() before it was used";

/// The cotangent that a pass begins with.
Tensor seed(const Tensor& result, const Tensor& given) {
    if (!given.defined()) {
        if (result.numel() == 1) return full(result.shape(), 1, result.dtype());
        throw ShapeError(fmt::format("the result {} is no scalar; give options.cotangent", to_string(result.shape())));
    }
    if (given.shape() != result.shape() || given.dtype() != result.dtype())
        throw ShapeError(fmt::format("the cotangent {} {} is not like the result {} {}", to_string(given.shape()),
                                     to_string(given.dtype()), to_string(result.shape()), to_string(result.dtype())));
    return given;
}

}  // namespace

Request check(Recording& recording, const Tensor& result, std::span<const Tensor> inputs, const Tensor& cotangent) {
    if (!result.defined()) throw ValueError("the result is an undefined tensor");
    const NodeId top = recording.follow(result);
    if (top == no_node) {
        const ConstantCause* const cause = result.state()->constant_cause;
        if (cause != nullptr && cause->is_op)
            throw NotDifferentiableError(fmt::format("the result comes from {}, which has no derivative", cause->text));
        throw TapeError(fmt::format("the result does not depend on any parameter or watched tensor of this tape: {}",
                                    cause != nullptr ? cause->text : nothing_followed));
    }
    Request request{top, top, {}, seed(result, cotangent)};
    for (const Tensor& input : inputs) {
        const std::size_t i = request.inputs.size();
        if (!input.defined()) throw ValueError(fmt::format("input {} is an undefined tensor", i));
        const NodeId id = recording.follow(input);
        if (id == no_node)
            throw TapeError(fmt::format(
                "input {}{} {} is not on this tape; watch() it before it is used, or name_parameters() of its "
                "model",
                i, input.name().empty() ? "" : " \"" + input.name() + '"', to_string(input.shape())));
        request.inputs.push_back(id);
        request.lowest = std::min(request.lowest, id);
    }
    return request;
}

}  // namespace wengert
