#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <vector>
#include <wengert/autograd/tape/recording.hpp>

namespace WENGERT_EXPORT wengert {

struct GradientOptions {
    /// Records the backward pass too, so that the gradients can be differentiated again.
    bool create_graph = false;
    /// Keeps what the pass needed, so that another can follow. Default: if the pass is recorded or a tape encloses
    /// this.
    std::optional<bool> retain_graph = {};
    /// The cotangent of the result, of its shape. Default: 1, and the result must be a scalar.
    Tensor cotangent = {};
    /// Takes the inputs for independent of each other: the derivative by one leaves out what goes by way of another.
    bool partial = false;
    /// Gets the gradient by each input, with its number, as soon as it is complete and while the pass goes on: that by
    /// a parameter of the last layer first. In its place gradient() returns an undefined tensor. What this throws ends
    /// the pass. It may run ops, which are not recorded unless the pass is.
    std::function<void(std::size_t input, Tensor gradient)> take = {};
};

/// The list of what was computed while it lives, as Wengert described it in 1964.
///
///     Tape tape;
///     const Tensor loss = cross_entropy(model(source, target), labels);
///     optimizer.step(tape.gradient(loss, parameters(model)));
///
/// Ops of this thread whose operands lead back to a parameter or to a watched tensor append a node. A tape inside
/// another shares its list, so the outer one can differentiate through what the inner one did; the nodes go when the
/// last tape does. Tapes usually end in reverse order, as local variables do; another order, or an end in another
/// thread, does no harm.
///
/// Tapes of different threads know nothing of each other. An op that gets a recorded tensor in a thread without a tape,
/// as in a parallel region of OpenMP, throws TapeError while the tape lives. What such a thread computes from
/// parameters and watched tensors alone is constant, but in a region of OpenMP that is a TapeError, too.
class Tape {
  public:
    Tape() : Tape(RecordingScope::begin(RecordingScope::Kind::tape)) {}
    /// A tape with a list of its own, inside of others too: what these have recorded must be watched to be used
    /// here.
    static Tape apart() { return Tape(RecordingScope::begin(RecordingScope::Kind::tape_apart)); }
    ~Tape() { RecordingScope::end(scope_); }
    Tape(const Tape&) = delete;
    Tape& operator=(const Tape&) = delete;

    /// Follows a tensor that is no parameter from now on: ops that used it before have taken it for a constant. Throws
    /// DtypeError unless it is float32 or float64, ValueError if it is undefined, TapeError in a thread that did not
    /// make this tape.
    void watch(const Tensor& tensor, const SourceLine& where = std::source_location::current());

    /// The derivatives of `result` by each of `inputs`: the vector-Jacobian products with options.cotangent. Zero where
    /// the result does not depend on the input. Throws TapeError if the result or an input was never recorded, if what
    /// the pass needs was released or overwritten, if it is to be recorded while a Pause lives, and in a thread that
    /// did not make this tape; NotDifferentiableError if the result comes from an op without derivative, ShapeError if
    /// it is no scalar and there is no cotangent, or the cotangent is not like it, ValueError if the result or an input
    /// is undefined, and what rules throw. The gradients are contiguous and share memory with nothing, unless the pass
    /// is recorded.
    std::vector<Tensor> gradient(const Tensor& result, std::span<const Tensor> inputs,
                                 const GradientOptions& options = {},
                                 const SourceLine& where = std::source_location::current());
    std::vector<Tensor> gradient(const Tensor& result, const std::vector<Tensor>& inputs,
                                 const GradientOptions& options = {},
                                 const SourceLine& where = std::source_location::current()) {
        return gradient(result, std::span<const Tensor>(inputs), options, where);
    }
    std::vector<Tensor> gradient(const Tensor& result, std::initializer_list<Tensor> inputs,
                                 const GradientOptions& options = {},
                                 const SourceLine& where = std::source_location::current()) {
        return gradient(result, std::span<const Tensor>(inputs.begin(), inputs.size()), options, where);
    }
    Tensor gradient(const Tensor& result, const Tensor& input, const GradientOptions& options = {},
                    const SourceLine& where = std::source_location::current()) {
        return gradient(result, std::span<const Tensor>(&input, 1), options, where).front();
    }

    /// How many nodes the list has, and each of them.
    NodeId size() const { return recording_->size(); }
    /// Node `id`, which is 0 or more and below size().
    const Node& operator[](NodeId id) const { return (*recording_)[id]; }
    /// The node of a tensor, no_node if it is constant here. Throws ValueError for an undefined tensor, TapeError for
    /// one that a tape that has ended recorded, and in a thread that did not make this tape.
    NodeId find(const Tensor& tensor, const SourceLine& where = std::source_location::current()) const;

  private:
    explicit Tape(std::shared_ptr<RecordingScope> scope)
        : scope_(std::move(scope)), recording_(scope_->recording().get()) {}
    void require_own_thread() const;

    const std::shared_ptr<RecordingScope> scope_;
    Recording* const recording_;
};

/// The same elements as a constant: no gradient flows through. Throws ValueError for an undefined tensor.
Tensor stop_gradient(const Tensor& x);

}  // namespace wengert
