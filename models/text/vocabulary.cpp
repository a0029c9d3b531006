#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/text/fingerprint.hpp>
#include <wengert/models/text/lines.hpp>
#include <wengert/models/text/unicode.hpp>
#include <wengert/models/text/vocabulary.hpp>

namespace wengert {

Vocabulary Vocabulary::build(std::span<const Sentence> sentences, const VocabularyOptions& options) {
    const auto special_count = static_cast<std::int64_t>(specials.size());
    if (options.max_size <= special_count) {
        throw ValueError(
            fmt::format("vocabulary: max_size is {}, but {} ids are special", options.max_size, special_count));
    }
    std::unordered_map<std::string, std::int64_t> counts;
    for (const Sentence& sentence : sentences) {
        for (const std::string& token : sentence) ++counts[token];
    }
    std::erase_if(counts, [&](const auto& entry) { return entry.second < options.min_count; });
    if (counts.empty())
        throw ValueError(fmt::format("vocabulary: no token occurs {} times or more", options.min_count));

    std::vector<std::pair<std::string, std::int64_t>> ranked(counts.begin(), counts.end());
    std::ranges::sort(ranked, [](const auto& a, const auto& b) {
        return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    ranked.resize(std::min(ranked.size(), static_cast<std::size_t>(options.max_size - special_count)));

    std::vector<std::string> tokens;
    for (auto& entry : ranked) tokens.push_back(std::move(entry.first));
    return of(tokens);
}

Vocabulary Vocabulary::of(std::span<const std::string> tokens) {
    Vocabulary vocabulary;
    const auto add = [&](std::string token) {
        if (const auto reason = vocabulary.add(std::move(token))) throw ValueError("vocabulary: " + *reason);
    };
    for (const std::string_view special : specials) add(std::string(special));
    for (const std::string& token : tokens) add(token);
    return vocabulary;
}

Vocabulary Vocabulary::load(const std::filesystem::path& path) {
    Vocabulary vocabulary;
    LineReader lines(path);
    for (std::string line; lines.next(line);) {
        if (const auto reason = vocabulary.add(std::move(line))) {
            throw FileError(fmt::format("{}: {}", lines.where(), *reason));
        }
    }
    if (vocabulary.tokens_.size() < specials.size()) {
        throw FileError(fmt::format("{}:{}: expected {}, found the end of the file", path.string(), lines.number() + 1,
                                    specials[vocabulary.tokens_.size()]));
    }
    return vocabulary;
}

void Vocabulary::save(const std::filesystem::path& path) const {
    errno = 0;
    std::ofstream file(path, std::ios::binary);
    for (const std::string& token : tokens_) file << token << '\n';
    file.close();
    if (!file) {
        throw FileError(
            fmt::format("{}: cannot be written: {}", path.string(), std::generic_category().message(errno)));
    }
}

std::int64_t Vocabulary::fingerprint() const {
    Fingerprint result;
    for (const std::string& token : tokens_) result.add(token).add("\n");
    return result.value();
}

std::int64_t Vocabulary::id(std::string_view token) const {
    const auto found = ids_.find(token);
    return found == ids_.end() ? unknown : found->second;
}

const std::string& Vocabulary::token(std::int64_t id) const {
    if (id < 0 || id >= size()) throw ValueError(fmt::format("vocabulary: id {} is not in [0, {})", id, size()));
    return tokens_[static_cast<std::size_t>(id)];
}

std::vector<std::int64_t> Vocabulary::encode(std::span<const std::string> tokens) const {
    std::vector<std::int64_t> ids;
    ids.reserve(tokens.size());
    for (const std::string& token : tokens) ids.push_back(id(token));
    return ids;
}

Sentence Vocabulary::decode(std::span<const std::int64_t> ids) const {
    Sentence tokens;
    for (const std::int64_t id : ids) {
        if (id == end) break;
        if (id != pad && id != start) tokens.push_back(token(id));
    }
    return tokens;
}

std::optional<std::string> Vocabulary::add(std::string token) {
    const std::size_t id = tokens_.size();
    if (id < specials.size() && token != specials[id]) return fmt::format("expected {}", specials[id]);
    if (token.empty()) return "empty token";
    if (const auto byte = find_invalid_utf8(token)) return fmt::format("invalid UTF-8 at byte {}", *byte);
    if (token.find_first_of("\r\n") != token.npos) return "token with a line break";
    const auto [entry, is_new] = ids_.emplace(token, static_cast<std::int64_t>(id));
    if (!is_new) return fmt::format("\"{}\" already has id {}", token, entry->second);
    tokens_.push_back(std::move(token));
    return std::nullopt;
}

}  // namespace wengert
