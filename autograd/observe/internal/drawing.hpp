#pragma once

#include <string>
#include <vector>
#include <wengert/autograd/tape/tape.hpp>

namespace wengert {

/// A tape as a person looks at it: what is drawn, and where, but not how.
///
/// Nodes of the same scope that repeat from Step to Step are one vertex. Slices that one line takes from one value are
/// one vertex, too. A parameter or watched tensor has a vertex beside each of its users, not one that all the graph
/// hangs on. Vertices stand in the box of their scope and, inside it, in that of their steps.
struct Drawing {
    enum class Kind {
        parameter,
        input,   ///< a watched tensor
        view,    ///< an op that moves no element
        op,      ///< any other
        result,  ///< an op whose output, in the last step, no other uses: such as the loss
    };
    struct Box {
        std::string title;
        int parent;        ///< in boxes, always earlier; -1 for none
        bool is_repeated;  ///< around steps
    };
    struct Vertex {
        Kind kind;
        std::string label;   ///< in lines
        std::string detail;  ///< all there is to say, in lines
        int box;             ///< in boxes, -1 for none
    };
    struct Arrow {
        int from, to;     ///< in vertices
        bool is_carried;  ///< from one step to a later one: the recurrence
        std::string label;
    };

    std::vector<Box> boxes;
    std::vector<Vertex> vertices;  ///< in the order of the tape, leaves before their users
    std::vector<Arrow> arrows;
};

/// Folds the tape: the first `unfold` steps of each repetition are drawn one by one, the others as one.
/// Throws ValueError if unfold < 0. To be called by the thread that recorded the tape, which alone knows its scopes.
Drawing draw(const Tape& tape, int unfold);

}  // namespace wengert
