#pragma once

#include <map>
#include <string>
#include <vector>
#include <wengert/autograd/observe/internal/drawing.hpp>

namespace wengert {

struct Paint {
    std::string fill, text;  ///< "#rrggbb"
};

/// The colours of a drawing's vertices. Families have tints under dark text, in the order in which the tape meets them.
/// Time and memory are shades of one hue, the more the darker, so that they can be told apart without colour, too.
class Palette {
  public:
    Palette(const Drawing& drawing, GraphColor color);

    /// Of an op.
    Paint of(const Drawing::Vertex& vertex) const;
    struct Entry {
        Paint paint;
        std::string label;  ///< a family with its ops, "from 0.5 ms"
    };
    const std::vector<Entry>& legend() const { return legend_; }
    /// Of a family in the legend; -1 if it is not there.
    int number_of(const std::string& family) const;

    /// From what part of the most on a shade begins, the lightest first.
    struct Shade {
        double from;
        Paint paint;
    };
    static const std::vector<Shade>& shades();

  private:
    double amount(const Drawing::Vertex& vertex) const;
    void add_families(const Drawing& drawing);
    void add_shades();

    const GraphColor color_;
    double most_ = 0;
    std::map<std::string, std::size_t> families_;  // their places in the legend
    std::vector<Entry> legend_;
};

/// What a value that is not finite looks like.
inline const Paint non_finite_paint{"#d00000", "#ffffff"};

}  // namespace wengert
