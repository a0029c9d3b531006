#include "command_words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iterator>
#include <sstream>
#include <wengert/autograd/tensor/error.hpp>

#include "presets.hpp"

namespace wengert::program {

std::string shell_line(const std::vector<std::string>& words) {
    constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=,:+%@";
    std::string line;
    for (const std::string& word : words) {
        if (!line.empty()) line += ' ';
        if (!word.empty() && word.find_first_not_of(plain) == word.npos) {
            line += word;
            continue;
        }
        line += '\'';
        for (const char c : word) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
        line += '\'';
    }
    return line;
}

std::vector<std::string> with_configuration(std::vector<std::string> words) {
    constexpr std::string_view flag = "--model";
    std::filesystem::path model;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == flag && i + 1 < words.size()) model = words[i + 1];
        if (words[i].starts_with(flag) && words[i].substr(flag.size()).starts_with('='))
            model = words[i].substr(flag.size() + 1);
    }
    if (std::ranges::find(words, "--resume") != words.end() && !model.empty()) {
        const std::filesystem::path file = model / "train.toml";
        std::error_code error, other;
        if (std::filesystem::exists(file, error))
            words.insert(words.begin(), {"--config", file.string()});
        else if (error || std::filesystem::exists(model, other))
            throw FileError(fmt::format("{}: {}; a training goes on with its options", file.string(),
                                        error ? error.message() : "does not exist"));
    }
    std::ranges::reverse(words);  // as CLI11 takes them
    return words;
}

std::vector<std::string> expand_preset(std::vector<std::string> words) {
    constexpr std::string_view flag = "--preset=";
    for (std::size_t i = 0; i < words.size(); ++i)
        if (words[i].starts_with(flag)) {
            words.insert(words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words[i].substr(flag.size()));
            words[i] = "--preset";
        }
    const auto found = std::ranges::find(words, "--preset");
    if (found == words.end() || found + 1 == words.end()) return words;
    const auto preset = std::ranges::find(presets, *(found + 1), &Preset::name);
    if (preset == presets.end()) {
        std::vector<std::string_view> names;
        for (const Preset& one : presets) names.push_back(one.name);
        throw CLI::ValidationError("--preset", fmt::format("{} not in {{{}}}", *(found + 1), fmt::join(names, ",")));
    }
    words.erase(found, found + 2);
    std::istringstream flags{std::string(preset->flags)};
    const std::vector<std::string> added{std::istream_iterator<std::string>(flags), {}};
    const auto verb = std::ranges::find(words, "train");
    words.insert(verb == words.end() ? verb : verb + 1, added.begin(), added.end());
    return words;
}

}  // namespace wengert::program
