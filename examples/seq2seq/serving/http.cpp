#include "http.hpp"

#include <nlohmann/json.hpp>

namespace wengert::program {
namespace {

/// A text's beginning, which ends between two characters.
std::string beginning(std::string_view text) {
    constexpr std::size_t longest = 400;
    if (text.size() <= longest) return std::string(text);
    std::size_t end = longest;
    while (end > 0 && (text[end] & '\xC0') == '\x80') --end;
    return std::string(text.substr(0, end)) + "…";
}

}  // namespace

HttpResponse respond(int status, std::string type, std::string body) {
    return {status,
            std::move(type),
            std::move(body),
            {{"Content-Security-Policy",
              "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
              "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
             {"X-Content-Type-Options", "nosniff"},
             {"X-Frame-Options", "DENY"},
             {"Referrer-Policy", "no-referrer"},
             {"Cross-Origin-Opener-Policy", "same-origin"},
             {"Cross-Origin-Resource-Policy", "same-origin"},
             {"Cache-Control", "no-store"}}};
}

HttpResponse respond_json(int status, const nlohmann::ordered_json& json) {
    return respond(status, "application/json",
                   json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n');
}

HttpResponse respond_error(int status, std::string_view text) {
    return respond_json(status, {{"error", beginning(text)}});
}

}  // namespace wengert::program
