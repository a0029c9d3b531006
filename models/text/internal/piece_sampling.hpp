#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <wengert/models/text/internal/sentencepiece.hpp>

namespace wengert::subwords {

/// The scores of pieces, by their text.
class PieceTable {
  public:
    explicit PieceTable(std::span<const Piece> pieces);

    std::optional<double> score(std::string_view text) const;
    /// Bytes of the longest piece.
    std::size_t longest() const { return longest_; }
    /// The lowest score of a piece.
    double lowest() const { return lowest_; }

  private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
    };

    std::unordered_map<std::string, double, Hash, std::equal_to<>> scores_;
    std::size_t longest_ = 0;
    double lowest_ = 0;
};

/// Byte pairs with dropout (Provilkov et al. 2020, arXiv:1910.13267). From single characters on, the pair of neighbours
/// with the highest score is merged until no pair is a piece; each time each pair is passed over with the given
/// probability. With 0 this is what a model of byte pairs encodes, with 1 the characters. `text` is valid UTF-8 with
/// `▁` before each word. A character without a piece is a token by itself.
Sentence merge_with_dropout(const PieceTable& table, std::string_view text, double dropout, Generator& generator);

/// Subword regularisation (Kudo 2018, arXiv:1804.10959): one of all the ways to write the text in pieces, in proportion
/// to P(pieces)^alpha, where P is the product of the pieces' probabilities. Sums over all ways run forward from
/// character to character, and pieces are drawn backward. `text` is as above.
Sentence sample_pieces(const PieceTable& table, std::string_view text, double alpha, Generator& generator);

}  // namespace wengert::subwords
