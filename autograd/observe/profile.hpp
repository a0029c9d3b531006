#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <wengert/autograd/tape/scope.hpp>

namespace wengert {

enum class Pass { forward, backward };

class CostTimer;

/// What the calls of one op in one scope have cost.
struct OpCost {
    std::string scope, op;
    std::int64_t calls = 0;  ///< forward
    double forward_seconds = 0, backward_seconds = 0;

    double seconds() const { return forward_seconds + backward_seconds; }
};

/// While it lives, the ops of this thread and their backward rules are timed, and the memory of its tensors is watched:
///
///     Profile profile;
///     { ... one training step ... }
///     std::cout << to_string(profile);
///     write_svg(profile, "step.svg");
///
/// What a rule calls belongs to the rule, but for what is a CostPart. Products that waited to be computed together
/// count for the backward pass of their op, in the scope that first used their operand. Measuring takes some 140 ns for
/// each op.
class Profile {
  public:
    Profile();
    ~Profile();
    Profile(const Profile&) = delete;
    Profile& operator=(const Profile&) = delete;

    /// The dearest first.
    std::vector<OpCost> costs() const;

    struct Moment {
        double seconds;           ///< since the profile began
        std::int64_t live_bytes;  ///< of this thread's tensors and tapes
        Pass pass;
    };
    /// One after each op and each rule.
    const std::vector<Moment>& moments() const { return moments_; }
    /// Since the profile began.
    double seconds() const;

  private:
    friend class CostTimer;
    friend class CostPart;
    using Clock = std::chrono::steady_clock;
    using Key = std::pair<std::int32_t, std::string_view>;  // a scope of this thread, an op's name

    const Clock::time_point begin_ = Clock::now();
    std::map<Key, OpCost> costs_;
    std::vector<Moment> moments_;
    CostTimer* timer_ = nullptr;  // the one that times now
    Profile* const outer_;

    OpCost& cost(std::int32_t scope, std::string_view op);
};

/// The engine's part: times what runs while it lives, if a Profile lives and no other timer does. `op` must outlive the
/// profile, as names of ops do.
class CostTimer {
  public:
    CostTimer(std::string_view op, const Place& place, Pass pass);
    ~CostTimer();
    CostTimer(const CostTimer&) = delete;
    CostTimer& operator=(const CostTimer&) = delete;

  private:
    friend class CostPart;
    Profile* profile_;
    std::string_view op_;
    std::int32_t scope_;
    Pass pass_;
    double parts_ = 0;  // seconds that are others'
    bool has_part_ = false;
    Profile::Clock::time_point begin_;
};

/// While it lives, what a CostTimer times counts for a part of its op instead, which is shown as an op of its own. A
/// part of a part belongs to the outer one.
class CostPart {
  public:
    explicit CostPart(std::string_view name);
    ~CostPart();
    CostPart(const CostPart&) = delete;
    CostPart& operator=(const CostPart&) = delete;

  private:
    CostTimer* timer_;
    std::string_view name_;
    Profile::Clock::time_point begin_;
};

/// A table: op, scope, calls, milliseconds forward and backward, share of the profile's time.
std::string to_string(const Profile& profile);

/// The same as an SVG picture: a bar for each scope and one for each op, forward and backward, and below them the
/// memory over time. Throws FileError if the file cannot be written.
void write_svg(const Profile& profile, const std::filesystem::path& file);

}  // namespace wengert
