#include "configuration_file.hpp"

#include <fmt/format.h>

#include <iterator>
#include <sstream>
#include <string>

namespace wengert::program {
namespace {

/// Throws unless each list ends. What stands in one goes on over lines, as CLI11 has it.
void require_ends_of_lists(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t equals = line.find('=');
        const std::string trimmed = CLI::detail::trim_copy(line);
        if (equals == line.npos || trimmed.front() == '#' || trimmed.front() == ';') continue;
        const std::string name = CLI::detail::trim_copy(line.substr(0, equals));
        std::string value = line.substr(equals + 1);
        value = CLI::detail::trim_copy(value.substr(0, value.find('#')));
        if (value.size() < 2 || value.front() != '[') continue;
        while (value.empty() || value.back() != ']') {
            if (!std::getline(lines, value)) throw CLI::ConfigError(fmt::format("the list of {} has no ]", name));
            CLI::detail::trim(value);
        }
    }
}

}  // namespace

std::vector<CLI::ConfigItem> ConfigurationFile::from_config(std::istream& input) const {
    const std::string text(std::istreambuf_iterator<char>(input), {});
    require_ends_of_lists(text);
    std::istringstream again(text);
    std::vector<CLI::ConfigItem> items = CLI::ConfigTOML::from_config(again);
    for (const CLI::ConfigItem& item : items) {
        const bool is_section = item.name == "++" || item.name == "--";
        if (!is_section && item.inputs.empty()) throw CLI::ConfigError(fmt::format("{} has no value", item.fullname()));
    }
    return items;
}

}  // namespace wengert::program
