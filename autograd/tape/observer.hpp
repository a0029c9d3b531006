#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <typeinfo>
#include <wengert/autograd/tape/scope.hpp>
#include <wengert/autograd/tensor/error.hpp>

namespace WENGERT_EXPORT wengert {

class Inputs;
class Node;
inline namespace abi_0 {
class Tensor;
}

/// What a stretch of time is spent on.
enum class Pass : std::uint8_t { forward, backward, update };

/// One application of an op, as observers see it: the op with its attributes, of whatever type, and the caller's line.
/// It lives as long as the call.
class Applied {
  public:
    /// Of an op and its call; both must outlive this.
    template <class Op>
    Applied(const Op& op, std::string_view name, const SourceLine& where)
        : name_(name), where_(where), op_(&op), type_(typeid(Op)) {}

    /// The op's name.
    std::string_view name() const { return name_; }
    /// The user's line that called the op.
    const SourceLine& where() const { return where_; }
    /// The op, if it is of this type, else null.
    template <class Op>
    const Op* as() const {
        return type_ == typeid(Op) ? static_cast<const Op*>(op_) : nullptr;
    }

  private:
    std::string_view name_;
    const SourceLine& where_;
    const void* op_;
    const std::type_info& type_;
};

/// Listens to the engine in the thread that made it, for as long as it lives: a profile, a search for NaNs. The engine
/// knows this interface only, and asks one thread-local pointer whether anybody listens. Observers may end in any
/// order, each in its own thread.
class Observer {
  public:
    Observer(const Observer&) = delete;
    Observer& operator=(const Observer&) = delete;

    /// One application of an op or of its backward rule, queued products of one cotangent, or an optimizer's update.
    /// The name lives as long as the program, as names of ops do.
    struct Work {
        std::string_view name;  ///< of the op, or of the optimizer
        Place place;            ///< the scope and the step in which the work began
        Pass pass;              ///< whether it is an op, a rule or an update
    };
    /// Work begins and ends, also by an exception. Work inside of work belongs to it: what a rule calls, say.
    virtual void begin(const Work&) {}
    /// The work ends, also by an exception.
    virtual void end(const Work&) {}
    /// A named part of the work, and parts of parts.
    virtual void begin_part(std::string_view) {}
    /// The part ends.
    virtual void end_part(std::string_view) {}

    /// An op computed a result. What this throws is the op's error.
    virtual void computed(const Applied&, const Inputs&, const Tensor&) {}
    /// Whether contributed() is to be called. The pass then computes each contribution at once, and keeps what its
    /// nodes saved until their rules have returned.
    virtual bool inspects_cotangents() const { return false; }
    /// The rule of a node has contributed to the cotangent of one of its inputs.
    virtual void contributed(const Node&, std::size_t /*input*/, const Tensor& /*cotangent*/) {}

    /// The rule of a node has computed the cotangent of an input for which nothing waits: work in vain.
    virtual void discarded(const Node&, std::size_t /*input*/) {}

    /// Whether anybody may be listening in this thread.
    static bool is_listening() { return innermost_ != nullptr; }
    /// Whether an observer of this thread wants to see contributions.
    static bool is_inspecting_cotangents();
    /// Whether no other observer of this type has begun later in this thread.
    template <class Type>
    static bool is_innermost(const Type* observer) {
        for (const Link* link = innermost_; link != nullptr; link = link->outer)
            if (const auto* const found = dynamic_cast<const Type*>(link->observer.load())) return found == observer;
        return false;
    }
    /// Calls a member function of every observer of this thread.
    template <class... Parameters, class... Arguments>
    static void notify(void (Observer::*hook)(Parameters...), const Arguments&... arguments) {
        for (const Link* link = innermost_; link != nullptr; link = link->outer)
            if (Observer* const observer = link->observer) (observer->*hook)(arguments...);
    }

  protected:
    Observer();
    virtual ~Observer();

  private:
    /// A thread's list holds an observer until the thread finds out that it has ended, maybe in another thread.
    struct Link {
        std::atomic<Observer*> observer;  // null: it has ended
        Link* outer;
        std::atomic<int> owners = 2;  // the list and the observer
    };
    static void give_back(Link* link);

    constinit static inline thread_local Link* innermost_ = nullptr;
    Link* const link_;
};

/// Tells the observers of work that begins here and ends with the block.
class ObservedWork {
  public:
    /// In the place where the thread is.
    ObservedWork(std::string_view name, Pass pass) {
        if (Observer::is_listening()) [[unlikely]]
            begin({name, current_place(), pass});
    }
    /// In another place: that of the node whose rule runs.
    ObservedWork(std::string_view name, const Place& place, Pass pass) {
        if (Observer::is_listening()) [[unlikely]]
            begin({name, place, pass});
    }
    ~ObservedWork() {
        if (work_) [[unlikely]]
            Observer::notify(&Observer::end, *work_);
    }
    ObservedWork(const ObservedWork&) = delete;
    ObservedWork& operator=(const ObservedWork&) = delete;

  private:
    void begin(const Observer::Work& work) {
        Observer::notify(&Observer::begin, work);
        work_ = work;
    }
    std::optional<Observer::Work> work_;
};

/// The same for a part of it. The name lives as long as the program.
class ObservedPart {
  public:
    /// Begins a part, which the destructor ends.
    explicit ObservedPart(std::string_view name) : name_(name) { Observer::notify(&Observer::begin_part, name_); }
    ~ObservedPart() { Observer::notify(&Observer::end_part, name_); }
    ObservedPart(const ObservedPart&) = delete;
    ObservedPart& operator=(const ObservedPart&) = delete;

  private:
    const std::string_view name_;
};

}  // namespace wengert
