#pragma once

#include <string>
#include <vector>
#include <wengert/autograd/observe/graph.hpp>

namespace wengert {

/// What a vertex or a box stands for, added up.
struct GraphTotals {
    std::int64_t nodes = 0;
    std::size_t bytes = 0;  ///< kept for backward; each storage counts once in a vertex, and once in a call
    double forward_seconds = 0, backward_seconds = 0;

    double seconds() const { return forward_seconds + backward_seconds; }
};

/// A tape as a person looks at it: what is drawn, and where, but not how.
///
/// A vertex is what Folding makes one. A parameter, a watched tensor or a constant has a vertex beside each of its
/// users, not one that all the graph hangs on. Vertices stand in the box of their call.
struct Drawing {
    enum class Kind {
        parameter,
        input,          ///< a watched tensor
        constant,       ///< an operand that nothing follows, and that its user keeps
        view,           ///< an op that moves no element
        op,             ///< any other
        result,         ///< an op whose output, in the last step, no other uses: such as the loss
        closed,         ///< a box that is closed
        closed_result,  ///< one with a result
        rule,           ///< the backward rule of an op
        gradient,       ///< the gradient of a leaf
    };
    /// Whether it is what a tape takes from elsewhere.
    static bool is_outside(Kind kind) {
        return kind == Kind::parameter || kind == Kind::input || kind == Kind::constant;
    }
    struct Box {
        std::string title;
        int parent;        ///< in boxes, always earlier; -1 for none
        bool is_repeated;  ///< around steps
        GraphTotals totals = {};
    };
    struct Vertex {
        Kind kind;
        std::string name;    ///< of the op or the tensor
        std::string family;  ///< of an op
        std::string type;    ///< "[64, 256] float32"
        std::string label;   ///< in lines
        std::string detail;  ///< all there is to say, in lines
        int box;             ///< in boxes, -1 for none
        std::vector<NodeId> nodes = {};
        GraphTotals totals = {};
        bool is_finite = true, is_marked = false;
    };
    struct Arrow {
        int from, to;             ///< in vertices
        bool is_carried = false;  ///< from one step to a later one: the recurrence
        bool is_saved = false;    ///< the user keeps what it gets for backward
        std::string label = {};
        bool is_sideways = false;  ///< from an op to its rule
        bool is_backward = false;  ///< the way of a cotangent, against that of its value
    };

    std::vector<Box> boxes;
    std::vector<Vertex> vertices;  ///< in the order of the tape, leaves before their users
    std::vector<Arrow> arrows;
    GraphTotals totals = {};
};

/// Folds the tape. To be called by the thread that recorded the tape, which alone knows its scopes.
Drawing draw(const Tape& tape, const GraphOptions& options);

/// "12 nodes, keep 3.4 kB for backward, 0.123 ms, backward 0.456 ms", without what is zero.
std::string describe(const GraphTotals& totals);
/// "0.123 ms, backward 0.456 ms"
std::string describe_times(const GraphTotals& totals);
/// "0.123 ms"
std::string describe_time(double seconds);

}  // namespace wengert
