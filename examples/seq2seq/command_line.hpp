#pragma once

#include <string>
#include <vector>
#include <wengert/autograd/tensor/error.hpp>

namespace wengert::program {

/// A command line that is none, with a sentence that says why.
struct Misuse : Error {
    using Error::Error;
};

/// Reads a command line, whose first word is the program's name, and runs its verb. Returns what the program ends with:
/// 0, 1 if gradients are wrong, or 128 and the number of the signal that ended a training early. Throws Misuse, what
/// the verb throws, and FileError if the training that --resume names cannot go on.
int run_command(const std::vector<std::string>& line);

}  // namespace wengert::program
