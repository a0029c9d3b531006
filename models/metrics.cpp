#include <fmt/format.h>

#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/metrics.hpp>

namespace wengert {

double exact_match(std::span<const std::vector<std::string>> hypotheses,
                   std::span<const std::vector<std::string>> references) {
    if (hypotheses.size() != references.size())
        throw ValueError(
            fmt::format("exact_match: {} hypotheses, but {} references", hypotheses.size(), references.size()));
    if (hypotheses.empty()) throw ValueError("exact_match: no sentences");
    std::size_t equal = 0;
    for (std::size_t i = 0; i < hypotheses.size(); ++i) equal += hypotheses[i] == references[i];
    return static_cast<double>(equal) / static_cast<double>(hypotheses.size());
}

}  // namespace wengert
