#include <doctest/doctest.h>
#include <signal.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>
#include <wengert/models/seq2seq/checkpoint.hpp>

#include "../workplace.hpp"
#include "seq2seq/serving/http_server.hpp"
#include "serving/http_client.hpp"
#include "serving/small_service.hpp"

using namespace wengert;
using nlohmann::json;

namespace {

/// Waits until a file has a whole line, and returns it.
std::string first_line_of(const std::filesystem::path& file) {
    for (int attempt = 0; attempt < 600; ++attempt) {
        const std::string content = content_of(file);
        if (content.find('\n') != content.npos) return content.substr(0, content.find('\n'));
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return "";
}

}  // namespace

TEST_CASE("serve translates by HTTP until it is told to end, and ends well") {
    if (!program::HttpServer::is_built()) {
        MESSAGE("skipped: this build has no cpp-httplib");
        return;
    }
    const Workplace here;
    save_checkpoint(small_translator(), here.path() / "first");
    save_checkpoint(small_translator("cho", 2), here.path() / "other/first");
    REQUIRE(here.shell("(" WENGERT_SEQ2SEQ
                       " serve --model first --model other/first/latest --model other/first --port 0 --beam 2 "
                       "--threads 2 --max-words 9 >serving 2>log & echo $! >pid; wait $!; echo $? >code) >all 2>&1 &")
                .code == 0);
    const std::string line = first_line_of(here.path() / "serving");
    REQUIRE(line.starts_with("Serving first, first-2, first-3 at http://127.0.0.1:"));
    REQUIRE(line.ends_with("/"));
    const int port = std::stoi(line.substr(line.rfind(':') + 1));
    CHECK(status_of(ask_port(port, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n")) == 200);
    const std::string answer = ask_port(port, post_bytes(R"({"text": ["Tom."], "n_best": 2, "model": "first-2"})"));
    CHECK(status_of(answer) == 200);
    CHECK(json::parse(body_of(answer))["translations"][0]["alternatives"].size() == 1);  // the beam is the flag's
    CHECK(json::parse(body_of(ask_port(port, post_bytes(R"({"text": "a b c d e f g h i j"})"))))["error"] ==
          "\"text\"[0] has 10 tokens, and 9 are the most");
    check_error(here.run("serve --model first --port " + std::to_string(port)),
                "127.0.0.1 port " + std::to_string(port) + ": cannot be listened at: Address already in use");

    ::kill(std::stoi(first_line_of(here.path() / "pid")), SIGTERM);
    CHECK(first_line_of(here.path() / "code") == "0");
    CHECK(ask_port(port, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n").empty());
    const auto logged = lines(content_of(here.path() / "log"));
    REQUIRE(logged.size() == 3);
    CHECK(logged[0].starts_with("GET \"/health\" 200 "));
    CHECK(logged[1].starts_with("POST \"/translate\" 200 "));
    CHECK(logged[2].starts_with("POST \"/translate\" 400 "));
    CHECK(content_of(here.path() / "log").find("Tom") == std::string::npos);  // what is translated is nobody else's
}

TEST_CASE("serve says what it cannot do before it listens") {
    const Workplace here;
    save_checkpoint(small_translator(), here.path() / "m");
    check_error(here.run("serve"), "--model is required");
    check_error(here.run("serve --model absent"), "absent: there is no checkpoint");
    check_error(here.run("serve --model m --port 65536"), "--port: 65536 is not a whole number from 0 to 65535");
    check_error(here.run("serve --model m --port http"), "--port: http is not a whole number");
    check_error(here.run("serve --model m --max-beam 4 --beam 5"), "\"beam\" is 5, and 4 is the most here");
    check_error(here.run("serve --model m --max-word 4"),
                "--max-word: serve has no such option (did you mean --max-words?)");
    check_error(here.run("serve --model m --timeout 0"), "--timeout: 0 is not a number from 0.001 to 86400");
    if (program::HttpServer::is_built())
        check_error(here.run("serve --model m --host 192.0.2.1 --port 0"), "192.0.2.1 port 0: cannot be listened at: ");
    else
        check_error(here.run("serve --model m"), "this build has no cpp-httplib; install libcpp-httplib-dev");
}
