#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

/// What a small example reads from its command line.
struct Flag {
    std::string name;                                                                ///< "--steps"
    std::variant<int*, std::int64_t*, std::uint64_t*, double*, std::string*> value;  ///< with its default
    std::string meaning;                                                             ///< for --help
    double low = 0, high = 0;                                                        ///< what a number may be
    std::vector<std::string> choices = {};                                           ///< what a word may be
};

/// Reads the flags into what they point to. Ends the program after --help, and with 2 and a sentence if an argument is
/// wrong. From then on an error that nobody catches ends it with a sentence and 1. Compiled once: each program that
/// includes CLI11 takes seconds more to compile.
void read_flags(int argc, const char* const* argv, const std::string& purpose, const std::vector<Flag>& flags);
