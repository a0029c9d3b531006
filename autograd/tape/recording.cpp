#include <fmt/format.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <memory>
#include <wengert/autograd/tape/recording.hpp>

namespace wengert {
namespace {

std::atomic<std::uint64_t> last_serial{0};
constinit thread_local bool anomalies = false;

void prefetch(const void* object, std::size_t bytes) {
    constexpr std::size_t cache_line = 64;
    for (std::size_t i = 0; i < bytes; i += cache_line) __builtin_prefetch(static_cast<const std::byte*>(object) + i);
}

}  // namespace

constinit thread_local Recording* Recording::current_ = nullptr;

void Node::release() {
    std::destroy_n(saved_, saved_count_);
    saved_count_ = 0;
    released_ = true;
}

Recording::Recording() : serial_(++last_serial) {}

Recording::~Recording() {
    for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) {
        (*node)->release();
        (*node)->~Node();
    }
}

NodeId Recording::find(const Tensor& tensor) const {
    const TensorState* const state = tensor.state();
    if (state->recording == serial_) return state->node;
    if (state->parameter || has_watched_)
        if (const auto leaf = leaves_.find(state); leaf != leaves_.end()) return leaf->second;
    if (state->recording != 0 && !state->parameter)
        throw TapeError(
            fmt::format("an operand {} was recorded on a tape that has ended or belongs to another thread; "
                        "pass stop_gradient(x) to use its value, or watch(x) to make it an input of this tape",
                        to_string(tensor.shape())));
    return no_node;
}

NodeId Recording::follow(const Tensor& tensor) {
    const NodeId id = find(tensor);
    return id == no_node && tensor.is_parameter() ? watch(tensor) : id;
}

bool Recording::follows(const Inputs& in) {
    operands_.resize(in.size());
    bool any = false;
    for (std::size_t i = 0; i < in.size(); ++i) {
        operands_[i] = is_floating(in[i].dtype()) ? follow(in[i]) : no_node;
        any |= operands_[i] != no_node;
    }
    return any;
}

NodeId Recording::watch(const Tensor& tensor) {
    if (!is_floating(tensor.dtype())) throw DtypeError("int64 tensors have no gradient");
    const TensorState* const state = tensor.state();
    if (state->recording == serial_) return state->node;
    if (const auto leaf = leaves_.find(state); leaf != leaves_.end()) return leaf->second;
    Node* const node = new (arena_.allocate_for<Leaf>()) Leaf(tensor);
    node->shape_ = tensor.shape();
    node->dtype_ = tensor.dtype();
    node->place_ = current_place();
    const NodeId id = size();
    add(node);
    leaves_.emplace(state, id);
    has_watched_ |= !tensor.is_parameter();
    return id;
}

void Recording::prefetch_before(NodeId id) const {
    constexpr NodeId nodes_ahead = 8, tensors_ahead = 4;
    constexpr std::size_t first_elements = 256;  // the processor itself sees that more will be read
    if (id >= nodes_ahead) prefetch(&(*this)[id - nodes_ahead], sizeof(Node));
    if (id < tensors_ahead) return;
    for (const Saved& saved : (*this)[id - tensors_ahead].saved())
        if (saved.tensor.defined())
            prefetch(saved.tensor.state(), sizeof(TensorState) + sizeof(Storage) + first_elements);
}

void Recording::add(Node* node) {
    if (size() == std::numeric_limits<NodeId>::max()) throw TapeError("a tape holds no more than 2^31 - 1 nodes");
    nodes_.push_back(node);
}

void Recording::link(Node* node, const Inputs& in, const Inputs& saved, bool saves_output, const Tensor& out,
                     const SourceLine& where) {
    const std::size_t count = in.size();
    node->inputs_ = arena_.allocate_for<NodeId>(count);
    node->saved_ = arena_.allocate_for<Saved>(saved.size() + (saves_output ? 1 : 0));
    const NodeId id = size();
    add(node);  // nothing after this throws
    node->input_count_ = static_cast<std::uint32_t>(count);
    for (std::size_t i = 0; i < count; ++i) {
        node->inputs_[i] = operands_[i];
        if (operands_[i] != no_node) ++nodes_[static_cast<std::size_t>(operands_[i])]->uses_;
    }
    const auto keep = [node](const Tensor& x) { new (&node->saved_[node->saved_count_++]) Saved{x, x.version()}; };
    for (std::size_t i = 0; i < saved.size(); ++i) keep(saved[i]);
    if (saves_output) keep(out);
    node->shape_ = out.shape();
    node->dtype_ = out.dtype();
    node->place_ = current_place();
    node->where_ = rule_ != nullptr ? rule_->where() : where;
    out.state()->node = id;
    out.state()->recording = serial_;
}

DetectAnomalies::DetectAnomalies() : outer_(std::exchange(anomalies, true)) {}
DetectAnomalies::~DetectAnomalies() { anomalies = outer_; }
bool detecting_anomalies() { return anomalies; }

namespace {

struct NonFinite {
    double value;
    Shape index;
};

std::optional<NonFinite> first_non_finite(const Tensor& x, bool infinities_too = true) {
    if (!is_floating(x.dtype())) return std::nullopt;
    const std::vector<double> values = x.to_vector<double>();
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (std::isfinite(values[i]) || (std::isinf(values[i]) && !infinities_too)) continue;
        Shape index = x.shape();
        auto rest = static_cast<std::int64_t>(i);
        for (int axis = x.rank() - 1; axis >= 0; --axis) {
            index[axis] = rest % x.shape()[axis];
            rest /= x.shape()[axis];
        }
        return NonFinite{values[i], index};
    }
    return std::nullopt;
}

std::string range(const Tensor& x) {
    if (!is_floating(x.dtype()) || x.numel() == 0) return to_string(x.shape());
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (const double v : x.to_vector<double>()) {
        low = std::min(low, v);
        high = std::max(high, v);
    }
    std::string text = fmt::format("{} in [{:.4g}, {:.4g}]", to_string(x.shape()), low, high);
    if (const auto nan = first_non_finite(x, false)) text += fmt::format(" and nan at {}", to_string(nan->index));
    return text;
}

}  // namespace

void require_finite_output(const Inputs& in, const Tensor& out) {
    // An infinity that an operand brings, as a masked score's, may go on; a NaN may not.
    bool infinite_operand = false;
    for (std::size_t i = 0; i < in.size() && !infinite_operand; ++i) {
        const auto value = first_non_finite(in[i]);
        infinite_operand = value && std::isinf(value->value);
    }
    const auto bad = first_non_finite(out, !infinite_operand);
    if (!bad) return;
    std::string text = fmt::format("forward produced {} at {} of the result {}; operands", bad->value,
                                   to_string(bad->index), to_string(out.shape()));
    for (std::size_t i = 0; i < in.size(); ++i) text += (i > 0 ? ", " : " ") + range(in[i]);
    throw NonFiniteError(text);
}

void require_finite_cotangent(const Node& node, std::size_t index, const Tensor& cotangent) {
    const auto bad = first_non_finite(cotangent);
    if (!bad) return;
    std::string text = fmt::format("backward produced {} at {} of the cotangent {} of operand {}", bad->value,
                                   to_string(bad->index), to_string(cotangent.shape()), index);
    for (std::size_t i = 0; i < node.saved().size(); ++i)
        text += fmt::format("{} {}", i > 0 ? "," : "; saved", range(node.saved()[i].tensor));
    NonFiniteError error(text);
    error.locate(node.name(), to_string(node.place()), node.where());
    throw error;
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

}  // namespace wengert
