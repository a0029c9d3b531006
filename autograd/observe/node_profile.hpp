#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>
#include <wengert/autograd/tape/observer.hpp>
#include <wengert/autograd/tape/tape.hpp>

namespace WENGERT_EXPORT wengert {

/// What one node of a tape has cost, and the first element of its result that is a NaN or an infinity.
struct NodeCost {
    double forward_seconds = 0, backward_seconds = 0;  ///< of the op, and of its rule
    std::optional<double> non_finite = {};  ///< the first NaN or infinity of the result; none if all is finite
};

/// While it lives, each node that this thread records and each backward rule is timed by itself, where a Profile adds
/// up what ops of one scope cost; for graphs that show it:
///
///     Tape tape;
///     NodeProfile profile;
///     const Tensor loss = model(x);
///     tape.gradient(loss, parameters(model), {.retain_graph = true});
///     write_graph(tape, "step.svg", {.profile = &profile, .color = GraphColor::time});
///
/// The elements of every result are looked at, which takes time that is not counted. What a rule calls belongs to the
/// rule's node. Products that waited to be computed together are shared among the nodes that they are of, equally. A
/// node that several passes went through has the sum of them.
class NodeProfile final : public Observer {
  public:
    /// One for each node of a tape; zero for what was recorded while the profile did not live.
    std::vector<NodeCost> costs(const Tape& tape) const;

    void begin(const Work& work) override;
    /// Adds the time of the work to its node's.
    void end(const Work& work) override;
    void computed(const Applied& op, const Inputs& operands, const Tensor& result) override;

  private:
    using Clock = std::chrono::steady_clock;
    /// Work that runs now.
    struct Running {
        const Recording* recording;
        NodeId size;  ///< of the recording, when the work began
        std::optional<double> non_finite;
    };
    /// Products that waited for one cotangent.
    struct Joined {
        std::string_view op;
        double seconds;
    };

    std::unordered_map<const Node*, NodeCost> costs_;
    std::unordered_map<const Node*, std::vector<Joined>> joined_;  // by whose cotangent it was
    std::vector<Running> running_;
    Clock::time_point begin_;
    double inspecting_ = 0;  // seconds that looking at results has taken
};

}  // namespace wengert
