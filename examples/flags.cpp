#include "flags.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <type_traits>

namespace {

std::string program;

/// The error that nobody caught, as a sentence, and the end of the program.
[[noreturn]] void end_with_sentence() {
    try {
        if (const std::exception_ptr error = std::current_exception()) std::rethrow_exception(error);
    } catch (const std::exception& error) {
        std::cerr << program << ": " << error.what() << std::endl;
    }
    std::fflush(stdout);
    std::_Exit(1);
}

}  // namespace

void read_flags(int argc, const char* const* argv, const std::string& purpose, const std::vector<Flag>& flags) {
    program = std::filesystem::path(argv[0]).filename();
    std::set_terminate(end_with_sentence);
    CLI::App app(purpose, program);
    for (const Flag& flag : flags)
        std::visit(
            [&](auto* value) {
                CLI::Option* const option = app.add_option(flag.name, *value, flag.meaning)->capture_default_str();
                if constexpr (std::is_same_v<decltype(value), std::string*>)
                    option->check(CLI::IsMember(flag.choices));
                else if constexpr (std::is_same_v<decltype(value), double*>)
                    option->check(CLI::Range(flag.low, flag.high));
                else
                    option->check(
                        CLI::Range(static_cast<std::int64_t>(flag.low), static_cast<std::int64_t>(flag.high)));
            },
            flag.value);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& help) {
        std::exit(app.exit(help));
    } catch (const CLI::ParseError& error) {
        std::cerr << program << ": " << error.what() << " (--help shows the usage)\n";
        std::exit(2);
    }
}
