#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <mutex>
#include <wengert/autograd/tape/recording.hpp>

namespace wengert {
namespace {

/// The numbers of all lists of all threads.
struct Serials {
    std::mutex mutex;
    std::uint64_t last = 0;
    std::vector<std::uint64_t> live;
};
Serials& serials() {
    static Serials& serials = *new Serials;  // never destroyed: tapes may outlive any object of this file
    return serials;
}

std::uint64_t new_serial() {
    const std::lock_guard lock(serials().mutex);
    serials().live.push_back(++serials().last);
    return serials().last;
}

[[noreturn]] void throw_overwritten(const Tensor& x) {
    throw TapeError(fmt::format(
        "a tensor{} {} was overwritten after it was recorded, in a view of it or in what it is a view of; to make it a "
        "constant, overwrite it by its own handle, and to use its value, pass stop_gradient(x)",
        x.name().empty() ? "" : " \"" + x.name() + '"', to_string(x.shape())));
}

[[noreturn]] void throw_of_other_recording(const Tensor& x) {
    throw TapeError(fmt::format(
        "an operand {} was recorded on a tape that {}; pass stop_gradient(x) to use its value, or watch(x) to make it "
        "an input of this tape",
        to_string(x.shape()), Recording::is_live(x.state()->recording) ? "belongs to another thread" : "has ended"));
}

void prefetch(const void* object, std::size_t bytes) {
    constexpr std::size_t cache_line = 64;
    for (std::size_t i = 0; i < bytes; i += cache_line) __builtin_prefetch(static_cast<const std::byte*>(object) + i);
}

}  // namespace

constinit thread_local Recording::OfThread Recording::thread_;
constinit std::atomic<int> Recording::live_ = 0;

void Node::release() {
    released_ |= kept_count_ > 0;
    std::destroy_n(kept_, kept_count_);
    kept_count_ = workspace_count_ = 0;
}

Recording::Recording() : serial_(new_serial()) { ++live_; }

Recording::Pushing::Pushing(const RecordingScope& pass) {
    if (!pass.is_recorded()) thread_.current = nullptr;
    thread_.forward_pass = pass.outer_pass();
    ++thread_.suspensions;
}

Recording::~Recording() {
    --live_;
    {
        const std::lock_guard lock(serials().mutex);
        std::erase(serials().live, serial_);
    }
    for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) {
        (*node)->release();
        (*node)->~Node();
    }
}

bool Recording::is_live(std::uint64_t serial) {
    const std::lock_guard lock(serials().mutex);
    return std::ranges::find(serials().live, serial) != serials().live.end();
}

NodeId Recording::find(const Tensor& tensor) const {
    const NodeId id = find_own(tensor);
    if (id == no_node && tensor.state()->recording != 0 && !tensor.is_parameter()) throw_of_other_recording(tensor);
    return id;
}

NodeId Recording::find_own(const Tensor& tensor) const {
    const TensorState* const state = tensor.state();
    if (state->recording == serial_) {
        if (state->storage->version != state->recorded_version) throw_overwritten(tensor);
        return state->node;
    }
    if (state->parameter || has_watched_)
        if (const auto leaf = leaves_.find(state); leaf != leaves_.end()) return leaf->second;
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

std::uint64_t Recording::followed() const {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < std::min<std::size_t>(operands_.size(), 64); ++i)
        bits |= std::uint64_t{operands_[i] != no_node} << i;
    return bits;
}

NodeId Recording::watch(const Tensor& tensor) {
    if (!is_floating(tensor.dtype()))
        throw DtypeError(fmt::format("{} tensors have no gradient", to_string(tensor.dtype())));
    const TensorState* const state = tensor.state();
    if (state->recording == serial_) return state->node;
    if (const auto leaf = leaves_.find(state); leaf != leaves_.end()) return leaf->second;
    UnlistedNode node(new (arena_.allocate_for<Leaf>()) Leaf(tensor));
    node->shape_ = tensor.shape();
    node->dtype_ = tensor.dtype();
    node->place_ = current_place();
    const NodeId id = size();
    add(std::move(node));
    leaves_.emplace(state, id);
    has_watched_ |= !tensor.is_parameter();
    return id;
}

void Recording::prefetch_before(NodeId id) const {
    constexpr NodeId nodes_ahead = 8, tensors_ahead = 4;
    constexpr std::size_t first_elements = 256;  // the processor itself sees that more will be read
    if (id >= nodes_ahead) prefetch(&(*this)[id - nodes_ahead], sizeof(Node));
    if (id < tensors_ahead) return;
    for (const Saved& saved : (*this)[id - tensors_ahead].kept())
        if (saved.tensor.defined())
            prefetch(saved.tensor.state(), sizeof(TensorState) + sizeof(Storage) + first_elements);
}

void Recording::add(UnlistedNode node) {
    if (size() == std::numeric_limits<NodeId>::max()) throw TapeError("a tape holds no more than 2^31 - 1 nodes");
    nodes_.push_back(node.get());
    node.release();
}

void Recording::link(UnlistedNode unlisted, const Inputs& in, const Kept& kept, const Tensor& out,
                     const SourceLine& where) {
    const std::size_t count = in.size();
    Node* const node = unlisted.get();
    node->inputs_ = arena_.allocate_for<NodeId>(count);
    node->kept_ = arena_.allocate_for<Saved>(kept.inputs.size() + (kept.output != nullptr) + kept.workspace.size());
    const NodeId id = size();
    add(std::move(unlisted));  // nothing after this throws
    node->input_count_ = static_cast<std::uint32_t>(count);
    for (std::size_t i = 0; i < count; ++i) {
        node->inputs_[i] = operands_[i];
        if (operands_[i] != no_node) ++nodes_[static_cast<std::size_t>(operands_[i])]->uses_;
    }
    const auto keep = [node](Tensor x) {
        const std::uint32_t version = x.defined() ? x.version() : 0;
        new (&node->kept_[node->kept_count_++]) Saved{std::move(x), version};
    };
    for (std::size_t i = 0; i < kept.inputs.size(); ++i) keep(kept.inputs[i]);
    if (kept.output != nullptr) keep(*kept.output);
    for (Tensor& x : kept.workspace) keep(std::move(x));
    node->workspace_count_ = static_cast<std::uint16_t>(kept.workspace.size());
    node->shape_ = out.shape();
    node->dtype_ = out.dtype();
    node->place_ = current_place();
    node->where_ = line_of(where);
    out.state()->node = id;
    out.state()->recording = serial_;
    out.state()->recorded_version = out.version();
}

}  // namespace wengert
