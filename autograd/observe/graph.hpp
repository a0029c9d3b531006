#pragma once

#include <filesystem>
#include <string>
#include <wengert/autograd/tape/tape.hpp>

namespace WENGERT_EXPORT wengert {

struct GraphOptions {
    /// How many steps of each repetition are drawn one by one; the others are folded into one, with their count.
    int unfold = 0;
    /// Stands above the picture.
    std::string title = {};
};

/// The tape as a graph in Graphviz's language, the same text for the same tape.
///
/// A vertex is an op with its shape, and its dtype unless that is float32; parameters and watched tensors stand beside
/// each of their users; boxes are scopes. Steps are folded into one, and the dashed arrows are what one step hands to
/// the next. Tooltips tell the rest: the line of the program, how many nodes it is, how much it keeps for backward.
/// Throws ValueError if options.unfold is negative.
///
/// Both functions are for the thread that recorded the tape.
std::string to_dot(const Tape& tape, const GraphOptions& options = {});

/// Writes that graph as a picture: as SVG or PNG, or as to_dot() has it, by the extension (.svg, .png, .dot) of `file`.
/// Throws ValueError for any other extension, FileError if the file cannot be written or Graphviz cannot draw.
void write_graph(const Tape& tape, const std::filesystem::path& file, const GraphOptions& options = {});

}  // namespace wengert
