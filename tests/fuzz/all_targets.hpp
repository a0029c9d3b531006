#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace wengert::fuzz {

struct NamedTarget {
    std::string_view name;  ///< of its source and of its corpus
    int (*run)(const std::uint8_t* data, std::size_t size);
};

/// Every target, in the order of the alphabet.
extern const std::span<const NamedTarget> all_targets;

}  // namespace wengert::fuzz
