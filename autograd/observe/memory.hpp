#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <wengert/autograd/tape/tape.hpp>

namespace WENGERT_EXPORT wengert {

/// The bytes of all storages that the nodes of a tape, or some of them, keep for their backward rules; each storage
/// counts once.
std::size_t saved_bytes(const Tape& tape);
std::size_t saved_bytes(const Tape& tape, std::span<const NodeId> nodes);

/// "12.3 MB", in units of a thousand.
std::string describe_bytes(std::size_t bytes);

/// A table of what a tape holds: op, scope, how many nodes, bytes that they keep for backward; those that keep most
/// first. A storage that several nodes keep counts for the first of them. This function and the next are for the thread
/// that recorded the tape.
///
///     const Tensor loss = cross_entropy(model(x), labels);
///     std::cout << report(tape);
std::string report(const Tape& tape);

/// The scopes whose nodes keep most, in one line: "decoder.cell 14.9 MB, encoder.gru.l1 14.7 MB; in all 50.5 MB".
std::string largest_scopes(const Tape& tape, std::size_t most = 5);

}  // namespace wengert
