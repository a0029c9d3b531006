#include "misuse.hpp"

#include <fmt/format.h>

#include <utility>

#include "nearest_name.hpp"

namespace wengert::program {
namespace {

std::vector<std::string> names_of(const auto& options) {
    std::vector<std::string> names;
    for (const auto* const option : options) names.push_back(option->get_name());
    return names;
}

/// Of an option in a configuration file, "INI was not able to parse train.hiden": the nearest that its verb has.
std::string nearest_setting(const std::string& complaint, const CLI::App& app) {
    const std::string setting = complaint.substr(complaint.rfind(' ') + 1);
    const std::size_t dot = setting.find('.');
    for (const CLI::App* const verb : app.get_subcommands({}))
        if (verb->get_name() == setting.substr(0, dot) && dot != setting.npos)
            return nearest_name("--" + setting.substr(dot + 1), names_of(verb->get_options()));
    return "";
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
        const std::string nearest = nearest_name(name, names_of(std::as_const(*verbs[0]).get_options()));
        return fmt::format("{}: {} has no such option{} {}", name, verbs[0]->get_name(), nearest, usage);
    }
    if (verbs.empty()) {
        const std::vector<std::string> known = names_of(app.get_subcommands({}));
        for (std::size_t i = 0; i < words.size(); ++i) {
            const std::string nearest = words[i].starts_with('-') ? "" : nearest_name(words[i], known);
            if (!nearest.empty() || (i == 0 && !words[i].starts_with('-')))
                return fmt::format("there is no verb {}{} {}", words[i], nearest, usage);
        }
    }
    if (dynamic_cast<const CLI::ConfigError*>(&error) != nullptr)
        return fmt::format(
            "--config: {}{}; a file has [train], and below it options as train.toml of a model has them {}",
            error.what(), nearest_setting(error.what(), app), usage);
    return fmt::format("{} {}", error.what(), usage);
}

}  // namespace wengert::program
