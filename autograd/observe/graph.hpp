#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <wengert/autograd/observe/node_profile.hpp>
#include <wengert/autograd/tape/tape.hpp>

namespace WENGERT_EXPORT wengert {

/// What the colours of a graph tell: the family of an op, or in shades how much time or memory a node takes.
enum class GraphColor { op, time, memory };
/// Where a graph's arrows lead. Automatic: whichever fills a page better.
enum class GraphDirection { automatic, down, right };

struct GraphOptions {
    /// How many steps of each loop are drawn one by one; the others are folded into one, with their count. Default:
    /// none in a picture, all in a page (.html).
    std::optional<int> unfold = {};
    /// In how many others a box may stand; deeper ones are closed: one vertex each, with inputs, outputs and totals.
    /// Default: as deep as leaves some 150 vertices in a picture; its title then says so. A page opens and closes boxes
    /// itself.
    std::optional<int> depth = {};
    /// Stands above the picture.
    std::string title = {};
    GraphColor color = GraphColor::op;                     ///< what the colours of vertices tell
    GraphDirection direction = GraphDirection::automatic;  ///< whether the graph runs down or to the right
    /// What observed the tape: vertices then show milliseconds.
    const NodeProfile* profile = nullptr;
    /// The family of an op by its name, such as op_family(). Default: elementwise functions, views and all others are
    /// three.
    std::string_view (*family)(std::string_view op) = nullptr;
    /// What the tape was recorded for, such as the loss.
    Tensor result = {};
    /// Draws the backward pass of `result`, too: a mirrored column with the rule of each op and its cotangent.
    bool backward = false;
    /// Draws only what is up to two arrows from this node, which is marked, and the way from it to `result`, or to
    /// what nothing uses.
    NodeId around = no_node;
};

/// The tape as a graph in Graphviz's language, the same text for the same tape.
///
/// A vertex is an op: its shape and dtype, the bytes that it keeps for backward, the milliseconds forward and backward
/// if options.profile measured them, the line of the program, and for map() its formula. Parameters, watched tensors
/// and constants that an op keeps stand beside each of their users; boxes are calls of scopes, and steps in them.
/// Steps are folded into one, and the bold arrows are what one step hands to the next. Dashed arrows are tensors that
/// their user keeps for backward. What has a NaN or an infinity is red; without a profile this is known of leaves and
/// of what some node keeps. Tooltips tell the rest.
///
/// Throws ValueError if options.unfold or options.depth is negative, if time is to be shown and there is no profile, if
/// a backward pass is to be drawn and there is no result, or if the tape has no node `around` or not the result.
///
/// Both functions are for the thread that recorded the tape.
std::string to_dot(const Tape& tape, const GraphOptions& options = {});

/// Writes that graph by the extension of `file`: as a picture (.svg, .png, .pdf), as to_dot() has it (.dot), or as a
/// page (.html) that shows it in a browser, to move, zoom and search, to open and close boxes and to follow a tensor;
/// it is one file that refers to no other. Throws ValueError for any other extension, and for a picture of more than
/// 1,500 vertices, which only a given depth can ask for; FileError if the file cannot be written or Graphviz cannot
/// draw.
void write_graph(const Tape& tape, const std::filesystem::path& file, const GraphOptions& options = {});

}  // namespace wengert
