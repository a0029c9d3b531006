#include "misuse.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

namespace wengert::program {
namespace {

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

/// " (did you mean X?)" of the name that is nearest to a word, of equally near ones that which begins like it; empty if
/// none is near.
std::string meant(const std::string& word, const std::vector<std::string>& names) {
    const auto farness = [&](const std::string& name) {
        const auto same = std::ranges::mismatch(word, name).in1 - word.begin();
        return std::tuple(distance(word, name), -same);
    };
    const auto best = std::ranges::min_element(names, {}, farness);
    const bool is_near = best != names.end() && distance(word, *best) <= 1 + word.size() / 4;
    return is_near ? fmt::format(" (did you mean {}?)", *best) : "";
}

std::vector<std::string> names_of(const auto& options) {
    std::vector<std::string> names;
    for (const auto* const option : options) names.push_back(option->get_name());
    return names;
}

}  // namespace

std::string explain(const CLI::ParseError& error, const CLI::App& app, const std::vector<std::string>& words) {
    constexpr std::string_view usage = "(--help shows the usage)";
    const std::vector<CLI::App*> verbs = app.get_subcommands();
    for (const std::string& word : words) {
        const std::string name = word.substr(0, word.find('='));
        const bool is_known = app.get_option_no_throw(name) != nullptr ||
                              (!verbs.empty() && verbs[0]->get_option_no_throw(name) != nullptr);
        if (verbs.empty() || !name.starts_with("--") || name == "--" || is_known) continue;
        const std::string nearest = meant(name, names_of(std::as_const(*verbs[0]).get_options()));
        return fmt::format("{}: {} has no such option{} {}", name, verbs[0]->get_name(), nearest, usage);
    }
    if (verbs.empty()) {
        const std::vector<std::string> known = names_of(app.get_subcommands({}));
        for (std::size_t i = 0; i < words.size(); ++i) {
            const std::string nearest = words[i].starts_with('-') ? "" : meant(words[i], known);
            if (!nearest.empty() || (i == 0 && !words[i].starts_with('-')))
                return fmt::format("there is no verb {}{} {}", words[i], nearest, usage);
        }
    }
    if (dynamic_cast<const CLI::ConfigError*>(&error) != nullptr)
        return fmt::format(
            "--config: {}; a file has [train], and below it options as train.toml of a model has them {}", error.what(),
            usage);
    return fmt::format("{} {}", error.what(), usage);
}

}  // namespace wengert::program
