#pragma once

#include <string>
#include <vector>

/// The words of a command line, before they are read.
namespace wengert::program {

/// The words as a line that a shell reads as these words.
std::string shell_line(const std::vector<std::string>& words);

/// The flags of a preset in front of those that are given, which win. Throws CLI::ValidationError if there is no such
/// preset.
std::vector<std::string> expand_preset(std::vector<std::string> words);

/// A training that goes on has the options of its directory, and those that are given beside. The words come in the
/// order in which CLI11 takes them, the last first. Throws FileError if the directory has none.
std::vector<std::string> with_configuration(std::vector<std::string> words);

}  // namespace wengert::program
