#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>
#include <wengert/models/text/tokenizer.hpp>

/// The door to libsentencepiece (Kudo and Richardson 2018, arXiv:1808.06226): sentencepiece.cpp, or, in a build without
/// it, without_sentencepiece.cpp, where everything but is_built() throws ValueError.
namespace wengert::subwords {

/// Whether there is a libsentencepiece.
bool is_built();
/// Throws ValueError, which says what to install, if there is none.
void require_built();

/// A part of words, and how much it is preferred: for a unigram model the logarithm of its probability, for byte pairs
/// minus the number of merges before its own.
struct Piece {
    std::string text;
    double score;
};

/// Trains a model on texts in which single spaces separate words, at least one of them not empty. Returns it as
/// libsentencepiece writes it. Throws ValueError if the size does not fit the texts.
std::string train(std::span<const std::string> texts, const SubwordOptions& options);

class Model {
  public:
    /// Reads what train() returned. Throws ValueError with libsentencepiece's reason.
    explicit Model(std::string_view serialized);
    ~Model();
    Model(Model&&) noexcept;

    /// The pieces of a text in which single spaces separate words. A `▁` stands before each word, the first too. A
    /// character that has no piece is its bytes: <0xE6> <0x88> <0x91>.
    Sentence encode(std::string_view text) const;
    /// All pieces that were learned, in the order of the model.
    std::vector<Piece> learned() const;

    /// Whether what has no piece is bytes.
    bool has_bytes() const;

  private:
    struct Library;
    std::unique_ptr<Library> library_;
};

}  // namespace wengert::subwords
