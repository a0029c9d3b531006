#pragma once

#include <cstddef>
#include <initializer_list>
#include <iosfwd>
#include <string>
#include <vector>
#include <wengert/autograd/tape/tape.hpp>

/// What a test says of a tape: CHECK(tape == records({"matmul", "tanh", "sum"})). They work with any test framework
/// that compares by == and prints by <<, as doctest, Catch and GoogleTest do; a failure shows both sides.
///
///     Tape tape;
///     model.loss(batch);
///     CHECK(tape == records({"linear", "tanh", "linear", "cross_entropy"}));
///     CHECK(tape == records_nodes(4));
///     CHECK(tape == keeps_at_most(64'000));
namespace WENGERT_EXPORT wengert {

/// Exactly these ops, in this order; leaves do not count.
struct RecordedOps {
    std::vector<std::string> names;  ///< of the ops, in the order of the tape
};
/// For `tape == records({"matmul", "tanh"})`: the tape has these ops, in this order, and no others.
inline RecordedOps records(std::vector<std::string> names) { return {std::move(names)}; }
/// Whether the tape has just these ops, leaves left out.
bool operator==(const Tape& tape, const RecordedOps& ops);
/// What a failed check prints: the names that were expected.
std::ostream& operator<<(std::ostream& stream, const RecordedOps& ops);

/// So many ops; leaves do not count.
struct RecordedCount {
    std::size_t count;  ///< how many nodes, leaves left out
};
/// For `tape == records_nodes(n)`.
inline RecordedCount records_nodes(std::size_t count) { return {count}; }
/// Whether the tape has as many ops.
bool operator==(const Tape& tape, const RecordedCount& count);
/// What a failed check prints: the number that was expected.
std::ostream& operator<<(std::ostream& stream, const RecordedCount& count);

/// Nodes that keep no more for backward, by saved_bytes().
struct MostBytes {
    std::size_t bytes;  ///< that nodes keep at most
};
/// For `tape == keeps_at_most(bytes)`.
inline MostBytes keeps_at_most(std::size_t bytes) { return {bytes}; }
/// Whether the nodes of the tape keep no more.
bool operator==(const Tape& tape, const MostBytes& most);
/// What a failed check prints: the limit.
std::ostream& operator<<(std::ostream& stream, const MostBytes& most);

/// "matmul, tanh ×3, sum: 5 nodes that keep 1.2 kB"
std::ostream& operator<<(std::ostream& stream, const Tape& tape);

}  // namespace wengert
