#include <fmt/format.h>

#include <algorithm>
#include <wengert/autograd/tape/operation.hpp>
#include <wengert/autograd/tensor/internal/undefined_error.hpp>
#include <wengert/autograd/tensor/parallel.hpp>

namespace wengert {

void require_operands(const Inputs& in, bool computes) {
    for (std::size_t i = 0; i < in.size(); ++i) {
        if (!in[i].defined()) throw UndefinedError(fmt::format("operand {} is an undefined tensor", i));
        if (computes && is_stored_only(in[i].dtype())) refuse_dtype(in[i].dtype(), fmt::format("operand {}", i));
    }
}

void require_followed_by_none(const Inputs& in) {
    if (is_in_parallel_region())
        throw TapeError(
            "an op runs in an OpenMP region while a tape lives, which follows its own thread alone; open a Tape in "
            "each thread of the region, or a Pause for values without gradients");
    for (std::size_t i = 0; i < in.size(); ++i) {
        const TensorState& operand = *in[i].state();
        if (operand.recording != 0 && !operand.parameter && Recording::is_live(operand.recording))
            throw TapeError(
                fmt::format("an operand {} was recorded by a tape of another thread, which cannot follow what this "
                            "thread computes; "
                            "pass stop_gradient(x) to use its value",
                            to_string(in[i].shape())));
    }
}

const ConstantCause* cause_among(const Inputs& in) {
    static constexpr ConstantCause named{
        "what it was computed from has a name, but was not marked by set_parameter(), or by watch() before it was used",
        false, 2};
    const ConstantCause* result = nullptr;
    for (std::size_t i = 0; i < in.size(); ++i) {
        const ConstantCause* const cause =
            in[i].state()->constant_cause == nullptr && !in[i].name().empty() ? &named : in[i].state()->constant_cause;
        if (cause != nullptr && (result == nullptr || cause->weight > result->weight)) result = cause;
    }
    return result;
}

std::string describe_operands(const Inputs& in, std::span<const std::string_view> names) {
    std::string text = to_string(current_place());
    for (std::size_t i = 0; i < in.size(); ++i) {
        const Tensor& x = in[i];
        if (!x.defined() || x.name().empty()) continue;
        const std::string operand = i < names.size() ? std::string(names[i]) : fmt::format("operand {}", i);
        const bool has_own_name = x.state()->extras != nullptr && !x.state()->extras->name.empty();
        const TensorState& named = has_own_name || x.state()->origin == nullptr ? *x.state() : *x.state()->origin;
        text += fmt::format("{}{} = {}\"{}\"", text.empty() ? "" : "; ", operand, named.parameter ? "parameter " : "",
                            x.name());
    }
    return text;
}

void relocate(Error& error, std::string_view function, std::initializer_list<Input> operands) {
    const Tensor none;
    std::vector<const Tensor*> tensors;
    for (const Input& x : operands) tensors.push_back(x.is_number() || x.is_undefined() ? &none : &x.tensor());
    const std::string described = describe_operands(Inputs(tensors), {});
    const SourceLine& where = operands.begin()->where();
    if (dynamic_cast<const UndefinedError*>(&error) == nullptr) return error.relocate(function, described, where);
    // A number that was said is that of an operand of a function inside. Operands that may be undefined stand behind
    // the others, so that the first one is meant.
    const auto* const found = std::ranges::find_if(operands, &Input::is_undefined);
    UndefinedError own(found == operands.end()
                           ? "an undefined tensor was given"
                           : fmt::format("operand {} is an undefined tensor", found - operands.begin()));
    own.locate(function, described, where);
    throw own;
}

void refuse_undefined(std::string_view function, std::size_t operand, const SourceLine& where) {
    UndefinedError error(fmt::format("operand {} is an undefined tensor", operand));
    error.locate(function, to_string(current_place()), where);
    throw error;
}

}  // namespace wengert
