#include "seq2seq/serving/service.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <latch>
#include <limits>
#include <thread>
#include <wengert/models/text/batches.hpp>

#include "small_service.hpp"

// Covers examples/seq2seq/serving/answers.hpp
// Covers examples/seq2seq/serving/http.hpp

using namespace wengert;
using namespace wengert::program;
using nlohmann::json;

namespace {

std::string header_of(const HttpResponse& response, std::string_view name) {
    for (const auto& [key, value] : response.headers)
        if (key == name) return value;
    return "";
}

/// A search that stops before its first step until it may go on.
struct Gate {
    std::latch has_come{1}, may_go{1};

    SearchOptions search() {
        return {.before_step = [this] {
            if (!has_come.try_wait()) has_come.count_down();
            may_go.wait();
        }};
    }
};

constexpr const char* one_text = R"({"text": "Tom."})";

}  // namespace

TEST_CASE("a service answers with translations as the library finds them") {
    Service service(small_models(), {}, {}, 1);
    const std::vector<std::string> texts{"Tom chases Jerry.", "Jerry.", "", "unheard of"};
    const Answer answer = post(service, json{{"text", texts}, {"beam", 3}, {"n_best", 3}, {"attention", true}}.dump());
    REQUIRE(answer.status == 200);
    CHECK(answer.json["model"] == "small");
    REQUIRE(answer.json["translations"].size() == 4);

    const Translator translator = small_translator();
    const Translator* const alone[] = {&translator};
    for (std::size_t i = 0; i < texts.size(); ++i) {
        CAPTURE(texts[i]);
        const json& got = answer.json["translations"][i];
        const Sentence source = translator.source.tokenizer.tokenize(texts[i]);
        if (source.empty()) {
            CHECK(got == json::parse(R"({"text": "", "score": 0, "log_probability": 0, "complete": true,
                "attention": {"title": "", "source": [], "target": [], "weights": []}, "alternatives": []})"));
            continue;
        }
        const std::vector<std::int64_t> ids = source_ids(source, translator.source.vocabulary);
        const auto expected = wengert::translate(alone, collate({&ids, 1}), {.beam = 3, .n_best = 3}).front();
        CHECK(got["alternatives"].size() == expected.size() - 1);
        for (std::size_t k = 0; k < expected.size(); ++k) {
            const json& one = k == 0 ? got : got["alternatives"][k - 1];
            CHECK(one["text"] == translator.target.tokenizer.detokenize(expected[k].tokens));
            CHECK(one["score"].get<double>() == doctest::Approx(expected[k].score).epsilon(1e-5));
            CHECK(one["log_probability"].get<double>() == doctest::Approx(expected[k].log_probability).epsilon(1e-5));
            CHECK(one["complete"] == expected[k].is_whole);
            const json& map = one["attention"];
            CHECK(map["title"] == texts[i]);
            CHECK(map["source"].size() == source.size() + 1);
            CHECK(map["target"].size() == expected[k].tokens.size() + expected[k].is_whole);
            REQUIRE(map["weights"].size() == map["target"].size());
            const std::vector<double> weights = expected[k].weights.to_vector<double>();
            CHECK(map["weights"][0][0].get<double>() == doctest::Approx(weights[0]).epsilon(1e-5));
        }
    }
}

TEST_CASE("a service has each model under its name, and options as a request gives them") {
    Service service(small_models(), {.beam = 2}, {}, 1);
    const Answer usual = post(service, R"({"text": "Tom."})");
    CHECK(usual.json["model"] == "small");
    const json& one = usual.json["translations"][0];
    CHECK(one.size() == 4);  // text, score, log_probability, complete
    const Answer plain = post(service, R"({"text": ["Tom."], "model": "plain", "n_best": 2})");
    CHECK(plain.json["model"] == "plain");
    CHECK(plain.json["translations"][0]["alternatives"].size() == 1);
    CHECK(post(service, R"({"text": []})").json["translations"] == json::array());
    CHECK(post(service, R"({"text": ["", " \n\t"]})").json["translations"][1]["text"] == "");

    // The source word that <unk> looks at most, where each token is <unk>: nothing else may be written.
    std::vector<ServedModel> models;
    models.push_back({"unknown",
                      {Language{Tokenizer{}, Vocabulary::of(std::vector<std::string>{"tom"})},
                       Language{Tokenizer{}, Vocabulary::of(std::vector<std::string>{"a"})}, 4, "bahdanau",
                       SystemOptions{.embedding = 4, .hidden = 4, .layers = 1}, *[] {
                           static Generator generator(1);
                           return &generator;
                       }()}});
    for (const auto& [name, parameter] : models[0].translator.system->named_parameters()) {
        Tensor p = parameter;
        p.fill(0);
        if (p.dim(0) == 5 && p.rank() == 1) p.mutable_data<float>()[Vocabulary::unknown] = 9;
    }
    Service unknown(std::move(models), {}, {}, 1);
    CHECK(post(unknown, R"({"text": "Xyz", "max_length": 2})").json["translations"][0]["text"] == "<unk> <unk>");
    CHECK(
        post(unknown, R"({"text": "Xyz", "max_length": 2, "replace_unknown": true})").json["translations"][0]["text"] ==
        "xyz xyz");
    CHECK(post(unknown, R"({"text": "Xyz", "max_length": 2})").json["translations"][0]["complete"] == false);
}

TEST_CASE("translations begin as a request says, of several sentences, too") {
    std::vector<ServedModel> models = small_models();
    models.front().translator.target.tokenizer = Tokenizer({.mode = TokenizerMode::spaces});
    Service service(std::move(models), {.beam = 2}, {}, 1);
    const Answer answer =
        post(service, R"({"text": ["Tom.", "", "Jerry chases Tom."], "prefix": "追 <b>\"", "n_best": 2})");
    REQUIRE(answer.status == 200);
    const json& all = answer.json["translations"];
    for (const std::size_t i : {0, 2}) {
        CHECK(all[i]["text"].get<std::string>().starts_with("追 <b>\""));  // of which the model knows one word
        CHECK(all[i]["alternatives"][0]["text"].get<std::string>().starts_with("追 <b>\""));
    }
    CHECK(all[1]["text"] == "");
    const auto error_of = [&](const std::string& fields) {
        const Answer refused = post(service, R"({"text": "Tom.", )" + fields + "}");
        CHECK(refused.status == 400);
        return refused.json["error"].get<std::string>();
    };
    CHECK(error_of(R"("prefix": "a b c d", "max_length": 3)") == "\"prefix\" has 4 tokens, and 3 are the most");
    CHECK(error_of(R"("prefix": "a\u0001")") == "\"prefix\": text: control character at byte 1");
    CHECK(error_of(R"("prefix": "a </s>")") == "\"prefix\" has </s>, which no translation has");
}

TEST_CASE("a service lists its models, options and limits") {
    Service service(small_models(), {.beam = 4}, {.max_words = 50}, 1);
    const json list = json::parse(service.answer({"GET", "/models", "", ""}).body);
    REQUIRE(list["models"].size() == 2);
    CHECK(list["models"][0]["name"] == "small");
    CHECK(list["models"][0]["system"] == "bahdanau");
    CHECK(list["models"][0]["attention"] == true);
    CHECK(list["models"][0]["source_vocabulary"] == 8);
    CHECK(list["models"][0]["parameters"] > 100);
    CHECK(list["models"][1]["attention"] == false);
    CHECK(list["options"].size() == option_texts(SearchOptions()).size());
    CHECK(list["options"][0] == json::parse(R"({"name": "beam", "meaning": "Hypotheses that are followed; 1: greedy",
        "value": 4, "least": 1, "greatest": 1000})"));
    CHECK(list["limits"].size() == 7);
    CHECK(list["limits"][2]["name"] == "max_words");
    CHECK(list["limits"][2]["value"] == 50);
    CHECK(service.answer({"GET", "/health", "", ""}).body == "{\"status\":\"ok\"}\n");
}

TEST_CASE("a service's page refers to nothing else, and no site may use it") {
    Service service(small_models(), {}, {}, 1);
    for (const auto& [path, type] : {std::pair{"/", "text/html; charset=utf-8"},
                                     {"/page.css", "text/css; charset=utf-8"},
                                     {"/page.js", "text/javascript; charset=utf-8"},
                                     {"/models", "application/json"},
                                     {"/absent", "application/json"}}) {
        CAPTURE(path);
        const HttpResponse response = service.answer({"GET", path, "", ""});
        CHECK(response.type == type);
        CHECK(response.body.find("http") == response.body.npos);
        CHECK(header_of(response, "Content-Security-Policy").starts_with("default-src 'none'; script-src 'self';"));
        CHECK(header_of(response, "X-Content-Type-Options") == "nosniff");
        CHECK(header_of(response, "X-Frame-Options") == "DENY");
        CHECK(header_of(response, "Cache-Control") == "no-store");
        CHECK(header_of(response, "Access-Control-Allow-Origin") == "");
        CHECK(service.answer({"HEAD", path, "", ""}).status == response.status);
    }
    const std::string script = service.answer({"GET", "/page.js", "", ""}).body;
    for (const char* const unsafe : {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("})
        CHECK(script.find(unsafe) == script.npos);
}

TEST_CASE("a service says what is wrong with a request") {
    Service service(small_models(), {}, {.max_bytes = 1000, .max_words = 5}, 1);
    for (const auto& [body, error] : std::initializer_list<std::pair<std::string, std::string>>{
             {"{", "the body is not JSON: see byte 2"},
             {R"({"text": "a", "model": "smal"})", "there is no model \"smal\"; there are small, plain"},
             {R"({"text": "a", "model": "../small"})", "there is no model \"../small\"; there are small, plain"},
             {R"({"text": "a", "model": "plain", "attention": true})",
              "\"attention\": the system of the model \"plain\" has none"},
             {R"({"text": ["a", "a b c d e f"]})", "\"text\"[1] has 6 tokens, and 5 are the most"},
             {R"({"text": ["a\u0000"]})", "\"text\"[0]: text: control character at byte 1"},
             {R"({"text": "a", "max_length": 6})", "\"max_length\" is 6, and 5 is the most here"}}) {
        CAPTURE(body);
        const Answer answer = post(service, body);
        CHECK(answer.status == 400);
        CHECK(answer.json == json{{"error", error}});
    }
    const Answer large = post(service, std::string(1001, ' '));
    CHECK(large.status == 413);
    CHECK(large.json["error"] == "the body has 1001 bytes, and 1000 are the most");
    for (const char* const type : {"", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"})
        CHECK(service.answer({"POST", "/translate", type, R"({"text": "a"})"}).status == 415);
    for (const char* const type : {"application/json", "Application/JSON", "application/json; charset=utf-8"})
        CHECK(service.answer({"POST", "/translate", type, R"({"text": "a"})"}).status == 200);

    const HttpResponse method = service.answer({"GET", "/translate", "", ""});
    CHECK(method.status == 405);
    CHECK(header_of(method, "Allow") == "POST");
    CHECK(method.body == R"({"error":"/translate takes POST, not GET"})"
                         "\n");
    CHECK(service.answer({"DELETE", "/", "", ""}).status == 405);
    CHECK(service.answer({"OPTIONS", "/translate", "", ""}).status == 405);
    const HttpResponse path = service.answer({"POST", "/translat", "application/json", "{}"});
    CHECK(path.status == 404);
    CHECK(json::parse(path.body)["error"] ==
          "there is no /translat; there are /, /page.css, /page.js, /health, /models, /translate");
    // Whatever the path has, the answer is JSON of a bounded length.
    for (const std::string& hostile : {std::string("/\"<&>\n\0\xff", 9), "/" + std::string(100'000, 'x'),
                                       std::string("/../../etc/passwd"), std::string("/مرحبا/汤姆")}) {
        const HttpResponse response = service.answer({"GET", hostile, "", ""});
        CHECK(response.status == 404);
        CHECK(json::parse(response.body)["error"].get<std::string>().size() < 500);
    }
    std::string cut;
    for (int i = 0; i < 300; ++i) cut += "汤";
    CHECK(json::parse(service.answer({"GET", "/" + cut, "", ""}).body)["error"].get<std::string>().ends_with("汤…"));
}

TEST_CASE("an answer has no more attention than the limits allow") {
    Service service(small_models(), {}, {.max_weights = 59}, 1);
    // Each of the two translations has ten tokens and looks at three: the word, its mark, </s>.
    const json body{{"text", {"Tom.", "Jerry."}}, {"min_length", 10}, {"max_length", 10}};
    CHECK(post(service, body.dump()).status == 200);
    json with_attention = body;
    with_attention["attention"] = true;
    const Answer answer = post(service, with_attention.dump());
    CHECK(answer.status == 400);
    CHECK(answer.json["error"] ==
          "\"attention\" has 60 weights, and 59 are the most: of fewer sentences or alternatives there are fewer");
    with_attention["text"] = "Tom.";
    CHECK(post(service, with_attention.dump()).status == 200);
}

TEST_CASE("the greatest length of a sentence does not depend on the others of its request") {
    Service service(small_models(), {}, {}, 1);
    std::string long_text = "Tom.";
    for (int i = 0; i < 30; ++i) long_text += " Tom.";
    const json alone = post(service, json{{"text", "Tom."}, {"min_length", 10}}.dump()).json["translations"][0],
               beside = post(service, json{{"text", {"Tom.", long_text}}, {"min_length", 10}}.dump())
                            .json["translations"][0];
    CHECK(beside["text"] == alone["text"]);
    CHECK(beside["complete"] == alone["complete"]);
}

TEST_CASE("hostile texts are translated like others") {
    Service service(small_models(), {}, {}, 1);
    for (const std::string& text :
         {std::string("\"'<script>alert(1)</script>&amp;\\"), std::string("a\nb\r\nc"), std::string("汤姆追杰瑞"),
          std::string("مرحبا \u202e abc"), std::string(50'000, 'x'),
          std::string("👩‍👩‍👧‍👦 e\u0301\u0301\u0301")}) {
        const Answer answer = post(service, json{{"text", {text}}, {"attention", true}}.dump());
        CAPTURE(answer.json.dump().substr(0, 200));
        CHECK(answer.status == 200);
        CHECK(answer.json["translations"][0]["attention"]["title"] == text);
    }
}

TEST_CASE("a service that cannot be is refused") {
    CHECK_THROWS_WITH_AS(Service({}, {}, {}, 1), "there is no model to translate with", ValueError);
    std::vector<ServedModel> twins;
    for (int i = 0; i < 2; ++i) twins.push_back({"twin", small_translator()});
    CHECK_THROWS_WITH_AS(Service(std::move(twins), {}, {}, 1), "two models have the name \"twin\"", ValueError);
    CHECK_THROWS_WITH_AS(Service(small_models(), {.beam = 17}, {}, 1), "\"beam\" is 17, and 16 is the most here",
                         ValueError);
}

TEST_CASE("what goes wrong inside a service is not told to whoever asks") {
    std::vector<ServedModel> models = small_models();
    for (Tensor p : models[0].translator.system->parameters()) p.fill(std::numeric_limits<double>::quiet_NaN());
    Service service(std::move(models), {}, {}, 1);
    const Answer answer = post(service, R"({"text": "Tom."})");
    CHECK(answer.status == 500);
    CHECK(answer.json["error"] == "the server could not do this; its standard error says why");
    CHECK(post(service, R"({"text": "Tom.", "model": "plain"})").status == 200);
}

TEST_CASE("a translation that takes too long is given up, and so is what waits for it") {
    Gate gate;
    Service service(small_models(), gate.search(), {.queue = 1, .timeout = 0.2}, 1);
    Answer first, second;
    // On a machine that does other things, a request may wait for too long by itself.
    const auto ask_again = [&](const std::string& body) {
        Answer answer{503, {}};
        while (answer.status == 503) answer = post(service, body);
        return answer;
    };
    std::thread running([&] { first = ask_again(one_text); });
    gate.has_come.wait();
    std::thread waiting([&] { second = post(service, one_text); });
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
    gate.may_go.count_down();
    running.join();
    waiting.join();
    CHECK(first.status == 504);
    CHECK(first.json["error"] == "the translation took longer than 0.2 seconds");
    if (second.status == 504)  // on a machine that does other things, it began in time
        CHECK(second.json["error"] == "the translation took longer than 0.2 seconds");
    else if (second.status == 503)
        CHECK(second.json["error"] == "the server is busy, and the request has waited for too long");
    else
        CHECK(second.status == 200);                    // it came late, on a machine that does other things
    CHECK(ask_again(R"({"text": []})").status == 200);  // the place is free again
}

TEST_CASE("a busy service refuses what cannot wait, and one that ends does what runs") {
    Gate gate;
    Service service(small_models(), gate.search(), {.queue = 0}, 1);
    Answer first;
    std::thread running([&] { first = post(service, one_text); });
    gate.has_come.wait();
    const HttpResponse refused = service.answer({"POST", "/translate", "application/json", one_text});
    CHECK(refused.status == 503);
    CHECK(header_of(refused, "Retry-After") == "1");
    CHECK(refused.body == "{\"error\":\"the server is busy, and no more requests may wait\"}\n");
    CHECK(service.answer({"GET", "/health", "", ""}).status == 200);
    service.stop();
    gate.may_go.count_down();
    running.join();
    CHECK(first.status == 200);
    const Answer late = post(service, one_text);
    CHECK(late.status == 503);
    CHECK(late.json["error"] == "the server is ending");
}

TEST_CASE("threads share a service") {
    Service service(small_models(), {}, {}, 3);
    const auto ask = [&](int i) {
        const json body{{"text", {"Tom chases Jerry.", "Jerry."}}, {"beam", 1 + i % 3}, {"attention", i % 2 == 0}};
        return post(service, body.dump()).json;
    };
    std::vector<json> expected, found(24);
    for (int i = 0; i < 24; ++i) expected.push_back(ask(i));
    std::vector<std::thread> threads;
    for (int i = 0; i < 24; ++i) threads.emplace_back([&, i] { found[static_cast<std::size_t>(i)] = ask(i); });
    for (std::thread& thread : threads) thread.join();
    CHECK(found == expected);
}
