#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>
#include <wengert/autograd/tensor/tensor.hpp>
#include <wengert/models/seq2seq/beam_tree.hpp>

namespace WENGERT_EXPORT wengert {

/// What each word of a translation looked at.
struct AttentionMap {
    std::vector<std::string> source, target;  ///< the words
    Tensor weights;                           ///< [target, source], float32 or float64, each 0 to 1
    std::string title;                        ///< stands above; may be empty

    /// What is shown beside, of the same words: a head of several, a system of an ensemble.
    struct Part {
        std::string name;  ///< stands above
        Tensor weights;    ///< as those of the map
    };
    std::vector<Part> parts = {};  ///< none: the weights alone are shown
};

/// The maps, one below another, as an SVG picture that needs no other file: a column for each source word, a row for
/// each target word, darker cells for greater weights. A cell's tooltip says which words and the number; words show as
/// they are, except that what XML cannot hold (control characters, bytes that are no UTF-8) becomes U+FFFD. Parts stand
/// below their map, several in a row. Throws ShapeError if weights are not [target, source], ValueError if one is not
/// in [0, 1] (by more than rounding), DtypeError unless they are float32 or float64.
std::string to_svg(std::span<const AttentionMap> maps);

/// Writes that picture. Throws what to_svg() does, and FileError if the file cannot be written.
void write_svg(std::span<const AttentionMap> maps, const std::filesystem::path& file);

/// The maps as a JSON array, a map a line:
///
///     {"title": "...", "source": ["..."], "target": ["..."], "weights": [[0.1, ...], ...]}
///
/// with a row of weights for each target word, and "parts" of {"name", "weights"} if there are some. Bytes that are no
/// UTF-8 become U+FFFD. Throws what to_svg() does.
std::string to_json(std::span<const AttentionMap> maps);

/// The maps as a page for browsers that refers to no other file: a word under the pointer, or that has the focus, shows
/// by shades and numbers what it looked at, or what looked at it. Words run from right to left where their script does.
/// Parts stand beside one another, and one that is chosen is what words show. Below each map stands its tree, if there
/// are some. Throws what to_svg() does of both, and ValueError unless there are as many trees as maps, or none.
std::string to_html(std::span<const AttentionMap> maps, std::span<const BeamTree> trees = {});

/// Writes that page. Throws what to_html() does, and FileError if the file cannot be written.
void write_html(std::span<const AttentionMap> maps, const std::filesystem::path& file,
                std::span<const BeamTree> trees = {});

/// What that page is made with, for another page. The script has two functions of a map as to_json() writes it:
/// linesOf(map) makes the two lines of words, tableOf(map) a table of all weights at once.
struct AttentionView {
    std::string_view style, script;  ///< CSS and JavaScript
};
AttentionView attention_view();

}  // namespace wengert
