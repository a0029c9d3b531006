#pragma once

#include <cstddef>
#include <span>
#include <wengert/autograd/tape/tape.hpp>

namespace wengert {

/// The bytes of all storages that the nodes of a tape, or some of them, keep for their backward rules; each storage
/// counts once.
std::size_t saved_bytes(const Tape& tape);
std::size_t saved_bytes(const Tape& tape, std::span<const NodeId> nodes);

}  // namespace wengert
