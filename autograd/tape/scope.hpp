#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <wengert/autograd/tensor/export.hpp>

namespace WENGERT_EXPORT wengert {

/// Names the part of a model that runs while it lives; scopes nest into dotted paths such as "decoder.attention".
/// Errors quote the path, graphs draw it as a cluster, reports sum by it. Each thread has its own, and knows 65,536
/// paths at most: names that count up, such as "request 1234", belong in a Step.
class Scope {
  public:
    /// Enters a part of this name.
    explicit Scope(std::string_view name);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

  private:
    std::int32_t outer_;
};

/// Numbers the repetition that runs while it lives: the time step of a recurrent layer. Errors quote it, and graphs
/// fold the steps of one scope into one. Throws ValueError outside [0, 2^31).
class Step {
  public:
    /// Enters repetition `index`, counted from 0.
    explicit Step(std::int64_t index);
    ~Step();
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

  private:
    std::int32_t outer_;
};

/// Where in the model the calling thread is.
struct Place {
    std::int32_t scope = 0;  ///< of scope_path()
    std::int32_t step = -1;  ///< the innermost Step, -1 outside
};
Place current_place();

/// The dotted path of a scope that this thread has entered; empty for the outermost. Throws std::out_of_range for a
/// number that it has not given.
std::string scope_path(std::int32_t scope);
/// "decoder.cell, step 3"
std::string to_string(const Place& place);

}  // namespace wengert
