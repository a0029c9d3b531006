#include "flags.hpp"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <type_traits>

void read_flags(int argc, const char* const* argv, const std::string& purpose, const std::vector<Flag>& flags) {
    const std::string name = std::filesystem::path(argv[0]).filename();
    CLI::App app(purpose, name);
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
        std::cerr << name << ": " << error.what() << " (--help shows the usage)\n";
        std::exit(2);
    }
}
