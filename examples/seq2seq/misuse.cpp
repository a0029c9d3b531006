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

/// The flag of a verb that is nearest to a name, of equally near ones that which begins like it; empty if none is near.
std::string nearest_flag(const CLI::App& verb, const std::string& name) {
    const auto farness = [&](const std::string& flag) {
        const auto same = std::ranges::mismatch(name, flag).in1 - name.begin();
        return std::tuple(distance(name, flag), -same);
    };
    std::string best;
    for (const CLI::Option* option : verb.get_options()) {
        const std::string flag = option->get_name();
        if (best.empty() || farness(flag) < farness(best)) best = flag;
    }
    return distance(name, best) <= 1 + name.size() / 4 ? best : "";
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
        const std::string nearest = nearest_flag(std::as_const(*verbs[0]), name);
        const std::string meant = nearest.empty() ? "" : fmt::format(" (did you mean {}?)", nearest);
        return fmt::format("{}: {} has no such option{} {}", name, verbs[0]->get_name(), meant, usage);
    }
    if (dynamic_cast<const CLI::ConfigError*>(&error) != nullptr)
        return fmt::format(
            "--config: {}; a file has [train], and below it options as train.toml of a model has them {}", error.what(),
            usage);
    return fmt::format("{} {}", error.what(), usage);
}

}  // namespace wengert::program
