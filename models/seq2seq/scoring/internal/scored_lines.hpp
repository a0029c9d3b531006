#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wengert {

/// A hypothesis and what it is compared with, as code points.
struct ScoredLine {
    std::u32string hypothesis;
    std::vector<std::u32string> references;
};

/// The lines of a corpus: references[k][i] is the k-th reference of hypotheses[i]. Throws ValueError, with the name of
/// the score, if there are no hypotheses or no references, if there are not as many lines in each, and if a line is no
/// UTF-8.
std::vector<ScoredLine> scored_lines(std::string_view score, std::span<const std::string> hypotheses,
                                     std::span<const std::vector<std::string>> references);

/// The one line of a sentence score. Throws as `scored_lines` does.
ScoredLine scored_line(std::string_view score, const std::string& hypothesis, std::span<const std::string> references);

/// "nrefs:1|case:mixed|eff:no", with which every signature begins. Throws ValueError, with the name of the score, if
/// there are no references.
std::string signature_start(std::string_view score, std::size_t references, bool lowercase, bool effective_order);

}  // namespace wengert
