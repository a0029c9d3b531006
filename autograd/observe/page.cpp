#include <wengert/autograd/observe/page.hpp>

namespace wengert::page {

std::string filled(std::string_view page,
                   std::initializer_list<std::pair<std::string_view, std::string_view>> contents) {
    std::string result;
    while (!page.empty()) {
        std::size_t first = page.npos;
        std::pair<std::string_view, std::string_view> next;
        for (const auto& content : contents) {
            const std::size_t at = page.find("{{" + std::string(content.first) + "}}");
            if (at < first) first = at, next = content;
        }
        result += page.substr(0, first);
        if (first == page.npos) break;
        result += next.second;
        page.remove_prefix(first + next.first.size() + 4);
    }
    return result;
}

std::string in_script(std::string json) {
    for (std::size_t at = json.find('<'); at != json.npos; at = json.find('<', at)) json.replace(at, 1, "\\u003c");
    return json;
}

}  // namespace wengert::page
