#include "http_server.hpp"

#include <fmt/format.h>
#include <httplib.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <string_view>
#include <system_error>
#include <thread>
#include <wengert/autograd/tensor/error.hpp>

namespace wengert::program {
namespace {

constexpr std::chrono::seconds patience{5};  // with a client that sends or takes nothing
constexpr std::array<std::string_view, 4> with_body{"POST", "PUT", "PATCH", "DELETE"};
constexpr std::size_t longest_path = 1000;  // the library matches paths by recursion

void fill(httplib::Response& to, const HttpResponse& from) {
    to.status = from.status;
    for (const auto& [name, value] : from.headers) to.set_header(name, value);
    to.set_content(from.body, from.type);
}

/// What the library refuses by itself has no text yet.
HttpResponse refusal(int status) {
    switch (status) {
        case 414:
            return respond_error(status, "the address of the request is too long");
        case 416:
            return respond_error(status, "the header Range is malformed");
        default:
            return respond_error(status,
                                 status < 500 ? "this is not a request of HTTP" : "the server could not do this");
    }
}

}  // namespace

struct HttpServer::State {
    HttpServerOptions options;
    std::function<HttpResponse(const HttpRequest&)> answer;
    httplib::Server server;
    int port = 0;
    std::atomic<bool> is_stopped = false, has_ended = false;
    std::atomic<bool> has_begun = false;

    /// Reads the body as it comes, unpacked if it is packed, to see when it becomes too long.
    void answer_with_body(const httplib::Request& request, httplib::Response& response,
                          const httplib::ContentReader& read) {
        HttpRequest value{request.method, request.path, request.get_header_value("Content-Type"), {}};
        if (request.method != "DELETE" && !request.has_header("Content-Length") &&
            !request.has_header("Transfer-Encoding"))
            return fill(response, respond_error(411, "the request does not say how long its body is"));
        const auto most = static_cast<std::size_t>(options.max_bytes);
        // Who sends more is heard for a while, since many clients read nothing before they have sent all.
        const std::size_t end = 16 * most + (std::size_t{1} << 20);
        std::size_t bytes = 0;
        const auto receive = [&](const char* data, std::size_t size) {
            bytes += size;
            if (bytes <= most) value.body.append(data, size);
            return bytes <= end;
        };
        const bool is_whole = request.is_multipart_form_data()
                                  ? read([](const httplib::MultipartFormData&) { return true; }, receive)
                                  : read(receive);
        if (bytes > most)
            return fill(response,
                        respond_error(413, fmt::format("the body has more than {} bytes, which are the most", most)));
        if (!is_whole) return fill(response, respond_error(400, "the body ends too early, or is packed wrongly"));
        fill(response, answer(value));
    }

    void set_up() {
        server.new_task_queue = [this] { return new httplib::ThreadPool(options.threads); };
        // Without this, a second server could listen at the same port, and get each other request.
        server.set_socket_options([](int socket) {
            const int yes = 1;
            ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        });
        // What is left of a request that was not read whole is never taken for another, and a client that waits for its
        // next one holds no thread.
        server.set_keep_alive_max_count(1);
        server.set_read_timeout(patience);
        server.set_write_timeout(patience);
        server.set_tcp_nodelay(true);
        server.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
            // A part of an answer would be a part of JSON, and many parts longer than the whole.
            const_cast<httplib::Request&>(request).ranges.clear();
            const bool has_body = std::ranges::find(with_body, request.method) != with_body.end();
            if (has_body && request.path.size() <= longest_path) return httplib::Server::HandlerResponse::Unhandled;
            if (has_body)
                fill(response, refusal(414));
            else
                fill(response, answer({request.method, request.path, {}, {}}));
            return httplib::Server::HandlerResponse::Handled;
        });
        const auto read_and_answer = [this](const auto& request, auto& response, const auto& read) {
            answer_with_body(request, response, read);
        };
        const char* const any = "[\\s\\S]*";
        server.Post(any, read_and_answer).Put(any, read_and_answer).Patch(any, read_and_answer);
        server.Delete(any, read_and_answer);
        server.set_error_handler([](const httplib::Request&, httplib::Response& response) {
            if (response.body.empty()) fill(response, refusal(response.status));
        });
        server.set_exception_handler([](const httplib::Request&, httplib::Response& response, std::exception_ptr) {
            fill(response, refusal(500));
        });
    }
};

HttpServer::HttpServer(const HttpServerOptions& options, std::function<HttpResponse(const HttpRequest&)> answer)
    : state_(std::make_unique<State>()) {
    state_->options = options;
    state_->answer = std::move(answer);
    state_->set_up();
    errno = 0;
    state_->port = options.port == 0 ? state_->server.bind_to_any_port(options.host)
                   : state_->server.bind_to_port(options.host, options.port) ? options.port
                                                                             : -1;
    if (state_->port < 0)
        throw FileError(
            fmt::format("{} port {}: cannot be listened at: {}", options.host, options.port,
                        errno != 0 ? std::generic_category().message(errno) : "it is no address of this machine"));
}

HttpServer::~HttpServer() = default;

bool HttpServer::is_built() { return true; }

int HttpServer::port() const { return state_->port; }

void HttpServer::run() {
    state_->has_begun = true;
    bool has_listened = true;
    try {
        if (!state_->is_stopped) has_listened = state_->server.listen_after_bind();
    } catch (...) {
        state_->has_ended = true;  // stop() waits for that
        throw;
    }
    state_->has_ended = true;
    if (!has_listened && !state_->is_stopped)
        throw FileError(fmt::format("{} port {}: no more clients can be listened to", state_->options.host, port()));
}

void HttpServer::stop() {
    if (state_->is_stopped.exchange(true) || !state_->has_begun) return;
    // The library forgets a stop() that comes before it listens.
    while (!state_->server.is_running() && !state_->has_ended)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    state_->server.stop();
}

}  // namespace wengert::program
