#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "temporary_directory.hpp"

namespace wengert {

/// A script that runs the body of an asynchronous function and puts what it returns into `data-result` of the page's
/// body. `click(selector)` in it clicks on what is seen in the middle of the element, so that something that lies over
/// it takes the click, as a person's.
inline std::string browser_script(const std::string& body) {
    return "function click(selector) {\n"
           "  const wanted = document.querySelector(selector);\n"
           "  if (!wanted) throw Error('there is no ' + selector);\n"
           "  const area = wanted.getBoundingClientRect();\n"
           "  const x = area.left + area.width / 2, y = area.top + area.height / 2;\n"
           "  const seen = document.elementFromPoint(x, y);\n"
           "  if (!seen) throw Error(selector + ' is out of sight');\n"
           "  seen.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true, clientX: x, clientY: y}));\n"
           "}\n"
           "(async () => {" +
           body +
           "})().catch(String).then(result => { document.body.dataset.result = encodeURIComponent(result); });\n";
}

/// What such a script, which is part of the page at an address, has returned when headless Chromium has nothing more to
/// do there; nullopt where that is not installed. A script that waits has 20 seconds, which pass at once; a page that
/// loads itself anew would do so again and again in them.
inline std::optional<std::string> result_in_browser(const std::string& address, bool waits) {
    if (std::system("command -v chromium >/dev/null 2>&1") != 0) return std::nullopt;
    const TemporaryDirectory directory;
    const std::string out = (directory.path() / "dom.html").string();
    const std::string command = "chromium --headless --no-sandbox --disable-gpu --window-size=1400,900 " +
                                std::string(waits ? "--virtual-time-budget=20000 " : "") + "--user-data-dir='" +
                                (directory.path() / "profile").string() + "' --dump-dom '" + address + "' >'" + out +
                                "' 2>/dev/null";
    if (std::system(command.c_str()) != 0) return "chromium failed";
    const std::string dom = content_of(out), begin = "data-result=\"";
    const std::size_t at = dom.find(begin);
    if (at == dom.npos) return "the page's script did not end";
    const std::string encoded = dom.substr(at + begin.size(), dom.find('"', at + begin.size()) - at - begin.size());
    std::string result;
    for (std::size_t i = 0; i < encoded.size(); ++i) {
        result += encoded[i] == '%' ? static_cast<char>(std::stoi(encoded.substr(i + 1, 2), nullptr, 16)) : encoded[i];
        if (encoded[i] == '%') i += 2;
    }
    return result;
}

/// The same of a page that is a file, with the script at its end.
inline std::optional<std::string> run_in_browser(const std::filesystem::path& page, const std::string& script) {
    const TemporaryDirectory directory;
    write_file(directory.path() / "page.html", content_of(page) + "<script>" + browser_script(script) + "</script>\n");
    return result_in_browser("file://" + (directory.path() / "page.html").string(), false);
}

}  // namespace wengert

/// `name` is what a script has made of a page; the test case ends here where there is no browser.
#define IN_BROWSER(name, page, script) IN_BROWSER_AS(name, ::wengert::run_in_browser(page, script))
#define IN_BROWSER_AS(name, result)                                             \
    const std::optional<std::string> name = result;                             \
    if (!name) {                                                                \
        MESSAGE("skipped: Chromium is not installed, so that nothing clicked"); \
        return;                                                                 \
    }
