#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/text/internal/piece_sampling.hpp>
#include <wengert/models/text/internal/sentencepiece.hpp>
#include <wengert/models/text/internal/subwords.hpp>
#include <wengert/models/text/unicode.hpp>
#include <wengert/models/text/vocabulary.hpp>

namespace wengert {

namespace {

constexpr std::string_view replacement_text = "\uFFFD";

/// Characters that mean something else to the model, and control characters, which no text has, in their place: the
/// mark of a space, what libsentencepiece trains with in place of rare characters, and the `<` of reserved names.
constexpr std::array<std::pair<std::string_view, char>, 3> stand_ins = {
    {{space_mark, '\x01'}, {"▅", '\x02'}, {"<", '\x03'}}};
constexpr std::string_view byte_prefix = "<0x";

/// Whether a text could be taken for a special token of a vocabulary or for a byte.
bool starts_reserved(std::string_view text) {
    if (text.starts_with(byte_prefix)) return true;
    for (const std::string_view name : Vocabulary::specials)
        if (text.starts_with(name)) return true;
    return false;
}

/// The text with single spaces between words, and stand-ins.
std::string protect(std::string_view text) {
    std::string spaced;
    bool pending_space = false;
    for (const Character& c : characters(text)) {
        if (c.kind == CharacterClass::space) {
            pending_space = !spaced.empty();
            continue;
        }
        if (std::exchange(pending_space, false)) spaced += ' ';
        spaced += c.text;
    }
    std::string result;
    for (std::string_view rest = spaced; !rest.empty();) {
        std::size_t taken = 1;
        char put = rest.front();
        for (const auto& [original, stand_in] : stand_ins) {
            if (!rest.starts_with(original) || (original == "<" && !starts_reserved(rest))) continue;
            put = stand_in;
            taken = original.size();
        }
        result += put;
        rest.remove_prefix(taken);
    }
    return result;
}

/// The byte that a token such as <0xE6> stands for.
std::optional<char> byte_of(std::string_view token) {
    static constexpr std::string_view digits = "0123456789ABCDEF";
    if (token.size() != 6 || !token.starts_with(byte_prefix) || token.back() != '>') return std::nullopt;
    const std::size_t high = digits.find(token[3]), low = digits.find(token[4]);
    if (high == digits.npos || low == digits.npos) return std::nullopt;
    return static_cast<char>(high * 16 + low);
}

void append_bytes(std::string_view text, Sentence& tokens) {
    for (const char c : text) tokens.push_back(fmt::format("<0x{:02X}>", static_cast<unsigned char>(c)));
}

/// Undoes stand-ins; a byte that is no text becomes U+FFFD.
std::string restore(std::string_view text) {
    std::string restored;
    for (const char c : text) {
        const auto stand_in = std::ranges::find(stand_ins, c, &std::pair<std::string_view, char>::second);
        if (stand_in != stand_ins.end()) {
            restored += stand_in->first;
        } else if (static_cast<unsigned char>(c) < 0x20 || c == '\x7F') {
            restored += replacement_text;
        } else {
            restored += c;
        }
    }
    std::string valid;
    std::string_view rest = restored;
    while (const auto byte = find_invalid_utf8(rest)) {
        valid += rest.substr(0, *byte);
        valid += replacement_text;
        rest.remove_prefix(*byte + 1);
    }
    return valid.append(rest);
}

std::string_view name_of(SubwordModel model) { return model == SubwordModel::bpe ? "bpe" : "unigram"; }

/// FNV-1a.
std::uint64_t checksum(std::string_view bytes) {
    std::uint64_t sum = 0xCBF29CE484222325;
    for (const char c : bytes) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001B3;
    return sum;
}

constexpr std::string_view mark_begin = "wengert subwords ";

/// What ends a state: a field of the model's message, a protocol buffer, that other readers pass over (its number is
/// among those for extensions). It shows that the file is whole, and has what the message does not tell.
std::string mark(std::string_view model, SubwordModel type, bool lowercase) {
    const std::string text =
        fmt::format("{}1 {} {} {:016x}", mark_begin, name_of(type), lowercase ? "lowercase" : "cased", checksum(model));
    constexpr unsigned field = 1000, text_type = 2, tag = field << 3 | text_type;
    // Seven bits of a number in each byte, the lowest first; a length below 128 is one byte.
    const std::string head = {static_cast<char>(0x80 | (tag & 0x7F)), static_cast<char>(tag >> 7),
                              static_cast<char>(text.size())};
    return head + text;
}

class SubwordSplitter : public Splitter {
  public:
    /// `serialized` is a model as libsentencepiece writes it.
    SubwordSplitter(const std::string& serialized, SubwordModel type, bool lowercase)
        : type_(type),
          state_(serialized + mark(serialized, type, lowercase)),
          model_(serialized),
          has_bytes_(model_.has_bytes()),
          learned_(model_.learned()),
          table_(learned_) {}

    Sentence split(std::string_view text) const override {
        const std::string spaced = protect(text);
        return spaced.empty() ? Sentence() : model_.encode(spaced);
    }

    Sentence sample(std::string_view text, const Sampling& sampling, Generator& generator) const override {
        const bool is_bpe = type_ == SubwordModel::bpe;
        if (is_bpe && !(sampling.alpha >= 0 && sampling.alpha <= 1))
            throw ValueError(
                fmt::format("subwords: alpha, the dropout of byte pairs, is {}, outside [0, 1]", sampling.alpha));
        if (!is_bpe && !(sampling.alpha >= 0 && std::isfinite(sampling.alpha)))
            throw ValueError(fmt::format("subwords: alpha is {}, but must be finite and 0 or more", sampling.alpha));
        std::string marked;
        for (const char c : protect(text)) {
            if (marked.empty() || c == ' ') marked += space_mark;
            if (c != ' ') marked += c;
        }
        Sentence tokens;
        for (std::string& token : (is_bpe ? subwords::merge_with_dropout : subwords::sample_pieces)(
                 table_, marked, sampling.alpha, generator)) {
            if (!has_bytes_ || table_.score(token)) {
                tokens.push_back(std::move(token));
            } else {
                append_bytes(token, tokens);
            }
        }
        return tokens;
    }

    std::string join(std::span<const std::string> tokens) const override {
        std::string text;
        for (const std::string& token : tokens) {
            if (const auto byte = byte_of(token)) {
                text += *byte;
                continue;
            }
            for (std::string_view rest = token; !rest.empty();) {
                const bool is_space = rest.starts_with(space_mark);
                text += is_space ? ' ' : rest.front();
                rest.remove_prefix(is_space ? space_mark.size() : 1);
            }
        }
        return restore(text.starts_with(' ') ? std::string_view(text).substr(1) : text);
    }

    Sentence pieces() const override {
        Sentence all;
        for (int byte = 0; has_bytes_ && byte < 256; ++byte) append_bytes(std::string(1, static_cast<char>(byte)), all);
        for (const subwords::Piece& piece : learned_) all.push_back(piece.text);
        return all;
    }

    std::string_view state() const override { return state_; }

  private:
    SubwordModel type_;
    std::string state_;
    subwords::Model model_;
    bool has_bytes_;
    std::vector<subwords::Piece> learned_;
    subwords::PieceTable table_;
};

[[noreturn]] void refuse_state(const std::filesystem::path& path, std::string_view reason) {
    throw FileError(fmt::format("{}: {}", path.string(), reason));
}

/// A field of a message, which is a protocol buffer: a number or bytes.
struct Field {
    std::uint64_t name, number;
    std::string_view bytes;
};

std::optional<std::uint64_t> take_number(std::string_view& message) {
    std::uint64_t number = 0;
    for (unsigned shift = 0; shift < 64 && !message.empty(); shift += 7) {
        const auto byte = static_cast<unsigned char>(message.front());
        message.remove_prefix(1);
        number |= std::uint64_t{byte & 0x7Fu} << shift;
        if (byte < 0x80) return number;
    }
    return std::nullopt;
}

/// Takes the first field; none at the end, and where this is no message.
std::optional<Field> take_field(std::string_view& message) {
    const std::optional<std::uint64_t> tag = take_number(message);
    if (!tag) return std::nullopt;
    const std::uint64_t kind = *tag & 7;
    std::optional<std::uint64_t> value = kind == 1 ? 8 : kind == 5 ? 4 : take_number(message);
    if (!value || kind == 3 || kind == 4) return std::nullopt;
    if (kind == 0) return Field{*tag >> 3, *value, {}};
    if (*value > message.size()) return std::nullopt;
    const Field field{*tag >> 3, 0, message.substr(0, *value)};
    message.remove_prefix(*value);
    return field;
}

/// What the trainer's settings in a model of sentencepiece say its tokens are; none if it has no such settings.
std::optional<std::uint64_t> model_type(std::string_view model) {
    constexpr std::uint64_t trainer_settings = 2, type = 3, usual = 1;
    while (const std::optional<Field> field = take_field(model)) {
        if (field->name != trainer_settings) continue;
        std::string_view settings = field->bytes;
        while (const std::optional<Field> setting = take_field(settings))
            if (setting->name == type) return setting->number;
        return usual;
    }
    return std::nullopt;
}

std::string read_bytes(const std::filesystem::path& path) {
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    if (!file) refuse_state(path, "cannot be opened: " + std::generic_category().message(errno));
    std::string content;
    for (std::array<char, 65536> part; file;) {
        file.read(part.data(), part.size());
        content.append(part.data(), static_cast<std::size_t>(file.gcount()));
    }
    if (file.bad()) refuse_state(path, "cannot be read: " + std::generic_category().message(errno));
    return content;
}

void require_options(const SubwordOptions& options) {
    constexpr std::int64_t most = 1000000;
    if (options.vocabulary_size < 1 || options.vocabulary_size > most) {
        throw ValueError(
            fmt::format("subwords: vocabulary_size is {}, outside [1, {}]", options.vocabulary_size, most));
    }
    // A lower one would leave letters to bytes.
    constexpr double least_coverage = 0.98;
    if (!(options.character_coverage >= least_coverage && options.character_coverage <= 1)) {
        throw ValueError(fmt::format("subwords: character_coverage is {}, outside [{}, 1]", options.character_coverage,
                                     least_coverage));
    }
}

}  // namespace

std::shared_ptr<const Splitter> train_subwords(std::span<const std::string> texts, const SubwordOptions& options) {
    subwords::require_built();
    require_options(options);
    std::vector<std::string> spaced;
    for (const std::string& text : texts) {
        std::string line = protect(text);
        if (!line.empty()) spaced.push_back(std::move(line));
    }
    if (spaced.empty()) throw ValueError("subwords: there is no text to learn pieces from");
    return std::make_shared<SubwordSplitter>(subwords::train(spaced, options), options.model, options.lowercase);
}

std::shared_ptr<const Splitter> load_subwords(const std::filesystem::path& path, bool lowercase) {
    subwords::require_built();
    const std::string state = read_bytes(path);
    for (const SubwordModel type : {SubwordModel::bpe, SubwordModel::unigram}) {
        for (const bool is_lowercase : {true, false}) {
            const std::size_t length = mark({}, type, is_lowercase).size();
            if (state.size() < length) continue;
            const std::string_view model = std::string_view(state).substr(0, state.size() - length);
            if (std::string_view(state).substr(model.size()) != mark(model, type, is_lowercase)) continue;
            if (is_lowercase != lowercase) {
                refuse_state(path, fmt::format("has pieces of {} text, but the settings say lowercase = {}",
                                               is_lowercase ? "lower-case" : "cased", lowercase));
            }
            try {
                return std::make_shared<SubwordSplitter>(std::string(model), type, is_lowercase);
            } catch (const ValueError& error) {
                refuse_state(path, error.what());
            }
        }
    }
    refuse_state(path,
                 "is no whole file of subwords: its last bytes are not the mark of one, or do not fit the others");
}

std::shared_ptr<const Splitter> read_sentencepiece(const std::filesystem::path& path, bool lowercase) {
    subwords::require_built();
    const std::string model = read_bytes(path);
    // A state says more than the model, and whether it is whole.
    const std::size_t mark_at = model.rfind(mark_begin);
    if (mark_at != model.npos && model.size() - mark_at < 100) return load_subwords(path, lowercase);
    constexpr std::uint64_t unigram = 1, bpe = 2;
    const std::optional<std::uint64_t> type = model_type(model);
    if (!type) refuse_state(path, "is no whole model of sentencepiece");
    if (*type != unigram && *type != bpe)
        refuse_state(path, "is a model of sentencepiece whose tokens are no subwords, but words or characters");
    std::shared_ptr<const Splitter> splitter;
    try {
        splitter = std::make_shared<SubwordSplitter>(model, *type == bpe ? SubwordModel::bpe : SubwordModel::unigram,
                                                     lowercase);
    } catch (const ValueError& error) {
        refuse_state(path, error.what());
    }
    for (const std::string& piece : splitter->pieces())
        if (lowercase && !byte_of(piece) && normalize(piece, true) != normalize(piece, false))
            refuse_state(path,
                         fmt::format("has pieces with capitals, such as {}, but text is brought to lower case", piece));
    return splitter;
}

}  // namespace wengert
