#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <type_traits>
#include <wengert/models/seq2seq/system.hpp>

#include "verbs.hpp"

namespace wengert::program {
namespace {

/// A row of a table for each described option: flag, default, range, meaning.
struct OptionRows {
    static void print(const OptionText& text, const std::string& usual, const std::string& range) {
        std::vector<std::string> readers, others;
        for (const SystemEntry& entry : all_systems())
            (std::ranges::find(entry.unread, text.name) == entry.unread.end() ? readers : others)
                .push_back(fmt::format("`{}`", entry.name));
        const std::string systems = others.empty() ? ""
                                    : others.size() < readers.size()
                                        ? fmt::format("; not of {}", fmt::join(others, ", "))
                                        : fmt::format("; of {}", fmt::join(readers, ", "));
        std::string meaning(text.meaning);
        if (meaning.starts_with('<')) meaning.insert(0, 1, '\\');
        fmt::print("| `{}` | {} | {} | {}{} |\n", flag_of(text), usual, range, meaning, systems);
    }

    template <class T>
    void operator()(const OptionText& text, const T& value, const Bounds<T>& range) const {
        const bool is_open = std::is_integral_v<T> && range.greatest == std::numeric_limits<T>::max();
        print(text, fmt::format("{}", value),
              is_open ? fmt::format("from {}", range.least) : fmt::format("{} to {}", range.least, range.greatest));
    }
    void operator()(const OptionText& text, const bool&) const { print(text, "", "a flag"); }
    template <class Enum, std::size_t n>
    void operator()(const OptionText& text, const Enum& value, const std::array<Choice<Enum>, n>& choices) const {
        std::string names;
        for (const Choice<Enum>& choice : choices)
            names += fmt::format("{}`{}`", names.empty() ? "" : ", ", choice.name);
        print(text, fmt::format("`{}`", name_of(choices, value)), names);
    }
};

template <class Options>
void print_table(std::string_view title) {
    fmt::print("\n## {}\n\n| option | default | values | meaning |\n| --- | --- | --- | --- |\n", title);
    Options().describe(OptionRows());
}

}  // namespace

void print_options() {
    fmt::print(
        "# Options of translation\n\n"
        "Written by `seq2seq options`. In a configuration file options stand without the first two hyphens. Which verb "
        "has which options, "
        "and the\n"
        "files that it reads and writes, `seq2seq VERB --help` says; what belongs together is in "
        "[translation.md](translation.md).\n");
    print_table<SystemOptions>("The model");
    print_table<TextOptions>("The text");
    print_table<TrainingOptions>("The training");
    print_table<RunOptions>("How a training is watched and kept");
    print_table<SearchOptions>("The search");
    print_table<ServeLimits>("What a server allows");
}

}  // namespace wengert::program
