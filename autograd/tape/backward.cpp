#include <fmt/format.h>

#include <wengert/autograd/tape/backward.hpp>
#include <wengert/autograd/tape/internal/cotangents.hpp>

namespace wengert {
namespace {

/// Whether elements stand at the same place, as those of a broadcast tensor do.
bool is_stretched(const Tensor& x) {
    for (int axis = 0; axis < x.rank(); ++axis)
        if (x.shape()[axis] > 1 && x.strides()[axis] == 0) return true;
    return false;
}

}  // namespace

NodeId Backward::operand(std::size_t input) const {
    if (input >= node_.inputs().size())
        throw ValueError(fmt::format("the rule speaks of operand {}, but the op had {}", input, node_.inputs().size()));
    return node_.inputs()[input];
}

bool Backward::needs(std::size_t input) const {
    const NodeId id = operand(input);
    return id != no_node && cotangents_.needs(id);
}
const Shape& Backward::input_shape(std::size_t input) const {
    const NodeId id = operand(input);
    if (id == no_node) throw TapeError(fmt::format("operand {} is a constant, whose shape is not kept", input));
    return cotangents_.recording()[id].shape();
}
std::size_t Backward::input_count() const { return node_.inputs().size(); }
bool Backward::is_unset(std::int64_t i) const { return coverage_ != nullptr && !coverage_->contains(i); }
bool Backward::is_recorded() const { return cotangents_.is_recorded(); }

const Tensor& Backward::saved(std::size_t i) const {
    if (i >= node_.saved().size())
        throw ValueError(
            fmt::format("the rule asks for saved tensor {}, but the op's `saves` keeps {}", i, node_.saved().size()));
    const Saved& saved = node_.saved()[i];
    if (!saved.tensor.defined())
        throw TapeError("an earlier gradient(), which failed midway, has used up what this pass needs");
    if (saved.tensor.version() != saved.version)
        throw TapeError(fmt::format("a tensor{} {} that backward needs was overwritten after the forward pass",
                                    saved.tensor.name().empty() ? "" : " \"" + saved.tensor.name() + '"',
                                    to_string(saved.tensor.shape())));
    return saved.tensor;
}

Tensor Backward::take_saved(std::size_t i) {
    const Tensor& tensor = saved(i);
    if (is_last_) return std::move(node_.kept_[i].tensor);  // a ?: of the two copies by clang
    return tensor;
}

const Tensor& Backward::workspace(std::size_t i) const {
    if (i >= node_.workspace().size())
        throw ValueError(fmt::format("the rule asks for tensor {} of a workspace of {}", i, node_.workspace().size()));
    return node_.workspace()[i].tensor;
}

Tensor Backward::take_workspace(std::size_t i) {
    const Tensor& tensor = workspace(i);
    if (is_last_) return std::move(node_.kept_[node_.saved().size() + i].tensor);
    return tensor;
}

void Backward::add(std::size_t input, Tensor contribution) {
    if (!needs(input)) {
        if (Observer::is_listening() && contribution.is_unique()) Observer::notify(&Observer::discarded, node_, input);
        return;
    }
    cotangents_.add(node_.inputs()[input], contribution, contribution.is_unique() && !is_stretched(contribution));
}

void Backward::add_part(std::size_t input, const Tensor& part) {
    if (needs(input)) cotangents_.add(node_.inputs()[input], part, owns_cotangent_);
}

Destination Backward::target(std::size_t input) {
    if (!needs(input)) throw ValueError(fmt::format("the rule writes the cotangent of operand {}, unasked", input));
    return cotangents_.target(operand(input));
}
std::unique_ptr<Pending>& Backward::pending(std::size_t input) { return cotangents_.pending(node_.inputs()[input]); }

bool Backward::may_queue(std::size_t input) const {
    return !cotangents_.is_inspected() && cotangents_.recording()[node_.inputs()[input]].uses() > 1;
}

}  // namespace wengert
