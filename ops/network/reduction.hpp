#pragma once

namespace wengert {

/// What becomes of the losses of elements or rows.
enum class Reduction { none, mean, sum };

}  // namespace wengert
