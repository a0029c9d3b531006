#include <fmt/format.h>

#include <memory>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/autograd/transform/checkpoint.hpp>
#include <wengert/autograd/transform/draws.hpp>
#include <wengert/autograd/transform/internal/captured.hpp>
#include <wengert/autograd/transform/internal/variable.hpp>

namespace wengert {
namespace {

using Tensors = std::vector<Tensor>;

struct Repeatable {
    TensorFunction f;
    std::size_t arguments;  // come first among the operands; then what f captures
    std::vector<std::uint64_t> draws;
};

class CheckpointNode final : public Node {
  public:
    explicit CheckpointNode(std::shared_ptr<const Repeatable> function) : function_(std::move(function)) {}
    std::string_view name() const override { return "checkpoint"; }
    void vjp(Backward& back) const override {
        Tensors operands;
        for (std::size_t i = 0; i < back.input_count(); ++i) operands.push_back(back.saved(i));
        std::vector<std::size_t> places;
        const Tensors cotangents = run_again(back, operands, places);
        for (std::size_t k = 0; k < places.size(); ++k) back.add(places[k], cotangents[k]);
    }

  private:
    /// The cotangents of the operands at `places`. A plain pass takes a tape apart, which is gone when it ends; a
    /// recorded one needs the operands' own nodes, and treats them as if none was computed from another.
    Tensors run_again(const Backward& back, const Tensors& operands, std::vector<std::size_t>& places) const {
        Tape tape = back.is_recorded() ? Tape() : Tape::apart();
        Tensors arguments, by;
        for (std::size_t i = 0; i < operands.size(); ++i) {
            Tensor x = operands[i];
            const bool is_argument = i < function_->arguments;
            if (is_argument) {
                x = back.is_recorded() && is_floating(x.dtype()) ? apply(Variable{}, {&x}, where()) : x.detached();
                arguments.push_back(x);
            }
            if (!is_argument || back.needs(i)) tape.watch(x);
            if (!back.needs(i)) continue;
            by.push_back(x);
            places.push_back(i);
        }
        const Tensor result = run(arguments);
        if (!result.defined() || result.shape() != shape() || result.dtype() != dtype())
            throw TapeError(fmt::format("a function that is run again computes {}, and at first {} {}",
                                        result.defined()
                                            ? to_string(result.shape()) + ' ' + std::string(to_string(result.dtype()))
                                            : "an undefined tensor",
                                        to_string(shape()), to_string(dtype())));
        return tape.gradient(result, by,
                             {.create_graph = back.is_recorded(), .cotangent = back.cotangent(), .partial = true});
    }

    Tensor run(const Tensors& arguments) const {
        const Draws::Repeat draws(function_->draws);
        Tensor result = function_->f(arguments);
        if (!draws.is_done()) throw TapeError("a function that is run again draws fewer random numbers than at first");
        return result;
    }

    const std::shared_ptr<const Repeatable> function_;
};

}  // namespace

Tensor checkpoint(const TensorFunction& f, const Tensors& inputs, const SourceLine& where) {
    Recording* const recording = Recording::current();
    // In a forward pass the tangents of what f captures and computes go through it, which a node of its own would hide.
    if (recording == nullptr || Recording::forward_pass() != nullptr) return f(inputs);
    auto function = std::make_shared<Repeatable>(Repeatable{f, inputs.size(), {}});
    Tensors arguments;  // apart from the inputs, which f may capture as well
    located("checkpoint", Inputs(std::span<const Tensor* const>()), where, [&] {
        for (const Tensor& x : inputs) {
            if (!x.defined()) throw ValueError(fmt::format("argument {} is an undefined tensor", arguments.size()));
            arguments.push_back(x.detached());
        }
    });
    Captured captured(*recording);
    Tensor result;
    {
        const Pause pause;
        const Draws::Note note(function->draws);
        result = f(arguments);
    }
    return located("checkpoint", Inputs(std::span<const Tensor* const>()), where, [&] {
        if (!result.defined()) throw ValueError("the result is an undefined tensor");
        captured.add(result);
        std::vector<const Tensor*> operands;
        for (const Tensor& x : inputs) operands.push_back(&x);
        for (const Tensor& x : captured.tensors()) operands.push_back(&x);
        const Inputs in(operands);
        Tensor out = result.detached();  // it may be an input
        if (is_floating(out.dtype()) && recording->follows(in))
            recording->append<CheckpointNode>(std::shared_ptr<const Repeatable>(std::move(function)), in, {in}, out,
                                              where);
        else
            out.state()->constant_cause = cause_among(in);
        return out;
    });
}

}  // namespace wengert
