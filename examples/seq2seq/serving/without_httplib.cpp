#include <wengert/autograd/tensor/error.hpp>

#include "http_server.hpp"

namespace wengert::program {

struct HttpServer::State {};

HttpServer::HttpServer(const HttpServerOptions&, std::function<HttpResponse(const HttpRequest&)>) {
    throw FileError(
        "serve: this build has no cpp-httplib; install libcpp-httplib-dev and configure with -Dhttplib=enabled");
}

HttpServer::~HttpServer() = default;

bool HttpServer::is_built() { return false; }

int HttpServer::port() const { return 0; }

void HttpServer::run() {}

void HttpServer::stop() {}

}  // namespace wengert::program
