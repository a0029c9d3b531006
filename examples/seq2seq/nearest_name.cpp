#include "nearest_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <string_view>
#include <tuple>
#include <utility>

namespace wengert::program {
namespace {

/// What is longer is no name that somebody mistyped, and its distance would take long.
constexpr std::size_t longest = 100;

/// How many letters it takes to make one word of the other.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= b.size(); ++j)
            diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])}));
    }
    return row.back();
}

}  // namespace

std::string nearest_name(const std::string& word, const std::vector<std::string>& names) {
    if (word.size() > longest) return "";
    const auto farness = [&](const std::string& name) {
        const auto same = std::ranges::mismatch(word, name).in1 - word.begin();
        return std::tuple(distance(word, name), -same);
    };
    const auto best = std::ranges::min_element(names, {}, farness);
    const bool is_near = best != names.end() && distance(word, *best) <= 1 + word.size() / 4;
    return is_near ? fmt::format(" (did you mean {}?)", *best) : "";
}

}  // namespace wengert::program
