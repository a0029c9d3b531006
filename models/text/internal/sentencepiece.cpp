#include <fmt/format.h>
#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <charconv>
#include <optional>
#include <unordered_map>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/text/internal/sentencepiece.hpp>
#include <wengert/models/text/internal/splitter.hpp>

namespace wengert::subwords {

namespace {

namespace library = ::sentencepiece;

/// The piece for what is unknown. Every character has its bytes, so that no text has it.
constexpr std::int64_t unknown_pieces = 1;
/// Threads share the sums of a unigram model's training among them: their number is a part of the result.
constexpr int threads = 4;
/// Bytes; the most that libsentencepiece takes.
constexpr std::int64_t longest_line = 1 << 30;
/// Bytes. The training of byte pairs has 15 bits for a place in a word, and longer words end the program.
constexpr std::size_t longest_word = 10000;

class TextIterator : public library::SentenceIterator {
  public:
    explicit TextIterator(std::span<const std::string> texts) : texts_(texts) {}

    bool done() const override { return at_ == texts_.size(); }
    void Next() override { ++at_; }
    const std::string& value() const override { return texts_[at_]; }
    library::util::Status status() const override { return {}; }

  private:
    std::span<const std::string> texts_;
    std::size_t at_ = 0;
};

/// The texts, where the rest of a word that is too long is a text of its own.
std::vector<std::string> with_short_words(std::span<const std::string> texts) {
    std::vector<std::string> result;
    for (const std::string& text : texts) {
        std::size_t line = 0, word = 0;
        for (std::size_t i = 0; i < text.size(); ++i) {
            const bool starts_character = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
            if (text[i] == ' ') word = i + 1;
            if (!starts_character || i - word < longest_word) continue;
            result.push_back(text.substr(line, i - line));
            line = word = i;
        }
        result.push_back(text.substr(line));
    }
    return result;
}

/// The number that follows `words` in a message.
std::optional<std::int64_t> number_after(std::string_view message, std::string_view words) {
    const std::size_t at = message.find(words);
    if (at == message.npos) return std::nullopt;
    std::int64_t number = 0;
    const char* const end = message.data() + message.size();
    const auto result = std::from_chars(message.data() + at + words.size(), end, number);
    return result.ec == std::errc() ? std::optional(number) : std::nullopt;
}

/// A library's message is the only place that says which sizes fit.
[[noreturn]] void refuse_training(std::string_view message, std::int64_t size) {
    if (const auto most = number_after(message, "value <= ")) {
        throw ValueError(fmt::format("subwords: vocabulary_size is {}, but this text has {} pieces at most", size,
                                     *most - unknown_pieces));
    }
    if (const auto least = number_after(message, fmt::format("{} vs ", size + unknown_pieces))) {
        throw ValueError(
            fmt::format("subwords: vocabulary_size is {}, but the bytes and the characters of this text "
                        "are {} pieces; a lower character_coverage needs fewer",
                        size, *least - unknown_pieces));
    }
    throw ValueError(fmt::format("subwords: training failed: {}", message));
}

}  // namespace

bool is_built() { return true; }
void require_built() {}

std::string train(std::span<const std::string> texts, const SubwordOptions& options) {
    const std::vector<std::string> short_words = with_short_words(texts);
    TextIterator iterator(short_words);
    std::string serialized;
    const std::unordered_map<std::string, std::string> settings = {
        {"model_type", options.model == SubwordModel::bpe ? "bpe" : "unigram"},
        {"vocab_size", std::to_string(options.vocabulary_size + unknown_pieces)},
        {"character_coverage", fmt::format("{}", options.character_coverage)},
        {"byte_fallback", "true"},
        {"required_chars", std::string(space_mark)},  // it is rare in text without spaces
        {"normalization_rule_name", "identity"},
        {"remove_extra_whitespaces", "false"},
        {"max_sentence_length", std::to_string(longest_line)},
        {"num_threads", std::to_string(threads)},
        {"unk_id", "0"},
        {"bos_id", "-1"},
        {"eos_id", "-1"},
        {"pad_id", "-1"},
        {"minloglevel", "3"}};
    const auto status = library::SentencePieceTrainer::Train(settings, &iterator, &serialized);
    if (!status.ok()) refuse_training(status.message(), options.vocabulary_size);
    return serialized;
}

struct Model::Library {
    library::SentencePieceProcessor processor;
};

Model::Model(std::string_view serialized) : library_(std::make_unique<Library>()) {
    const auto status = library_->processor.LoadFromSerializedProto(serialized);
    if (!status.ok()) throw ValueError(status.message());
}

Model::~Model() = default;
Model::Model(Model&&) noexcept = default;

Sentence Model::encode(std::string_view text) const {
    Sentence tokens;
    const auto status = library_->processor.Encode(text, &tokens);
    if (!status.ok()) throw ValueError(fmt::format("subwords: {}", status.message()));
    return tokens;
}

std::vector<Piece> Model::learned() const {
    std::vector<Piece> learned;
    const library::SentencePieceProcessor& processor = library_->processor;
    for (int id = 0; id < processor.GetPieceSize(); ++id) {
        if (processor.IsUnknown(id) || processor.IsControl(id) || processor.IsByte(id)) continue;
        learned.push_back({processor.IdToPiece(id), processor.GetScore(id)});
    }
    return learned;
}

bool Model::has_bytes() const {
    for (int id = 0; id < library_->processor.GetPieceSize(); ++id)
        if (library_->processor.IsByte(id)) return true;
    return false;
}

}  // namespace wengert::subwords
