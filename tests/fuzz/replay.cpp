// Mirrors no file: it hands every input of the corpora to its target, as it is, cut off and with bits that are flipped.
// What the fuzzer once found stays found, without the fuzzer.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "all_targets.hpp"

namespace {

using wengert::fuzz::all_targets;
using wengert::fuzz::NamedTarget;

/// So many places of an input are cut at, and so many bits flipped, or all that there are.
constexpr std::size_t most_places = 48;

struct Watched {
    int signal;
    struct sigaction before = {};
};
Watched watched_signals[]{{SIGSEGV}, {SIGBUS}, {SIGFPE}, {SIGILL}, {SIGABRT}};

/// Of the input that is being read.
std::string current;

/// Says which input a target did not survive, and lets the signal do what it did before, as a sanitizer wants it.
void say_current(int signal) {
    const std::string line = current + ": the program ends\n";
    static_cast<void>(!write(STDERR_FILENO, line.data(), line.size()));
    for (const Watched& watched : watched_signals)
        if (watched.signal == signal) sigaction(signal, &watched.before, nullptr);
}

int faults = 0;
long inputs = 0;

void feed(const NamedTarget& target, const std::string& what, const std::string& bytes) {
    ++inputs;
    current = fmt::format("{}: {}", target.name, what);
    try {
        // A copy of its own size, so that a sanitizer sees what is read behind it.
        const std::vector<std::uint8_t> exact(bytes.begin(), bytes.end());
        target.run(exact.data(), exact.size());
    } catch (const std::exception& error) {
        ++faults;
        fmt::print(stderr, "{}: {}\n", current, error.what());
    }
}

void feed_variants(const NamedTarget& target, const std::string& name, const std::string& bytes) {
    feed(target, name, bytes);
    const std::size_t places = std::min(bytes.size(), most_places);
    for (std::size_t i = 0; i < places; ++i) {
        const std::size_t at = i * bytes.size() / places;
        feed(target, fmt::format("{}, the first {} bytes", name, at), bytes.substr(0, at));
        std::string flipped = bytes;
        flipped[at] = static_cast<char>(flipped[at] ^ (1 << (i % 8)));
        feed(target, fmt::format("{}, bit {} of byte {} flipped", name, i % 8, at), flipped);
    }
}

std::string read_all(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

/// replay CORPORA: a folder for each target.
int main(int argc, char** argv) {
    if (argc != 2) return 2;
    std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
    for (Watched& watched : watched_signals) {
        struct sigaction action = {};
        action.sa_handler = say_current;
        sigaction(watched.signal, &action, &watched.before);
    }
    for (const NamedTarget& target : all_targets) {
        const std::filesystem::path folder = std::filesystem::path(argv[1]) / target.name;
        const long before = inputs;
        feed(target, "no bytes", "");
        std::vector<std::filesystem::path> files;
        if (std::filesystem::is_directory(folder))
            for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry.path());
        std::ranges::sort(files);
        for (const std::filesystem::path& file : files) feed_variants(target, file.filename().string(), read_all(file));
        if (files.empty()) {
            ++faults;
            fmt::print(stderr, "{}: there is no corpus in {}\n", target.name, folder.string());
        }
        fmt::print("{}: {} inputs of {} files\n", target.name, inputs - before, files.size());
    }
    fmt::print("{} inputs of {} targets, {} faults\n", inputs, std::size(all_targets), faults);
    return faults == 0 ? 0 : 1;
}
