#pragma once

#include <fmt/format.h>

#include <string_view>
#include <wengert/autograd/tensor/error.hpp>

namespace wengert {

/// For the constructors of normalising layers: throws ValueError unless eps is 0 or more.
inline void require_epsilon(std::string_view layer, double eps) {
    if (!(eps >= 0)) throw ValueError(fmt::format("{}: eps is {}, not 0 or more", layer, eps));
}

}  // namespace wengert
