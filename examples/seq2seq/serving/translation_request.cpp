#include "translation_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <wengert/models/text/unicode.hpp>

#include "../nearest_name.hpp"

namespace wengert::program {
namespace {

using nlohmann::json;

/// Deeper than any request is; what is deeper could take the stack of whatever walks it.
constexpr int deepest = 8;

/// Refuses what the parser would let pass: great depth, and a field of the request that stands there twice.
class Watch {
  public:
    bool operator()(int depth, json::parse_event_t event, const json& parsed) {
        if (depth > deepest) throw ValueError(fmt::format("the body is nested more than {} deep", deepest));
        if (event == json::parse_event_t::key && depth == 1 && !keys_.insert(parsed.get<std::string>()).second)
            throw ValueError(fmt::format("\"{}\" is given twice", parsed.get<std::string>()));
        return true;
    }

  private:
    std::set<std::string> keys_;
};

json parse(std::string_view body) {
    if (const auto byte = find_invalid_utf8(body))
        throw ValueError(fmt::format("the body is not UTF-8: see byte {}", *byte));
    try {
        return json::parse(body, [watch = Watch()](int depth, json::parse_event_t event, const json& parsed) mutable {
            return watch(depth, event, parsed);
        });
    } catch (const json::parse_error& error) {
        throw ValueError(fmt::format("the body is not JSON: see byte {}", error.byte));
    } catch (const json::out_of_range&) {
        throw ValueError("the body has a number that is out of range");
    }
}

/// Takes a field that is there out of the request.
json take(json& fields, const char* name) {
    json value = std::move(fields.at(name));
    fields.erase(name);
    return value;
}

bool take_flag(json& fields, const char* name) {
    if (!fields.contains(name)) return false;
    const json value = take(fields, name);
    if (!value.is_boolean()) throw ValueError(fmt::format("\"{}\" is {}, not true or false", name, value.dump()));
    return value.get<bool>();
}

std::string take_text(json& fields, const char* name) {
    if (!fields.contains(name)) return {};
    const json value = take(fields, name);
    if (!value.is_string()) throw ValueError(fmt::format("\"{}\" is {}, not a text", name, value.dump()));
    return value.get<std::string>();
}

std::vector<std::string> texts_of(const json& text, const ServeLimits& limits) {
    if (text.is_string()) return {text.get<std::string>()};
    if (!text.is_array()) throw ValueError(fmt::format("\"text\" is {}, not a text or an array of texts", text.dump()));
    if (std::ssize(text) > limits.max_sentences)
        throw ValueError(
            fmt::format("\"text\" has {} sentences, and {} are the most", text.size(), limits.max_sentences));
    std::vector<std::string> texts;
    for (const json& one : text) {
        if (!one.is_string()) throw ValueError(fmt::format("\"text\"[{}] is {}, not a text", texts.size(), one.dump()));
        texts.push_back(one.get<std::string>());
    }
    return texts;
}

}  // namespace

void require_within(const SearchOptions& search, const ServeLimits& limits) {
    if (search.beam > limits.max_beam)
        throw ValueError(fmt::format("\"beam\" is {}, and {} is the most here", search.beam, limits.max_beam));
    for (const auto& [name, length] : {std::pair{"min_length", search.min_length}, {"max_length", search.max_length}})
        if (length > limits.max_words)
            throw ValueError(fmt::format("\"{}\" is {}, and {} is the most here", name, length, limits.max_words));
}

TranslationRequest read_request(std::string_view body, const SearchOptions& usual, const ServeLimits& limits) {
    json fields = parse(body);
    if (!fields.is_object())
        throw ValueError(R"(the body is not an object with "text", such as {"text": "a sentence"})");
    std::vector<std::string> names{"text", "model", "attention", "replace_unknown", "prefix"};
    for (const auto& [name, value] : option_texts(usual)) names.emplace_back(name);
    for (const auto& [name, value] : fields.items())
        if (std::ranges::find(names, name) == names.end())
            throw ValueError(fmt::format("there is no field \"{}\"{}", name, nearest_name(name, names)));

    TranslationRequest request{.texts = {}, .model = {}, .search = usual};
    if (!fields.contains("text")) throw ValueError("\"text\" is missing");
    request.texts = texts_of(take(fields, "text"), limits);
    request.model = take_text(fields, "model");
    request.prefix = take_text(fields, "prefix");
    request.attention = take_flag(fields, "attention");
    request.replace_unknown = take_flag(fields, "replace_unknown");
    from_json(fields, request.search);
    require_within(request.search, limits);
    return request;
}

}  // namespace wengert::program
