#pragma once

#include <string_view>

namespace wengert {

/// A row of the op reference: how the op is called, which shapes it takes and gives, what it computes and how that is
/// differentiated. `ct` stands for the cotangent of the result.
struct OpDoc {
    std::string_view call, shape, formula, derivative;
};

}  // namespace wengert
