#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <wengert/models/seq2seq/translator.hpp>

#include "translation_request.hpp"

namespace wengert::program {

/// Described options, with the values that they have: [{"name": "beam", "meaning": "..", "value": 1, "least": 1,
/// "greatest": 1000}, ..]; a flag has no bounds.
template <class Options>
nlohmann::ordered_json described(Options options) {
    auto list = nlohmann::ordered_json::array();
    options.describe([&list]<class T>(const OptionText& text, const T& value, const auto&... bounds) {
        list.push_back({{"name", text.name}, {"meaning", text.meaning}, {"value", value}});
        ((list.back()["least"] = bounds.least, list.back()["greatest"] = bounds.greatest), ...);
    });
    return list;
}

/// A sentence's translations, the best first, as an answer has them: "text", "score", "log_probability", "complete"
/// and, if it is asked for, "attention" as to_json() of attention maps writes it; the others stand in "alternatives" in
/// the same way, if more than one is asked for. No translation is the translation of an empty text.
nlohmann::ordered_json translation_json(const Translator& translator, const TranslationRequest& request,
                                        const std::string& text, const Sentence& source,
                                        std::span<const Translation> translations);

}  // namespace wengert::program
