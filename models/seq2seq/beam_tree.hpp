#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>
#include <wengert/autograd/tensor/export.hpp>

namespace WENGERT_EXPORT wengert {

/// The hypotheses that a search followed to find a translation.
struct BeamTree {
    /// A hypothesis with one token more than its parent.
    struct Node {
        std::int64_t parent;     ///< its place among the nodes; -1: none, the token is the first
        std::string token;       ///< as it is shown
        double log_probability;  ///< of the token, in nats
        double total;            ///< of all tokens so far
        std::int64_t rank = -1;  ///< the place of the hypothesis that is finished here, 0: the translation; -1: none is
        double score = 0;        ///< that hypothesis's
    };

    std::string title = {};        ///< stands above; may be empty
    std::vector<Node> nodes = {};  ///< a parent stands before its children
};

/// The trees, one below another, as an SVG picture that needs no other file: a column for each step, a token with its
/// hypothesis's log probability for each node. The way to the translation is dark and runs along the top, those to
/// other finished hypotheses have a blue edge and end with their score, and what found no place in the beam any more
/// ends with a cross. Text shows as to_svg() of attention maps has it. Throws ValueError if a parent does not stand
/// before its child, or a number is not finite.
std::string to_svg(std::span<const BeamTree> trees);

/// Writes that picture. Throws what to_svg() does, and FileError if the file cannot be written.
void write_svg(std::span<const BeamTree> trees, const std::filesystem::path& file);

/// The trees as a JSON array, a tree a line:
///
///     {"title": "...", "nodes": [{"parent": -1, "token": "...", "log_probability": -0.1, "total": -0.1}, ...]}
///
/// where a node that ends a finished hypothesis has its "rank" and "score", too. Bytes that are no UTF-8 become U+FFFD.
/// Throws what to_svg() does.
std::string to_json(std::span<const BeamTree> trees);

}  // namespace wengert
