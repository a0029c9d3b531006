#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "http.hpp"

namespace wengert::program {

struct HttpServerOptions {
    std::string host = "127.0.0.1";  ///< the address to listen at, or a name of it
    int port = 5000;                 ///< 0: any that is free
    std::size_t threads = 8;         ///< requests that are read, answered or wait at once
    std::int64_t max_bytes = 1 << 20;
};

/// HTTP/1.1 by cpp-httplib, one request a connection. What is no request, or has a longer body, it answers itself, as
/// respond_error() does.
class HttpServer {
  public:
    /// Listens from now on; `answer` is called by several threads at once, and throws nothing. Throws FileError if it
    /// cannot listen at the address, and if this build has no cpp-httplib.
    HttpServer(const HttpServerOptions& options, std::function<HttpResponse(const HttpRequest&)> answer);
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    /// Whether this build has cpp-httplib.
    static bool is_built();

    int port() const;
    /// Answers until stop() is called, by any thread or before; requests that have been read are answered first.
    void run();
    void stop();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace wengert::program
