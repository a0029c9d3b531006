#include "service.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <optional>
#include <set>
#include <utility>
#include <wengert/models/text/batches.hpp>

#include "answers.hpp"
#include "page.hpp"
#include "translation_request.hpp"

namespace wengert::program {
namespace {

using Clock = std::chrono::steady_clock;

/// Why a request is not answered as it asks.
struct Refusal {
    int status;
    std::string text;
    std::vector<std::pair<std::string, std::string>> headers = {};
};

/// 503 with the header that says when to come again.
Refusal busy(std::string_view text) { return {503, std::string(text), {{"Retry-After", "1"}}}; }

bool is_json(std::string_view content_type) {
    constexpr std::string_view wanted = "application/json";
    const auto same = [](char a, char b) { return (a | ('A' ^ 'a')) == (b | ('A' ^ 'a')); };
    const std::string_view begin = content_type.substr(0, wanted.size()), rest = content_type.substr(begin.size());
    return std::ranges::equal(begin, wanted, same) && (rest.empty() || rest[0] == ';' || rest[0] == ' ');
}

std::vector<Sentence> tokenized(const Translator& translator, const std::vector<std::string>& texts,
                                const ServeLimits& limits) {
    std::vector<Sentence> sentences;
    for (const std::string& text : texts) {
        const std::string where = fmt::format("\"text\"[{}]", sentences.size());
        try {
            sentences.push_back(translator.source.tokenizer.tokenize(text));
        } catch (const ValueError& error) {
            throw Refusal{400, fmt::format("{}: {}", where, error.what())};
        }
        if (std::ssize(sentences.back()) > limits.max_words)
            throw Refusal{400, fmt::format("{} has {} tokens, and {} are the most", where, sentences.back().size(),
                                           limits.max_words)};
    }
    return sentences;
}

/// The tokens of what begins each translation, which may have `most`.
Sentence prefix_of(const Translator& translator, const std::string& text, std::int64_t most) {
    Sentence prefix;
    try {
        prefix = translator.target.tokenizer.tokenize(text);
    } catch (const ValueError& error) {
        throw Refusal{400, fmt::format("\"prefix\": {}", error.what())};
    }
    if (std::ssize(prefix) > most)
        throw Refusal{400, fmt::format("\"prefix\" has {} tokens, and {} are the most", prefix.size(), most)};
    for (const std::string& token : prefix)
        if (translator.target.vocabulary.id(token) <= Vocabulary::end)
            throw Refusal{400, fmt::format("\"prefix\" has {}, which no translation has", token)};
    return prefix;
}

/// The translations of each sentence; of an empty one none.
std::vector<std::vector<Translation>> translations_of(const Translator& translator,
                                                      const std::vector<Sentence>& sentences,
                                                      const SearchOptions& search, const Sentence& prefix) {
    std::vector<std::vector<std::int64_t>> ids;
    for (const Sentence& sentence : sentences)
        if (!sentence.empty()) ids.push_back(source_ids(sentence, translator.source.vocabulary));
    std::vector<std::vector<Translation>> all(sentences.size());
    if (ids.empty()) return all;
    const Translator* const alone[] = {&translator};
    std::vector<std::vector<Translation>> found =
        wengert::translate(alone, collate(ids), search, nullptr, std::vector(ids.size(), prefix));
    for (std::size_t i = 0, row = 0; i < sentences.size(); ++i)
        if (!sentences[i].empty()) all[i] = std::move(found[row++]);
    return all;
}

/// Attention is most of an answer: a translation of n tokens has n times as many numbers as its source has tokens.
void require_few_weights(const std::vector<std::vector<Translation>>& all, const ServeLimits& limits) {
    std::int64_t weights = 0;
    for (const std::vector<Translation>& translations : all)
        for (const Translation& one : translations) weights += one.weights.defined() ? one.weights.numel() : 0;
    if (weights > limits.max_weights)
        throw Refusal{400, fmt::format("\"attention\" has {} weights, and {} are the most: of fewer sentences or "
                                       "alternatives there are fewer",
                                       weights, limits.max_weights)};
}

}  // namespace

const std::vector<Service::Route> Service::routes{
    {"GET", "/", &Service::show_page},          {"GET", "/page.css", &Service::show_style},
    {"GET", "/page.js", &Service::show_script}, {"GET", "/health", &Service::show_health},
    {"GET", "/models", &Service::show_models},  {"POST", "/translate", &Service::translate}};

Service::Service(std::vector<ServedModel> models, const SearchOptions& usual, const ServeLimits& limits, int threads)
    : models_(std::move(models)),
      usual_(usual),
      limits_(limits),
      workers_(threads, static_cast<std::size_t>(limits.queue)) {
    if (models_.empty()) throw ValueError("there is no model to translate with");
    std::set<std::string_view> names;
    for (const ServedModel& model : models_)
        if (!names.insert(model.name).second)
            throw ValueError(fmt::format("two models have the name \"{}\"", model.name));
    require_within(usual_, limits_);
}

HttpResponse Service::answer(const HttpRequest& request) {
    try {
        return routed(request);
    } catch (const Refusal& refusal) {
        HttpResponse response = respond_error(refusal.status, refusal.text);
        response.headers.insert(response.headers.end(), refusal.headers.begin(), refusal.headers.end());
        return response;
    } catch (const std::exception& error) {
        // What went wrong may name files and lines of this machine.
        std::fputs(fmt::format("{} {}: {}\n", request.method, request.path, error.what()).c_str(), stderr);
        return respond_error(500, "the server could not do this; its standard error says why");
    }
}

HttpResponse Service::routed(const HttpRequest& request) {
    std::vector<std::string_view> methods, paths;
    for (const Route& route : routes) {
        const bool is_same = route.method == request.method || (route.method == "GET" && request.method == "HEAD");
        if (route.path == request.path && is_same) return (this->*route.answer)(request);
        if (route.path == request.path) methods.push_back(route.method);
        paths.push_back(route.path);
    }
    if (methods.empty())
        throw Refusal{404, fmt::format("there is no {}; there are {}", request.path, fmt::join(paths, ", "))};
    const std::string allowed = fmt::format("{}", fmt::join(methods, ", "));
    throw Refusal{405, fmt::format("{} takes {}, not {}", request.path, allowed, request.method), {{"Allow", allowed}}};
}

HttpResponse Service::show_page(const HttpRequest&) { return respond(200, "text/html; charset=utf-8", page_html()); }
HttpResponse Service::show_style(const HttpRequest&) { return respond(200, "text/css; charset=utf-8", page_style()); }
HttpResponse Service::show_script(const HttpRequest&) {
    return respond(200, "text/javascript; charset=utf-8", page_script());
}

HttpResponse Service::show_health(const HttpRequest&) { return respond_json(200, {{"status", "ok"}}); }

HttpResponse Service::show_models(const HttpRequest&) {
    auto list = nlohmann::ordered_json::array();
    for (const auto& [name, translator, has_attention] : models_) {
        std::int64_t parameters = 0;
        for (const Tensor& parameter : translator.system->parameters()) parameters += parameter.numel();
        list.push_back({{"name", name},
                        {"system", translator.system->name()},
                        {"attention", has_attention},
                        {"parameters", parameters},
                        {"steps", translator.steps},
                        {"source_vocabulary", translator.source.vocabulary.size()},
                        {"target_vocabulary", translator.target.vocabulary.size()}});
    }
    return respond_json(200, {{"models", list}, {"options", described(usual_)}, {"limits", described(limits_)}});
}

const ServedModel& Service::model_of(const std::string& name) const {
    if (name.empty()) return models_.front();
    const auto found = std::ranges::find(models_, name, &ServedModel::name);
    if (found != models_.end()) return *found;
    std::vector<std::string> names;
    for (const ServedModel& model : models_) names.push_back(model.name);
    throw Refusal{400, fmt::format("there is no model \"{}\"; there are {}", name, fmt::join(names, ", "))};
}

HttpResponse Service::translate(const HttpRequest& http) {
    const auto end =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(limits_.timeout));
    if (!is_json(http.content_type)) throw Refusal{415, "the body's Content-Type must be application/json"};
    if (std::ssize(http.body) > limits_.max_bytes)
        throw Refusal{413,
                      fmt::format("the body has {} bytes, and {} are the most", http.body.size(), limits_.max_bytes)};
    TranslationRequest request = [&] {
        try {
            return read_request(http.body, usual_, limits_);
        } catch (const ValueError& error) {
            throw Refusal{400, error.what()};
        }
    }();
    const ServedModel& model = model_of(request.model);
    if (request.attention && !model.has_attention)
        throw Refusal{400, fmt::format("\"attention\": the system of the model \"{}\" has none", model.name)};
    request.search.before_step = [&, usual = std::move(request.search.before_step)] {
        if (usual) usual();
        if (Clock::now() > end)
            throw Refusal{504, fmt::format("the translation took longer than {} seconds", limits_.timeout)};
    };
    nlohmann::ordered_json answer{{"model", model.name}, {"translations", nlohmann::ordered_json::array()}};
    const auto work = [&] {
        if (Clock::now() > end) throw busy("the server is busy, and the request has waited for too long");
        const std::vector<Sentence> sentences = tokenized(model.translator, request.texts, limits_);
        // Without a length of the request's each sentence has its own, of which this is the least.
        std::int64_t& most = request.search.max_length;
        const std::int64_t least = std::max(model.translator.max_length, request.search.min_length);
        if (most == 0 && least > limits_.max_words) most = limits_.max_words;
        const Sentence prefix = prefix_of(model.translator, request.prefix, most > 0 ? most : least);
        const auto all = translations_of(model.translator, sentences, request.search, prefix);
        if (request.attention) require_few_weights(all, limits_);
        for (std::size_t i = 0; i < all.size(); ++i)
            answer["translations"].push_back(
                translation_json(model.translator, request, request.texts[i], sentences[i], all[i]));
    };
    switch (workers_.run(work)) {
        case WorkerPool::Outcome::full:
            throw busy("the server is busy, and no more requests may wait");
        case WorkerPool::Outcome::stopped:
            throw busy("the server is ending");
        case WorkerPool::Outcome::done:
            break;
    }
    return respond_json(200, answer);
}

}  // namespace wengert::program
