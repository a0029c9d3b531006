#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>
#include <wengert/models/text/tokenizer.hpp>

/// How large a vocabulary gets.
namespace WENGERT_EXPORT wengert {

struct VocabularyOptions {
    std::int64_t max_size = 5000;  ///< ids in all, the four special ones included
    std::int64_t min_count = 1;    ///< a token seen less often is unknown
};

/// Tokens and their ids. Ids 0 to 3 are special: padding, start and end of a sentence, unknown token.
class Vocabulary {
  public:
    static constexpr std::int64_t pad = 0, start = 1, end = 2, unknown = 3;  ///< the ids of the special tokens
    /// The special tokens, by their ids.
    static constexpr std::array<std::string_view, 4> specials = {"<pad>", "<s>", "</s>", "<unk>"};

    /// The most frequent tokens, most frequent first and equally frequent ones in code point order. Throws ValueError
    /// if the options leave no token at all.
    static Vocabulary build(std::span<const Sentence> sentences, const VocabularyOptions& options = {});

    /// These tokens in their order, after the special ones. Of Tokenizer::pieces() it is a vocabulary to which no text
    /// is unknown. Throws ValueError if a token is repeated, empty or not UTF-8, or has a line break.
    static Vocabulary of(std::span<const std::string> tokens);

    /// Reads what `save` wrote. Throws FileError: `file:line: reason` if the first lines are not the special tokens or
    /// a line is empty, repeated or not UTF-8, the system's reason if the file cannot be read.
    static Vocabulary load(const std::filesystem::path& path);

    /// Writes one token a line in the order of their ids, as plain UTF-8. Throws FileError if the file cannot be
    /// written.
    void save(const std::filesystem::path& path) const;

    /// How many tokens there are, the special ones included.
    std::int64_t size() const { return static_cast<std::int64_t>(tokens_.size()); }

    /// `unknown` for a token that is not here.
    std::int64_t id(std::string_view token) const;
    /// Throws ValueError for an id outside [0, size).
    const std::string& token(std::int64_t id) const;

    /// Whether both have the same tokens under the same ids.
    bool operator==(const Vocabulary& other) const { return tokens_ == other.tokens_; }
    /// A number that tells these tokens, in their order, from others; see Fingerprint.
    std::int64_t fingerprint() const;

    /// One id for each token, no start or end.
    std::vector<std::int64_t> encode(std::span<const std::string> tokens) const;
    /// The tokens up to the first `end`, without padding and start; unknown ones read `<unk>`. Throws ValueError for an
    /// id outside [0, size).
    Sentence decode(std::span<const std::int64_t> ids) const;

  private:
    Vocabulary() = default;

    /// Appends a token, or returns why it cannot be one.
    std::optional<std::string> add(std::string token);

    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view token) const { return std::hash<std::string_view>()(token); }
    };

    std::vector<std::string> tokens_;
    std::unordered_map<std::string, std::int64_t, Hash, std::equal_to<>> ids_;
};

}  // namespace wengert
