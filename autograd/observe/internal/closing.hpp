#pragma once

#include <wengert/autograd/observe/internal/drawing.hpp>

namespace wengert {

/// How deep the boxes of a drawing nest; 0 if there are none.
int depth_of(const Drawing& drawing);

/// The drawing with the boxes closed that stand in `depth` others: each is one vertex, with what goes in and comes out
/// of it, and its totals. Arrows of one box to another are one. 0 closes all.
Drawing close_boxes(const Drawing& drawing, int depth);

/// The drawing with boxes around parts of what stands side by side in great number, in the order of the tape: at most
/// `most` vertices and boxes are then in one box, or in none. The totals of a part are sums: a storage that several of
/// its vertices keep counts for each.
Drawing part(Drawing drawing, int most);

/// As deep as fits into `most` vertices, of a drawing that is parted first if even its closed boxes are too many.
struct Fitted {
    Drawing drawing;
    std::string note;  ///< what was closed, and why; empty if nothing was
};
Fitted fit(const Drawing& drawing, int most);

}  // namespace wengert
