#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <string>
#include <vector>
#include <wengert/models/seq2seq/option.hpp>

namespace wengert::program {

/// A number's option, whose range is checked but not part of the help.
template <class T>
CLI::Option* add_number(CLI::App& verb, const std::string& name, T& value, const Bounds<T>& range,
                        const std::string& what) {
    const auto refuse = [=](const std::string& text) {
        T number{};
        const char* const end = text.data() + text.size();
        const auto [rest, error] = std::from_chars(text.data(), end, number);
        if (error == std::errc() && rest == end && range.contains(number)) return std::string();
        return fmt::format("{} is not {} from {} to {}", text, std::is_integral_v<T> ? "a whole number" : "a number",
                           range.least, range.greatest);
    };
    CLI::Option* const option = verb.add_option(name, value, what);
    return option->type_name(std::is_integral_v<T> ? "N" : "X")->check(refuse)->take_last();
}

/// An option that is one of some names.
template <class T, std::size_t n>
CLI::Option* add_choice(CLI::App& verb, const std::string& name, T& value, const std::array<Choice<T>, n>& choices,
                        const std::string& what) {
    std::vector<std::string> names;
    for (const Choice<T>& choice : choices) names.emplace_back(choice.name);
    const auto choose = [&value, choices](const std::string& text) {
        value = std::ranges::find(choices, text, &Choice<T>::name)->value;
    };
    return verb.add_option_function<std::string>(name, choose, fmt::format("{}: {}", what, fmt::join(names, ", ")))
        ->type_name("NAME")
        ->check(CLI::IsMember(names).description(""))
        ->take_last()
        ->default_str(std::string(name_of(choices, value)));
}

/// Makes a flag of each described option: options.describe(OptionFlags{verb, "The model"}).
struct OptionFlags {
    CLI::App& verb;
    std::string group;

    template <class T>
    void operator()(const OptionText& text, T& value, const Bounds<T>& range) const {
        add_number(verb, flag_of(text), value, range, std::string(text.meaning))->group(group);
    }
    void operator()(const OptionText& text, bool& value) const {
        verb.add_flag(flag_of(text), value, std::string(text.meaning))->group(group);
    }
    template <class T, std::size_t n>
    void operator()(const OptionText& text, T& value, const std::array<Choice<T>, n>& choices) const {
        add_choice(verb, flag_of(text), value, choices, std::string(text.meaning))->group(group);
    }
};

}  // namespace wengert::program
