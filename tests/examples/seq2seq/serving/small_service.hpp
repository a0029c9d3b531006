#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>
#include <wengert/models/seq2seq/translator.hpp>

#include "seq2seq/serving/service.hpp"

/// Models that are small enough to be made anew for each test case, with random parameters.
namespace wengert {

inline Translator small_translator(std::string_view system = "bahdanau", std::uint64_t seed = 1) {
    Generator generator(seed);
    const auto language = [](const std::vector<std::string>& words) {
        return Language{Tokenizer{TokenizerOptions{}}, Vocabulary::of(words)};
    };
    return {language({"tom", "chases", "jerry", "."}),
            language({"汤姆", "追", "杰瑞", "。"}),
            10,
            system,
            SystemOptions{.embedding = 6, .hidden = 8, .layers = 1},
            generator};
}

/// Two models, "small", which attends, and "plain", which does not.
inline std::vector<program::ServedModel> small_models() {
    std::vector<program::ServedModel> models;
    models.push_back({"small", small_translator()});
    models.push_back({"plain", small_translator("cho", 2)});
    return models;
}

struct Answer {
    int status;
    nlohmann::json json;
};

inline Answer post(program::Service& service, const std::string& body) {
    const program::HttpResponse response = service.answer({"POST", "/translate", "application/json", body});
    return {response.status, nlohmann::json::parse(response.body)};
}

}  // namespace wengert
