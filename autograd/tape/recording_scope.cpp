#include <wengert/autograd/tape/recording.hpp>

namespace wengert {

/// The scopes of one thread.
struct RecordingScope::Stack {
    std::shared_ptr<RecordingScope> innermost;
    std::shared_ptr<Recording> kept;  // a list that ended while an op or a rule ran, which may still use it

    ~Stack() { Recording::thread_ = {.has_ended = true}; }

    void drop_ended() {
        for (std::shared_ptr<RecordingScope>* scope = &innermost; *scope != nullptr;) {
            if (!(*scope)->has_ended_) {
                scope = &(*scope)->outer_;
                continue;
            }
            const std::shared_ptr<RecordingScope> ended = std::move(*scope);
            *scope = std::move(ended->outer_);
        }
    }
    /// The innermost scope of a tape; null if there is none.
    const RecordingScope* of_tape() const {
        const RecordingScope* scope = innermost.get();
        while (scope != nullptr && scope->recording_ == nullptr) scope = scope->outer_.get();
        return scope;
    }
    /// The innermost forward pass, unless a pause, or the op that began a tape, stands before it; null if there is
    /// none.
    const RecordingScope* of_forward_pass() const {
        for (const RecordingScope* scope = innermost.get(); scope != nullptr; scope = scope->outer_.get()) {
            if (scope->kind_ == Kind::forward_pass) return scope;
            if (scope->kind_ == Kind::pause || scope->outer_suspensions_ > 0) return nullptr;
        }
        return nullptr;
    }
    void set_current() const {
        Recording::OfThread& thread = Recording::thread_;
        const RecordingScope* scope = innermost.get();
        bool is_recorded = thread.suspensions == 0;
        for (; scope != nullptr && scope->kind_ == Kind::forward_pass; scope = scope->outer_.get())
            is_recorded &= scope->is_recorded_;
        thread.is_in_scope = scope != nullptr;
        thread.current = scope != nullptr && is_recorded ? scope->recording_.get() : nullptr;
        thread.forward_pass = thread.suspensions == 0 ? of_forward_pass() : nullptr;
    }
};

RecordingScope::Stack& RecordingScope::stack() {
    thread_local Stack stack;
    return stack;
}

std::shared_ptr<RecordingScope> RecordingScope::begin(Kind kind) {
    auto scope = std::allocate_shared<RecordingScope>(CachedAllocator<RecordingScope>());
    Recording::OfThread& thread = Recording::thread_;
    Stack* const stack = thread.has_ended ? nullptr : &RecordingScope::stack();
    if (stack != nullptr) {
        stack->drop_ended();
        stack->kept.reset();
    }
    scope->kind_ = kind;
    if (kind == Kind::forward_pass) {
        static std::atomic<std::uint64_t> last = 0;
        scope->serial_ = ++last;
        scope->outer_pass_ = thread.forward_pass;
        scope->is_recorded_ = thread.current != nullptr;
    } else if (kind != Kind::pause) {
        const RecordingScope* const outer = stack != nullptr && kind == Kind::tape ? stack->of_tape() : nullptr;
        scope->recording_ =
            outer != nullptr ? outer->recording_ : std::allocate_shared<Recording>(CachedAllocator<Recording>());
        ++scope->recording_->tapes_;
    }
    if (stack == nullptr) return scope;  // a thread's last objects record nothing
    scope->outer_ = std::move(stack->innermost);
    scope->outer_suspensions_ = std::exchange(thread.suspensions, 0);
    stack->innermost = scope;
    stack->set_current();
    return scope;
}

void RecordingScope::end(const std::shared_ptr<RecordingScope>& scope) noexcept {
    scope->has_ended_ = true;
    if (scope->recording_ != nullptr) --scope->recording_->tapes_;
    Recording::OfThread& thread = Recording::thread_;
    if (thread.has_ended) return;
    Stack& stack = RecordingScope::stack();
    if (stack.innermost == scope) thread.suspensions = scope->outer_suspensions_;
    if (thread.suspensions > 0 && scope->recording_ != nullptr) stack.kept = scope->recording_;
    stack.drop_ended();
    stack.set_current();
}

bool RecordingScope::is_of_this_thread() const {
    if (Recording::thread_.has_ended) return false;
    const RecordingScope* const scope = stack().of_tape();
    return scope != nullptr && scope->recording_ == recording_;
}

}  // namespace wengert
