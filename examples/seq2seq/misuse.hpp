#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace wengert::program {

/// What is wrong with a command line, in a sentence: a flag that does not exist is named first, with the one that was
/// probably meant.
std::string explain(const CLI::ParseError& error, const CLI::App& app, const std::vector<std::string>& words);

}  // namespace wengert::program
