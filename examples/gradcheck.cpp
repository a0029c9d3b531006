/// Compares gradients with differences: of all ops, of all layers, and of the reference system node by node. Ends with
/// 1 if one is wrong, and with 2 if an argument is.
#include <CLI/CLI.hpp>
#include <cerrno>
#include <exception>
#include <iostream>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/version.hpp>

#include "seq2seq/gradient_checks.hpp"

int main(int argc, char** argv) {
    CLI::App app("Compares gradients with differences, in float64: all ops, all layers, the reference system's nodes.",
                 program_invocation_short_name);
    app.set_version_flag("--version", program_invocation_short_name + std::string(" (Wengert) ") + WENGERT_VERSION);
    wengert::program::GradcheckFlags flags;
    app.add_option("--op", flags.op, "Check the ops and functions of this name alone")->type_name("NAME");
    app.add_flag(
        "--json", flags.json,
        "Print {\"checks\": [{\"op\", \"input\", \"order\", \"error\", \"verdict\"}, ..]}, a row for each operand");
    const auto misused = [](const std::exception& error) {
        std::cerr << program_invocation_short_name << ": " << error.what() << " (--help shows the usage)\n";
        return 2;
    };
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& help) {
        return app.exit(help);
    } catch (const CLI::ParseError& error) {
        return misused(error);
    }
    try {
        return wengert::program::run_gradient_checks(flags) ? 0 : 1;
    } catch (const wengert::ValueError& error) {  // there is no such op
        return misused(error);
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
