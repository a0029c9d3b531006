#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <wengert/autograd/tensor/error.hpp>

/// How an option is described: once, beside its member. Flags of a command line, configuration files, checkpoints and
/// documents follow from it:
///
///     struct Options {
///         std::int64_t hidden = 1024;
///         Cell cell = Cell::gru;
///         void describe(auto&& f) {
///             f(OptionText{"hidden", "Features of a state"}, hidden, Bounds<std::int64_t>{1, 1000000});
///             f(OptionText{"cell", "The recurrent cell"}, cell, cell_names);
///         }
///     };
///
/// A reader of descriptions has a call operator for each kind: numbers with Bounds, flags (bool), and choices.
namespace WENGERT_EXPORT wengert {

/// What an option is called, and what it means.
struct OptionText {
    std::string_view name;     ///< as a file has it, "label_smoothing"; a flag has hyphens
    std::string_view meaning;  ///< begins with a capital and has no full stop
};

/// "--label-smoothing"
inline std::string flag_of(const OptionText& text) {
    std::string flag = fmt::format("--{}", text.name);
    std::ranges::replace(flag, '_', '-');
    return flag;
}

/// The numbers that an option may have, both ends included.
template <class T>
struct Bounds {
    T least, greatest;  ///< both may be had
    /// Whether an option may have that value.
    bool contains(T value) const { return value >= least && value <= greatest; }
};

/// One value of an option that is a choice.
template <class Enum>
struct Choice {
    std::string_view name;  ///< as flags and files have it
    Enum value;             ///< what the program gets
};

/// The name of a choice.
template <class Enum, std::size_t n>
std::string_view name_of(const std::array<Choice<Enum>, n>& choices, Enum value) {
    return std::ranges::find(choices, value, &Choice<Enum>::value)->name;
}

/// Throws ValueError for a number outside its bounds: options.describe(OptionChecker{"search"}).
struct OptionChecker {
    std::string_view subject;  ///< what errors call the options: "search"

    /// A number: throws ValueError unless it is within its bounds.
    template <class T>
    void operator()(const OptionText& text, const T& value, const Bounds<T>& bounds) const {
        if (!bounds.contains(value))
            throw ValueError(fmt::format("{}: {} is {}, outside [{}, {}]", subject, text.name, value, bounds.least,
                                         bounds.greatest));
    }
    /// A flag or a choice: always right.
    void operator()(const OptionText&, const auto&, const auto&...) const {}
};

/// Names and values as text, in the order of the descriptions: options.describe(texts).
using OptionList = std::vector<std::pair<std::string_view, std::string>>;
/// Collects what options describe.
struct OptionTexts {
    OptionList list;  ///< in the order of describe()

    /// A number or a flag.
    void operator()(const OptionText& text, const auto& value, const auto&...) {
        list.emplace_back(text.name, fmt::format("{}", value));
    }
    /// A choice, by its name.
    template <class Enum, std::size_t n>
    void operator()(const OptionText& text, const Enum& value, const std::array<Choice<Enum>, n>& choices) {
        list.emplace_back(text.name, name_of(choices, value));
    }
};
/// The options with their values as text, in the order of describe().
template <class Options>
OptionList option_texts(Options options) {
    OptionTexts texts;
    options.describe(texts);
    return texts.list;
}

/// Of any option that counts features.
inline constexpr std::int64_t most_features = 1'000'000;

}  // namespace wengert
