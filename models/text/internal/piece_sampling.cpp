#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>
#include <wengert/models/text/internal/piece_sampling.hpp>
#include <wengert/models/text/internal/splitter.hpp>
#include <wengert/ops/random/random.hpp>

namespace wengert::subwords {

namespace {

/// How far a character without a piece scores below the worst piece, as libsentencepiece has it.
constexpr double unknown_penalty = 10;

std::size_t bytes_of_code_point(char first) {
    const auto byte = static_cast<unsigned char>(first);
    return byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

std::vector<std::string_view> code_points(std::string_view text) {
    std::vector<std::string_view> result;
    while (!text.empty()) {
        result.push_back(text.substr(0, bytes_of_code_point(text.front())));
        text.remove_prefix(result.back().size());
    }
    return result;
}

/// Two views side by side as one.
std::string_view joined(std::string_view left, std::string_view right) {
    return {left.data(), left.size() + right.size()};
}

void merge_word(const PieceTable& table, std::string_view word, double dropout, Generator& generator,
                Sentence& tokens) {
    std::vector<std::string_view> parts = code_points(word);
    std::vector<std::optional<double>> merges(parts.size() - 1);  // the score of parts i and i + 1 as one
    const auto look_up = [&](std::size_t i) { merges[i] = table.score(joined(parts[i], parts[i + 1])); };
    for (std::size_t i = 0; i < merges.size(); ++i) look_up(i);
    for (;;) {
        std::optional<std::size_t> best;
        for (std::size_t i = 0; i < merges.size(); ++i) {
            if (!merges[i] || (dropout > 0 && generator.uniform() < dropout)) continue;
            if (!best || *merges[i] > *merges[*best]) best = i;
        }
        if (!best) break;
        const std::size_t i = *best;
        parts[i] = joined(parts[i], parts[i + 1]);
        parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        merges.erase(merges.begin() + static_cast<std::ptrdiff_t>(i));
        if (i > 0) look_up(i - 1);
        if (i < merges.size()) look_up(i);
    }
    tokens.insert(tokens.end(), parts.begin(), parts.end());
}

}  // namespace

PieceTable::PieceTable(std::span<const Piece> pieces) {
    for (const Piece& piece : pieces) {
        scores_.emplace(piece.text, piece.score);
        longest_ = std::max(longest_, piece.text.size());
        lowest_ = std::min(lowest_, piece.score);
    }
}

std::optional<double> PieceTable::score(std::string_view text) const {
    const auto found = scores_.find(text);
    return found == scores_.end() ? std::nullopt : std::optional(found->second);
}

Sentence merge_with_dropout(const PieceTable& table, std::string_view text, double dropout, Generator& generator) {
    Sentence tokens;
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(space_mark, space_mark.size()));
        merge_word(table, word, dropout, generator, tokens);
        text.remove_prefix(word.size());
    }
    return tokens;
}

Sentence sample_pieces(const PieceTable& table, std::string_view text, double alpha, Generator& generator) {
    struct Edge {
        std::size_t from;
        double weight;
    };
    const std::vector<std::string_view> characters = code_points(text);
    const std::size_t count = characters.size();
    const double unknown = alpha * (table.lowest() - unknown_penalty);
    std::vector<std::vector<Edge>> edges(count + 1);  // by the place where they end
    std::vector<double> sums(count + 1);              // the logarithm of the sum over all ways that end there
    for (std::size_t from = 0; from < count; ++from) {
        std::string_view piece = characters[from];
        bool is_known = false;
        for (std::size_t to = from + 1; piece.size() <= table.longest(); ++to) {
            if (const auto score = table.score(piece)) {
                edges[to].push_back({from, alpha * *score});
                is_known = is_known || to == from + 1;
            }
            if (to == count) break;
            piece = joined(piece, characters[to]);
        }
        if (!is_known) edges[from + 1].push_back({from, unknown});

        // All edges that end at from + 1 are known now.
        double highest = -std::numeric_limits<double>::infinity(), sum = 0;
        for (const Edge& edge : edges[from + 1]) highest = std::max(highest, sums[edge.from] + edge.weight);
        for (const Edge& edge : edges[from + 1]) sum += std::exp(sums[edge.from] + edge.weight - highest);
        sums[from + 1] = highest + std::log(sum);
    }

    Sentence tokens;
    for (std::size_t to = count; to > 0;) {
        double left = generator.uniform();
        std::size_t from = edges[to].back().from;
        for (const Edge& edge : edges[to]) {
            left -= std::exp(sums[edge.from] + edge.weight - sums[to]);
            if (left >= 0) continue;
            from = edge.from;
            break;
        }
        const char* const end = to < count ? characters[to].data() : text.data() + text.size();
        tokens.emplace_back(characters[from].data(), end);
        to = from;
    }
    std::ranges::reverse(tokens);
    return tokens;
}

}  // namespace wengert::subwords
