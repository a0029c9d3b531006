#pragma once

#include <wengert/autograd/tensor/error.hpp>

namespace wengert {

/// A tensor that has no value was used. Where it is met nobody knows which operand of the caller's it is: relocate() of
/// the function that the caller called says so.
struct UndefinedError : ValueError {
    using ValueError::ValueError;
};

}  // namespace wengert
