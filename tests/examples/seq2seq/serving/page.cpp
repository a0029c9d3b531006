#include "seq2seq/serving/page.hpp"

#include <doctest/doctest.h>

#include <thread>

#include "browser.hpp"
#include "seq2seq/serving/http_server.hpp"
#include "small_service.hpp"

using namespace wengert;
using namespace wengert::program;

namespace {

/// The page of a service, with a script of the test's at its end, as a browser has made it.
std::optional<std::string> result_of_page(Service& service, const std::string& script) {
    HttpServer server({.port = 0, .threads = 16}, [&](const HttpRequest& request) {
        if (request.path == "/test.js") return respond(200, "text/javascript", browser_script(script));
        HttpResponse response = service.answer(request);
        if (request.path == "/") response.body += "<script src=\"test.js\"></script>\n";
        return response;
    });
    std::thread thread([&] { server.run(); });
    const auto result = result_in_browser("http://127.0.0.1:" + std::to_string(server.port()) + "/", true);
    server.stop();
    thread.join();
    return result;
}

/// What a person does, and waits for.
constexpr const char* steps = R"(
    const sleep = () => new Promise(end => setTimeout(end, 20));
    const until = async isThere => { for (let i = 0; i < 500 && !isThere(); ++i) await sleep(); };
    const translated = async text => {
        document.getElementById("text").value = text;
        document.getElementById("status").textContent = "";
        click("#translate");
        await until(() => /, |^$/.test(document.getElementById("status").textContent) &&
                          !document.getElementById("translate").disabled);
    };
    await until(() => document.getElementById("about").textContent !== "");
)";

}  // namespace

TEST_CASE("a person translates on the page and looks at the attention") {
    if (!HttpServer::is_built()) {
        MESSAGE("skipped: this build has no cpp-httplib");
        return;
    }
    Service service(small_models(), {.length_penalty = 0.5}, {}, 2);
    IN_BROWSER_AS(result, result_of_page(service, std::string(steps) + R"(
        const lines = [document.getElementById("about").textContent];
        lines.push([...document.querySelectorAll("#options label")].map(label => label.textContent).join(" "));
        document.getElementById("beam").value = 3;
        document.getElementById("n_best").value = 2;
        await translated("Tom chases Jerry.\n\n</script><img src=x onerror=alert(1)> مرحبا");
        const articles = [...document.querySelectorAll("article")];
        lines.push(articles.map(article => article.querySelectorAll("table.found button").length).join(" "));
        lines.push(articles.map(article => article.querySelector("h2").textContent).join(" / "));
        lines.push(document.querySelectorAll("article img").length);
        const words = () => [...articles[0].querySelectorAll("p.words")].map(line => line.children.length);
        const shown = () => [...articles[0].querySelectorAll("table.found tr")].map(row => row.classList.contains("shown")).join(" ");
        lines.push(words()[0] + " " + shown());
        click("article tr:nth-child(3) button");
        lines.push(shown());
        const target = articles[0].querySelectorAll("p.words")[1].firstChild;
        target.dispatchEvent(new MouseEvent("mouseenter"));
        const told = [...articles[0].querySelectorAll("p.words")[0].children].map(word => word.lastChild.textContent);
        const sum = told.reduce((sum, share) => sum + Number(share), 0);
        lines.push(told.length + " " + (Math.abs(sum - 1) < 0.03) + " " + target.classList.contains("asked"));
        lines.push(articles[0].querySelectorAll("section table td").length === words()[0] * words()[1]);

        document.getElementById("model").value = "plain";
        document.getElementById("model").dispatchEvent(new Event("change"));
        lines.push(document.getElementById("about").textContent.replace(/.*, /, ""));
        await translated("Jerry.");
        lines.push(document.querySelectorAll("article").length + " " + document.querySelectorAll("p.words").length);
        return lines.join("\n");)"))
    CHECK(
        *result ==
        "bahdanau, 1,272 parameters, 0 steps of training\n"
        "length penalty coverage penalty min length max length no unknown sample temperature top k top p search seed\n"
        "2 2\n"
        "Tom chases Jerry. / </script><img src=x onerror=alert(1)> مرحبا\n"
        "0\n"
        "5 false true false\n"
        "false false true\n"
        "5 true true\n"
        "true\n"
        "without attention\n"
        "1 0");
}

TEST_CASE("the page says what the server refuses, and goes on") {
    if (!HttpServer::is_built()) {
        MESSAGE("skipped: this build has no cpp-httplib");
        return;
    }
    Service service(small_models(), {}, {.max_words = 5}, 2);
    IN_BROWSER_AS(result, result_of_page(service, std::string(steps) + R"(
        const error = document.getElementById("error");
        const lines = [error.hidden];
        await translated("<b>a</b> b c d e f");
        lines.push(error.hidden, error.textContent, document.querySelectorAll("article").length);
        await translated("Tom.");
        lines.push(error.hidden, document.querySelectorAll("article").length);
        await translated("x".repeat(500));
        document.querySelector("article details").open = true;
        lines.push(document.documentElement.scrollWidth <= innerWidth);  // nothing sticks out of the page
        await translated("");
        lines.push(document.querySelectorAll("article").length);
        return lines.join("\n");)"))
    CHECK(*result == "true\nfalse\n\"text\"[0] has 13 tokens, and 5 are the most\n0\ntrue\n1\ntrue\n1");
}
