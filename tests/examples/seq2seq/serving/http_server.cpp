#include "seq2seq/serving/http_server.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <latch>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>
#include <wengert/autograd/tensor/error.hpp>

#include "http_client.hpp"
#include "small_service.hpp"
#include "temporary_directory.hpp"

using namespace wengert;
using namespace wengert::program;
using nlohmann::json;

namespace {

/// A server that runs as long as this lives.
class Running {
  public:
    Running(const HttpServerOptions& options, std::function<HttpResponse(const HttpRequest&)> answer)
        : server_(options, std::move(answer)), thread_([this] { server_.run(); }) {}
    ~Running() {
        server_.stop();
        thread_.join();
    }

    int port() const { return server_.port(); }
    std::string send(std::string_view bytes) const { return ask_port(port(), bytes); }
    void stop() { server_.stop(); }

  private:
    HttpServer server_;
    std::thread thread_;
};

/// What arrives, as JSON.
HttpResponse mirror(const HttpRequest& request) {
    const json body{
        {"method", request.method}, {"path", request.path}, {"type", request.content_type}, {"body", request.body}};
    return respond(200, "application/json", body.dump(-1, ' ', false, json::error_handler_t::replace));
}

json mirrored(const std::string& answer) {
    CAPTURE(answer.substr(0, 300));
    REQUIRE(status_of(answer) == 200);
    return json::parse(body_of(answer));
}

std::string error_in(const std::string& answer) {
    const json body = json::parse(body_of(answer), nullptr, false);
    return body.is_object() && body.contains("error") ? body["error"].get<std::string>() : "no JSON: " + answer;
}

}  // namespace

/// The test case ends here where the build has no server.
#define WITH_SERVER                                        \
    if (!HttpServer::is_built()) {                         \
        MESSAGE("skipped: this build has no cpp-httplib"); \
        return;                                            \
    }

TEST_CASE("without cpp-httplib a server says what is missing") {
    if (HttpServer::is_built()) return;
    CHECK_THROWS_WITH_AS(
        HttpServer({}, mirror),
        "serve: this build has no cpp-httplib; install libcpp-httplib-dev and configure with -Dhttplib=enabled",
        FileError);
}

TEST_CASE("a request arrives as it was sent, and the answer with its headers") {
    WITH_SERVER
    const Running server({.port = 0, .threads = 4, .max_bytes = 1000}, mirror);
    CHECK(server.port() > 0);
    const std::string got = server.send("GET /a%20b?c=d HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(mirrored(got) == json{{"method", "GET"}, {"path", "/a b"}, {"type", ""}, {"body", ""}});
    CHECK(got.find("X-Content-Type-Options: nosniff\r\n") != got.npos);
    CHECK(got.find("Connection: close\r\n") != got.npos);
    CHECK(mirrored(server.send(post_bytes("{\"汤姆\"}"))) ==
          json{{"method", "POST"}, {"path", "/translate"}, {"type", "application/json"}, {"body", "{\"汤姆\"}"}});
    CHECK(mirrored(server.send("POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"))["body"] == "abcde");
    CHECK(mirrored(server.send("DELETE /x HTTP/1.1\r\nHost: x\r\n\r\n"))["method"] == "DELETE");
    for (const char* const method : {"OPTIONS", "TRACE", "CONNECT"})
        CHECK(mirrored(server.send(method + std::string(" /x HTTP/1.1\r\nHost: x\r\n\r\n")))["method"] == method);
    const std::string head = server.send("HEAD /x HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(status_of(head) == 200);
    CHECK(body_of(head).empty());
    // A part of an answer is not asked for.
    CHECK(mirrored(server.send("GET / HTTP/1.1\r\nHost: x\r\nRange: bytes=0-1\r\n\r\n"))["path"] == "/");
    std::string ranges = "bytes=0-";
    while (ranges.size() < 8000) ranges += ",0-";
    CHECK(server.send("GET / HTTP/1.1\r\nHost: x\r\nRange: " + ranges + "\r\n\r\n").size() < 2000);
}

TEST_CASE("what is no request, or too long, is refused in JSON") {
    WITH_SERVER
    const Running server({.port = 0, .threads = 4, .max_bytes = 1000}, mirror);
    const auto refused = [&](const std::string& bytes, int status, const std::string& error) {
        const std::string answer = server.send(bytes);
        CAPTURE(bytes.substr(0, 100));
        CAPTURE(answer.substr(0, 300));
        CHECK(status_of(answer) == status);
        CHECK(error_in(answer) == error);
        CHECK(answer.find("EXCEPTION") == answer.npos);
    };
    const std::string no_http = "this is not a request of HTTP", host = " HTTP/1.1\r\nHost: x\r\n";
    refused("hello\r\n\r\n", 400, no_http);
    refused("FETCH /" + host + "\r\n", 400, no_http);
    refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, no_http);
    refused(std::string("\x16\x03\x01\x02\r\n\r\n", 8), 400, no_http);  // the beginning of TLS
    refused("GET /" + std::string(9000, 'x') + host + "\r\n", 414, "the address of the request is too long");
    refused("POST /" + std::string(2000, 'x') + host + "Content-Length: 1\r\n\r\nx", 414,
            "the address of the request is too long");
    refused("GET /" + host + "Range: nothing\r\n\r\n", 416, "the header Range is malformed");
    refused("POST /" + host + "\r\n", 411, "the request does not say how long its body is");
    const std::string long_body = "the body has more than 1000 bytes, which are the most";
    CHECK(mirrored(server.send(post_bytes(std::string(1000, 'x'))))["body"] == std::string(1000, 'x'));
    refused(post_bytes(std::string(1001, 'x')), 413, long_body);
    refused(post_bytes(std::string(900'000, 'x')), 413, long_body);
    std::string chunks;
    for (int i = 0; i < 600; ++i) chunks += "2\r\nxx\r\n";
    refused("POST /" + host + "Transfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n", 413, long_body);
    refused("POST /" + host + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400,
            "the body ends too early, or is packed wrongly");
    refused("POST /" + host + "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 3\r\n\r\nabc", 400,
            "the body ends too early, or is packed wrongly");
    refused("POST /" + host + "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", 400,
            "the body ends too early, or is packed wrongly");
}

TEST_CASE("a packed body is measured as it is unpacked") {
    WITH_SERVER
    const Running server({.port = 0, .threads = 4, .max_bytes = 1000}, mirror);
    const TemporaryDirectory directory;
    const auto packed = [&](int bytes) {
        const std::string file = (directory.path() / "packed").string();
        REQUIRE(std::system(("head -c " + std::to_string(bytes) + " /dev/zero | gzip -9 >'" + file + "'").c_str()) ==
                0);
        const std::string body = content_of(file);
        return "POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n\r\n" + body;
    };
    CHECK(mirrored(server.send(packed(1000)))["body"] == std::string(1000, '\0'));
    const std::string bomb = packed(100'000'000);
    CHECK(bomb.size() < 200'000);
    CHECK(status_of(server.send(bomb)) == 413);
}

TEST_CASE("several clients are answered at once by one service") {
    WITH_SERVER
    Service service(small_models(), {}, {}, 2);
    const Running server({.port = 0, .threads = 20},
                         [&](const HttpRequest& request) { return service.answer(request); });
    const auto body = [](int i) {
        return json{{"text", {"Tom chases Jerry.", std::string(static_cast<std::size_t>(i), 'x')}}, {"beam", 2}}.dump();
    };
    std::vector<std::thread> clients;
    std::vector<json> answers(40);
    for (int i = 0; i < 40; ++i)
        clients.emplace_back([&, i] {
            const std::string answer = server.send(post_bytes(body(i)));
            answers[static_cast<std::size_t>(i)] = json::parse(body_of(answer), nullptr, false);
        });
    for (std::thread& client : clients) client.join();
    for (int i = 0; i < 40; ++i) CHECK(answers[static_cast<std::size_t>(i)] == post(service, body(i)).json);
}

TEST_CASE("a server that is stopped answers what it has read") {
    WITH_SERVER
    std::latch has_begun(1), may_end(1);
    std::string answer;
    std::thread client;
    {
        Running server({.port = 0, .threads = 4}, [&](const HttpRequest& request) {
            has_begun.count_down();
            may_end.wait();
            return mirror(request);
        });
        client = std::thread([&, port = server.port()] { answer = ask_port(port, post_bytes("last")); });
        has_begun.wait();
        server.stop();
        CHECK(server.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").empty());
        may_end.count_down();
    }
    client.join();
    CHECK(mirrored(answer)["body"] == "last");
    HttpServer never({.port = 0}, mirror);
    never.stop();
    never.run();  // ends at once
}

TEST_CASE("a server does not share its port, and says where it cannot listen") {
    WITH_SERVER
    const Running server({.port = 0, .threads = 1}, mirror);
    CHECK_THROWS_WITH_AS(
        HttpServer({.port = server.port()}, mirror),
        ("127.0.0.1 port " + std::to_string(server.port()) + ": cannot be listened at: Address already in use").c_str(),
        FileError);
    CHECK_THROWS_AS(HttpServer({.host = "192.0.2.1", .port = 0}, mirror), FileError);
    CHECK_THROWS_AS(HttpServer({.host = "no such host", .port = 0}, mirror), FileError);
}

TEST_CASE("an answer that throws is no end of the server") {
    WITH_SERVER
    const Running server({.port = 0, .threads = 1},
                         [](const HttpRequest&) -> HttpResponse { throw FileError("/secret/path: cannot be read"); });
    for (const std::string& bytes : {std::string("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), post_bytes("{}")}) {
        const std::string answer = server.send(bytes);
        CHECK(status_of(answer) == 500);
        CHECK(answer.find("secret") == answer.npos);
    }
}
