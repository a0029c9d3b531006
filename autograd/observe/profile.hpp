#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <wengert/autograd/tape/observer.hpp>

namespace WENGERT_EXPORT wengert {

/// What the calls of one op in one scope have cost.
struct OpCost {
    std::string scope, op;   ///< the scope's dotted path, and the op's name
    std::int64_t calls = 0;  ///< forward, or of an optimizer's update
    /// In each pass, with the work that it called.
    double forward_seconds = 0, backward_seconds = 0, update_seconds = 0;

    /// In all passes.
    double seconds() const { return forward_seconds + backward_seconds + update_seconds; }
};

/// While it lives, the ops of this thread and their backward rules are timed, and the memory of its tensors is watched:
///
///     Profile profile;
///     { ... one training step ... }
///     std::cout << to_string(profile);
///     write_svg(profile, "step.svg");
///
/// What a rule calls belongs to the rule, but for parts that have a name of their own, as the packing of weights has. A
/// part of a part belongs to the outer one. Products that waited to be computed together count for the backward pass of
/// their op, in the scope that first used their operand. While an inner profile lives, an outer one measures nothing.
/// Measuring takes some 140 ns for each op.
class Profile final : public Observer {
  public:
    /// The dearest first.
    std::vector<OpCost> costs() const;

    /// How much memory was in use at one time.
    struct Moment {
        double seconds;           ///< since the profile began
        std::int64_t live_bytes;  ///< of this thread's tensors and tapes
        Pass pass;                ///< what had just been done
    };
    /// One after each op, each rule and each update.
    const std::vector<Moment>& moments() const { return moments_; }
    /// Since the profile began.
    double seconds() const;

    void begin(const Work& work) override;
    /// Adds the time of the work to its op's.
    void end(const Work& work) override;
    void begin_part(std::string_view name) override;
    /// Adds the time of the part to its row.
    void end_part(std::string_view name) override;

  private:
    using Clock = std::chrono::steady_clock;
    using Key = std::pair<std::int32_t, std::string_view>;  // a scope of this thread, an op's name

    void book(std::string_view name, double seconds);

    const Clock::time_point begin_ = Clock::now();
    std::map<Key, OpCost> costs_;
    std::vector<Moment> moments_;
    std::optional<Work> timed_;  // the outermost work that runs now
    int depth_ = 0, part_depth_ = 0;
    double parts_ = 0;  // seconds of the work that belong to its parts
    Clock::time_point work_begin_, part_begin_;
};

/// A table: op, scope, calls, milliseconds forward, backward and in updates, share of the profile's time.
std::string to_string(const Profile& profile);

/// The same as an SVG picture: a bar for each scope and one for each op, cut by passes, and below them the memory over
/// time. Throws FileError if the file cannot be written.
void write_svg(const Profile& profile, const std::filesystem::path& file);

}  // namespace wengert
