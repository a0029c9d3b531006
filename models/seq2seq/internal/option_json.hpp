#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/seq2seq/option.hpp>

namespace wengert {

/// Writes described options into a JSON object: options.describe(OptionWriter{json}).
struct OptionWriter {
    nlohmann::ordered_json& json;

    void operator()(const OptionText& text, const auto& value, const auto&...) const { json[text.name] = value; }
    template <class Enum, std::size_t n>
    void operator()(const OptionText& text, const Enum& value, const std::array<Choice<Enum>, n>& choices) const {
        json[text.name] = name_of(choices, value);
    }
};

/// A JSON object, whose settings are read with a check of their kind and range. Throws FileError that names the file,
/// the setting and what it is; ValueError if there is no file.
class Settings {
  public:
    explicit Settings(const nlohmann::json& values, std::filesystem::path file = {})
        : values_(values), file_(std::move(file)) {
        if (!values.is_object()) fail("a JSON object is expected in place of " + values.dump());
    }

    bool contains(std::string_view name) const { return values_.contains(name); }
    const nlohmann::json& at(std::string_view name) const {
        const auto found = values_.find(name);
        if (found == values_.end()) fail(fmt::format("\"{}\" is missing", name));
        return *found;
    }
    template <std::integral T>
    T number(std::string_view name, Bounds<T> range) const {
        const nlohmann::json& value = at(name);
        const bool is_huge = value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX;
        if (!value.is_number_integer() || is_huge || value.get<std::int64_t>() < std::int64_t{range.least} ||
            value.get<std::int64_t>() > std::int64_t{range.greatest})
            fail(fmt::format("\"{}\" is {}, not an integer in [{}, {}]", name, value.dump(), range.least,
                             range.greatest));
        return value.get<T>();
    }
    double number(std::string_view name, Bounds<double> range) const {
        const nlohmann::json& value = at(name);
        if (!value.is_number() || !range.contains(value.get<double>()))
            fail(
                fmt::format("\"{}\" is {}, not a number in [{}, {}]", name, value.dump(), range.least, range.greatest));
        return value.get<double>();
    }
    bool flag(std::string_view name) const {
        const nlohmann::json& value = at(name);
        if (!value.is_boolean()) fail(fmt::format("\"{}\" is {}, not true or false", name, value.dump()));
        return value.get<bool>();
    }
    std::string text(std::string_view name) const {
        const nlohmann::json& value = at(name);
        if (!value.is_string()) fail(fmt::format("\"{}\" is {}, not a text", name, value.dump()));
        return value.get<std::string>();
    }
    /// Refuses a setting of another name.
    void require_known(const std::vector<std::string_view>& names) const {
        for (const auto& [key, value] : values_.items())
            if (std::ranges::find(names, key) == names.end()) fail(fmt::format("\"{}\" is unknown", key));
    }
    [[noreturn]] void fail(std::string_view reason) const {
        if (file_.empty()) throw ValueError(std::string(reason));
        throw FileError(fmt::format("{}: {}", file_.string(), reason));
    }

  private:
    const nlohmann::json& values_;
    const std::filesystem::path file_;
};

/// Reads described options: options.describe(OptionReader{settings, names}). What the object does not have keeps its
/// value: an older version of a file may not have known it.
struct OptionReader {
    const Settings& settings;
    std::vector<std::string_view>& names;  ///< gets those of all options

    template <class T>
    void operator()(const OptionText& text, T& value, const Bounds<T>& range) const {
        names.push_back(text.name);
        if (settings.contains(text.name)) value = settings.number(text.name, range);
    }
    void operator()(const OptionText& text, bool& value) const {
        names.push_back(text.name);
        if (settings.contains(text.name)) value = settings.flag(text.name);
    }
    template <class Enum, std::size_t n>
    void operator()(const OptionText& text, Enum& value, const std::array<Choice<Enum>, n>& choices) const {
        names.push_back(text.name);
        if (!settings.contains(text.name)) return;
        const std::string name = settings.text(text.name);
        const auto found = std::ranges::find(choices, name, &Choice<Enum>::name);
        if (found == choices.end()) settings.fail(fmt::format("\"{}\" is \"{}\", which is unknown", text.name, name));
        value = found->value;
    }
};

}  // namespace wengert
