#pragma once

#include <cstdint>
#include <string>
#include <vector>
#include <wengert/autograd/tape/tape.hpp>

namespace WENGERT_EXPORT wengert {

/// The ops of a tape, without what they computed: a value that outlives the tape.
struct TapeOutline {
    /// One op of a tape.
    struct Op {
        std::string scope, name, type;  ///< "decoder.cell", "matmul", "[64, 256] float32"
    };
    std::vector<Op> ops;      ///< in the order of the tape
    std::int64_t leaves = 0;  ///< how many parameters and watched tensors the tape follows
    std::size_t bytes = 0;    ///< that the nodes keep for backward
};
/// The ops of a tape, for the thread that recorded it, which alone knows its scopes.
TapeOutline outline(const Tape& tape);

/// What a change of a program changed of its tape, in one scope.
struct TapeChange {
    /// What became of an op.
    enum class Kind { added, removed, changed };
    Kind kind;                  ///< what became of these ops
    std::string scope, op;      ///< where they are, and their name
    std::string before, after;  ///< types; empty where there is none
    std::int64_t count = 1;     ///< how many such ops follow each other
};

/// Compares two tapes scope by scope, in the order in which the first has them: the shortest list of ops that were
/// added and removed, so that the others keep their order; an op in whose place one of the same name and another type
/// stands is changed. Steps do not count, so that a loop that runs longer has ops added at its end. A renamed scope has
/// all its ops removed and added, and so has one with more than 2,000 edits.
///
///     const TapeOutline before = outline(tape);
///     ...
///     std::cout << describe(diff(before, outline(tape_of_new_program)));
std::vector<TapeChange> diff(const TapeOutline& before, const TapeOutline& after);

/// As text, one line a change under the name of its scope; "+" added, "-" removed, "~" changed. Empty if there is none.
///
///     decoder.cell
///       ~ matmul [4, 256] float32 -> [4, 512] float32, ×8
///       - tanh [4, 256] float32, ×8
std::string describe(const std::vector<TapeChange>& changes);

}  // namespace wengert
