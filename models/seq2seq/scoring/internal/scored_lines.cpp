#include <fmt/format.h>

#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/seq2seq/scoring/internal/code_points.hpp>
#include <wengert/models/seq2seq/scoring/internal/scored_lines.hpp>

namespace wengert {

namespace {

/// `name` says which text it is, for the error.
template <class Name>
std::u32string decode(std::string_view score, const std::string& text, const Name& name) {
    try {
        return to_code_points(text);
    } catch (const ValueError& error) {
        throw ValueError(fmt::format("{}: {}: {}", score, name(), error.what()));
    }
}

void require_references(std::string_view score, std::size_t count) {
    if (count == 0) throw ValueError(fmt::format("{}: there are no references", score));
}

}  // namespace

std::vector<ScoredLine> scored_lines(std::string_view score, std::span<const std::string> hypotheses,
                                     std::span<const std::vector<std::string>> references) {
    if (hypotheses.empty()) throw ValueError(fmt::format("{}: there are no hypotheses", score));
    require_references(score, references.size());
    for (std::size_t k = 0; k < references.size(); ++k) {
        if (references[k].size() != hypotheses.size())
            throw ValueError(fmt::format("{}: {} hypotheses, but {} lines of reference {}", score, hypotheses.size(),
                                         references[k].size(), k + 1));
    }
    std::vector<ScoredLine> lines(hypotheses.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
        lines[i].hypothesis = decode(score, hypotheses[i], [&] { return fmt::format("hypothesis {}", i + 1); });
        for (std::size_t k = 0; k < references.size(); ++k) {
            const auto name = [&] { return fmt::format("line {} of reference {}", i + 1, k + 1); };
            lines[i].references.push_back(decode(score, references[k][i], name));
        }
    }
    return lines;
}

ScoredLine scored_line(std::string_view score, const std::string& hypothesis, std::span<const std::string> references) {
    require_references(score, references.size());
    ScoredLine line{decode(score, hypothesis, [] { return "the hypothesis"; }), {}};
    for (std::size_t k = 0; k < references.size(); ++k)
        line.references.push_back(decode(score, references[k], [&] { return fmt::format("reference {}", k + 1); }));
    return line;
}

std::string signature_start(std::string_view score, std::size_t references, bool lowercase, bool effective_order) {
    require_references(score, references);
    return fmt::format("nrefs:{}|case:{}|eff:{}", references, lowercase ? "lc" : "mixed",
                       effective_order ? "yes" : "no");
}

}  // namespace wengert
