// Trains a translator, translates with it, measures it, draws it and proves its gradients:
// see `seq2seq --help` and `seq2seq VERB --help`.

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <new>
#include <string>
#include <string_view>

#include "command_line.hpp"

namespace {

constexpr int failure = 1, misuse = 2;

/// An error in one line: what, where and the line of the program stand behind one another.
std::string one_line(std::string_view text) {
    std::string line;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view part = text.substr(0, end);
        part.remove_prefix(std::min(part.find_first_not_of(" \t\r"), part.size()));
        if (!line.empty() && !part.empty()) line += "; ";
        line += part;
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
    }
    return line;
}

int fail(int code, std::string_view text) {
    fmt::print(stderr, "{}: {}\n", program_invocation_short_name, one_line(text));
    return code;
}

int run(int argc, char** argv) {
    try {
        return wengert::program::run_command({argv, argv + argc});
    } catch (const wengert::program::Misuse& error) {
        return fail(misuse, error.what());
    } catch (const std::bad_alloc&) {
        return fail(failure, "out of memory");
    } catch (const std::exception& error) {
        return fail(failure, error.what());
    }
}

}  // namespace

int main(int argc, char** argv) {
    const int code = run(argc, argv);
    const bool is_written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
    if (code != 0 || is_written) return code;
    return fail(failure, "standard output cannot be written");
}
