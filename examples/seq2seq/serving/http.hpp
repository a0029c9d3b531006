#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wengert::program {

/// A request as a value, without the connection that it came by.
struct HttpRequest {
    std::string method, path;        ///< the path without what follows a question mark
    std::string content_type, body;  ///< of GET and HEAD empty
};

struct HttpResponse {
    int status = 200;
    std::string type, body;  ///< the body's type has its character set
    std::vector<std::pair<std::string, std::string>> headers;
};

/// A response with the headers that all have: it is not kept, and a browser runs and shows nothing of it but scripts,
/// styles and answers of this server, in no other site's frame.
HttpResponse respond(int status, std::string type, std::string body);

/// The same of JSON, in which bytes that are no UTF-8 become U+FFFD.
HttpResponse respond_json(int status, const nlohmann::ordered_json& json);

/// {"error": text}, of a long text the beginning.
HttpResponse respond_error(int status, std::string_view text);

}  // namespace wengert::program
