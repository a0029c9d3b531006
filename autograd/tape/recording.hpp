#pragma once

#include <atomic>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>
#include <wengert/autograd/tape/internal/arena.hpp>
#include <wengert/autograd/tape/node.hpp>

namespace WENGERT_EXPORT wengert {

class RecordingScope;

/// The list itself: what the live tapes of one thread have in common. The first Tape makes it, others share it, and it
/// ends with the last of them.
class Recording {
  public:
    Recording();
    ~Recording();
    Recording(const Recording&) = delete;
    Recording& operator=(const Recording&) = delete;

    /// The list that ops on this thread append to; null without a live tape, while a Pause lives, and inside of an op.
    static Recording* current() { return thread_.current; }
    /// The innermost forward pass, for which ops on this thread compute tangents; null without one, while a Pause that
    /// began in it lives, and inside of an op.
    static const RecordingScope* forward_pass() { return thread_.forward_pass; }
    /// Whether a Tape or a Pause lives in this thread.
    static bool is_in_scope() { return thread_.is_in_scope; }
    /// Whether the list of this number exists, in any thread.
    static bool is_live(std::uint64_t serial);
    /// Whether any list exists, in any thread.
    static bool is_any_live() { return live_.load(std::memory_order_relaxed) > 0; }

    /// While it lives, this thread appends nothing to `current`, its current list, and computes no tangents for
    /// `forward_pass`, its own. Either may be null.
    class Suspension {
      public:
        /// Begins it; with two nulls there is nothing to suspend.
        explicit Suspension(Recording* current, const RecordingScope* forward_pass = nullptr)
            : current_(current), forward_pass_(forward_pass) {
            if (current_ == nullptr && forward_pass_ == nullptr) return;
            thread_.current = nullptr;
            thread_.forward_pass = nullptr;
            ++thread_.suspensions;
        }
        ~Suspension() {
            if (current_ == nullptr && forward_pass_ == nullptr) return;
            thread_.current = current_;
            thread_.forward_pass = forward_pass_;
            --thread_.suspensions;
        }
        Suspension(const Suspension&) = delete;
        Suspension& operator=(const Suspension&) = delete;

      private:
        Recording* const current_;
        const RecordingScope* const forward_pass_;
    };
    /// While it lives, this thread computes tangents of a forward pass: they have tangents for the passes around it,
    /// and are recorded if it is.
    class Pushing {
      public:
        /// Begins to compute the tangents of this pass.
        explicit Pushing(const RecordingScope& pass);
        ~Pushing() {
            thread_.current = current_;
            thread_.forward_pass = forward_pass_;
            --thread_.suspensions;
        }
        Pushing(const Pushing&) = delete;
        Pushing& operator=(const Pushing&) = delete;

      private:
        Recording* const current_ = thread_.current;
        const RecordingScope* const forward_pass_ = thread_.forward_pass;
    };

    /// The id of a tensor: of the node that computed it, or of its leaf. no_node for a constant, and for a parameter
    /// that has not been met. Throws TapeError if another list has the tensor, or if its elements were overwritten.
    NodeId find(const Tensor& tensor) const;
    /// The same, and no_node for what another list has. Throws TapeError if its elements were overwritten.
    NodeId find_own(const Tensor& tensor) const;
    /// As find(), but a parameter becomes a leaf when it is first met.
    NodeId follow(const Tensor& tensor);
    /// Looks all operands up; whether the list follows at least one. Throws what follow() throws.
    bool follows(const Inputs& in);
    /// Makes a leaf of a tensor that the list does not follow yet. Throws DtypeError unless it is float32 or float64.
    NodeId watch(const Tensor& tensor);

    /// Of the operands last given to follows(), a bit for each of the first 64 that the list follows.
    std::uint64_t followed() const;

    /// What a node keeps.
    struct Kept {
        Inputs inputs;                     ///< the operands that the rule reads
        const Tensor* output = nullptr;    ///< the output, if the rule reads it; else null
        std::span<Tensor> workspace = {};  ///< what forward() left for the rule
    };
    /// Appends the node that computed `out` from the operands last given to follows(). Throws TapeError beyond 2^31 - 1
    /// nodes.
    template <class NodeType, class Op>
    void append(const Op& op, const Inputs& in, const Kept& kept, const Tensor& out, const SourceLine& where) {
        link(UnlistedNode(new (arena_.allocate_for<NodeType>()) NodeType(op)), in, kept, out, where);
    }

    /// How many nodes there are.
    NodeId size() const { return static_cast<NodeId>(nodes_.size()); }
    /// Node `id`, which is 0 or more and below size().
    const Node& operator[](NodeId id) const { return *nodes_[static_cast<std::size_t>(id)]; }
    /// Fetches what the rules of the nodes before `id` will read, which on a long tape has left the processor's cache.
    void prefetch_before(NodeId id) const;
    /// While it lives, nodes bear the line of the op whose rule makes them: a recorded pass shows the user's lines, not
    /// the rules'.
    class Rule {
      public:
        /// `where` is the line of the node whose rule runs; it must outlive this.
        Rule(Recording& recording, const SourceLine& where)
            : rule_(recording.rule_), outer_(std::exchange(rule_, &where)) {}
        ~Rule() { rule_ = outer_; }
        Rule(const Rule&) = delete;
        Rule& operator=(const Rule&) = delete;

      private:
        const SourceLine*& rule_;
        const SourceLine* const outer_;  // a rule may run a pass
    };
    /// The line that a node has which an op makes here.
    const SourceLine& line_of(const SourceLine& where) const { return rule_ != nullptr ? *rule_ : where; }
    /// Drops what a node keeps for its vjp.
    void release(NodeId id) { nodes_[static_cast<std::size_t>(id)]->release(); }
    /// How many live tapes share the list.
    int tape_count() const { return tapes_; }

  private:
    friend class RecordingScope;
    template <class T>
    using Vector = std::vector<T, CachedAllocator<T>>;
    using Leaves = std::unordered_map<const TensorState*, NodeId, std::hash<const TensorState*>, std::equal_to<>,
                                      CachedAllocator<std::pair<const TensorState* const, NodeId>>>;
    struct OfThread {
        Recording* current = nullptr;
        const RecordingScope* forward_pass = nullptr;
        int suspensions = 0;
        bool is_in_scope = false;
        bool has_ended = false;
    };

    /// A node in the arena, which runs no destructors, until the list has it.
    struct Destroying {
        void operator()(Node* node) const { node->~Node(); }
    };
    using UnlistedNode = std::unique_ptr<Node, Destroying>;

    void add(UnlistedNode node);
    void link(UnlistedNode unlisted, const Inputs& in, const Kept& kept, const Tensor& out, const SourceLine& where);

    constinit static thread_local OfThread thread_;
    constinit static std::atomic<int> live_;

    const std::uint64_t serial_;
    Arena arena_;
    Vector<Node*> nodes_;
    Vector<NodeId> operands_;  // of follows(), kept here so that no call allocates
    Leaves leaves_;
    const SourceLine* rule_ = nullptr;
    bool has_watched_ = false;
    std::atomic<int> tapes_ = 0;
};

/// A Tape, a Pause or a forward pass between its begin and its end. What a thread records is decided by the last of its
/// scopes that has not ended, whatever the order in which they end. One that ends in another thread is harmless, too:
/// its own thread finds out when its next scope begins or ends. A forward pass leaves what is recorded as it is.
class RecordingScope {
  public:
    /// A tape's scope shares the list of the thread's other tapes, or makes one, always if it is apart; others have
    /// none.
    enum class Kind : std::uint8_t { pause, tape, tape_apart, forward_pass };
    /// Opens a scope in the calling thread.
    static std::shared_ptr<RecordingScope> begin(Kind kind);
    /// Ends it, in whatever thread.
    static void end(const std::shared_ptr<RecordingScope>& scope) noexcept;

    /// Null for a pause and a forward pass.
    const std::shared_ptr<Recording>& recording() const { return recording_; }
    /// Of a forward pass: its number, which no other has; the one around it; whether a tape around it records tangents.
    std::uint64_t serial() const { return serial_; }
    /// The forward pass around this one; null if there is none.
    const RecordingScope* outer_pass() const { return outer_pass_; }
    /// Whether a tape around this pass records tangents.
    bool is_recorded() const { return is_recorded_; }
    /// Whether the list is that of the calling thread's tapes.
    bool is_of_this_thread() const;

  private:
    struct Stack;
    static Stack& stack();

    std::shared_ptr<Recording> recording_;
    std::shared_ptr<RecordingScope> outer_;
    const RecordingScope* outer_pass_ = nullptr;
    std::uint64_t serial_ = 0;
    int outer_suspensions_ = 0;
    Kind kind_ = Kind::pause;
    bool is_recorded_ = false;
    std::atomic<bool> has_ended_ = false;
};

/// While it lives, ops of this thread are not recorded: what they compute is constant.
class Pause {
  public:
    Pause() : scope_(RecordingScope::begin(RecordingScope::Kind::pause)) {}
    ~Pause() { RecordingScope::end(scope_); }
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

  private:
    const std::shared_ptr<RecordingScope> scope_;
};

}  // namespace wengert
