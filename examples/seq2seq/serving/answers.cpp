#include "answers.hpp"

#include <wengert/models/seq2seq/attention_map.hpp>

namespace wengert::program {
namespace {

using nlohmann::ordered_json;

ordered_json map_json(const AttentionMap& map) { return ordered_json::parse(to_json({&map, 1})).front(); }

ordered_json one_json(const Translator& translator, const TranslationRequest& request, const std::string& text,
                      const Sentence& source, const Translation& translation) {
    const Translation shown = request.replace_unknown ? wengert::replace_unknown(translation, source) : translation;
    ordered_json json{{"text", translator.target.tokenizer.detokenize(shown.tokens)},
                      {"score", translation.score},
                      {"log_probability", translation.log_probability},
                      {"complete", translation.is_whole}};
    if (request.attention && translation.weights.defined())
        json["attention"] = map_json(attention_map(source, translation, text));
    else if (request.attention)
        json["attention"] = nullptr;  // nothing could be written, not even </s>
    return json;
}

}  // namespace

ordered_json translation_json(const Translator& translator, const TranslationRequest& request, const std::string& text,
                              const Sentence& source, std::span<const Translation> translations) {
    if (translations.empty()) {
        ordered_json json{{"text", ""}, {"score", 0}, {"log_probability", 0}, {"complete", true}};
        if (request.attention) json["attention"] = map_json({{}, {}, zeros({0, 0}), text});
        if (request.search.n_best > 1) json["alternatives"] = ordered_json::array();
        return json;
    }
    ordered_json json = one_json(translator, request, text, source, translations.front());
    if (request.search.n_best > 1) {
        auto& others = json["alternatives"] = ordered_json::array();
        for (const Translation& other : translations.subspan(1))
            others.push_back(one_json(translator, request, text, source, other));
    }
    return json;
}

}  // namespace wengert::program
