#pragma once

#include <CLI/CLI.hpp>
#include <istream>
#include <vector>

namespace wengert::program {

/// A file of options in the form of TOML, as CLI11 reads it, but that a list without its end and an option without a
/// value are refused: CLI11 takes a part of the one, and reads before the beginning of the other.
class ConfigurationFile : public CLI::ConfigTOML {
  public:
    /// Throws CLI::ConfigError with a sentence.
    std::vector<CLI::ConfigItem> from_config(std::istream& input) const override;
};

}  // namespace wengert::program
