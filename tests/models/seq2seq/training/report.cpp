#include <doctest/doctest.h>

#include <chrono>
#include <limits>
#include <wengert/models/seq2seq/training/report.hpp>

#include "browser.hpp"

using namespace wengert;

namespace {

std::int64_t seconds_now() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

TrainingReport::Sample sample_translation(std::string translation, double weight) {
    return {"Tom sleeps.", "汤姆睡觉。", std::move(translation),
            AttentionMap{{"tom", "</s>"}, {"汤姆", "</s>"}, tensor({weight, 0.25, 0, 1}, {2, 2}), ""}};
}

TrainingReport small_report() {
    return {
        .title = "Training of out/m",
        .state = "epoch 2, step 20 of 40, 0:07 left",
        .step = 20,
        .steps = 40,
        .is_running = true,
        .written = seconds_now(),
        .facts = {{"system", "bahdanau"}},
        .charts = {{"Loss", "step", "nats", {{"training", {{1, 5}, {20, 2}}}}}, {"Empty", "step", "", {{"none", {}}}}},
        .validations = {{10, "epoch 1, step 10", {sample_translation("汤", 0.5)}},
                        {15, "epoch 1, step 15", {sample_translation("汤", 0.75)}},
                        {20, "epoch 2, step 20", {sample_translation("汤姆睡", 0.875)}}},
        .texts = {{"command line", "seq2seq train --model 'out/m'"}}};
}

}  // namespace

TEST_CASE("a report of a training lets its reader choose a validation, and remembers the choice in its address") {
    const std::string page = to_html(small_report());
    CHECK(page.find("http-equiv") == page.npos);
    CHECK(page.find("src=") == page.npos);
    CHECK(page.find(">Loss</text>") != page.npos);
    CHECK(page.find(">Empty</text>") == page.npos);
    const TemporaryDirectory directory;
    // As a reload finds it: the validation of step 15 was chosen, and the command line opened.
    write_file(directory.path() / "page.html", "<script>location.replace('#step=15&text0=1');</script>" + page);
    IN_BROWSER(result, directory.path() / "page.html", R"(
        const lines = [document.title, element("state").textContent, element("progress").position];
        const told = () => lines.push([element("chosen").textContent, document.querySelector(".map p").textContent,
                                       document.querySelector("table.weights td").title, location.hash].join(", "));
        told();
        lines.push([...document.querySelectorAll("details")].map(details => details.open).join(" "));
        lines.push(document.querySelector("pre").textContent);
        lines.push([...document.querySelectorAll(".changes tr")].map(row => row.className).join(" "));
        click("#before");
        told();
        lines.push(element("before").disabled);
        document.querySelectorAll(".strip button")[2].click();
        told();
        click("#tables");
        lines.push(document.querySelectorAll("table.weights").length + location.hash);
        lines.push(element("follows").hidden, element("age").className);
        return lines.join("\n");)")
    CHECK(*result ==
          "Training of out/m\n"
          "epoch 2, step 20 of 40, 0:07 left\n"
          "0.5\n"
          "epoch 1, step 15, 汤, 汤姆 from tom: 0.750, #step=15&text0=1\n"
          "false true\n"
          "seq2seq train --model 'out/m'\n"
          " same chosen \n"
          "epoch 1, step 10, 汤, 汤姆 from tom: 0.500, #step=10&text0=1\n"
          "true\n"
          "epoch 2, step 20, 汤姆睡, 汤姆 from tom: 0.875, #text0=1\n"
          "0#text0=1&tables=0\n"
          "false\nlabel");
}

TEST_CASE("a report shows text as it is, and says when its training has been silent for long") {
    TrainingReport report = small_report();
    const std::string hostile = "</script><img src=x onerror=alert(1)>\"'&amp;{{script}}\n\xff";
    report.title = report.state = hostile;
    report.facts = {{hostile, hostile}};
    report.charts[0].title = hostile;
    report.written = seconds_now() - 3600;
    // Of a system without attention, in a script from right to left.
    report.validations = {{10, hostile, {{"مرحبا", hostile, std::string(5000, 'x')}}}};
    report.texts = {{hostile, hostile}};
    const TemporaryDirectory directory;
    write_file(directory.path() / "page.html", to_html(report));
    IN_BROWSER(result, directory.path() / "page.html", R"(
        const shown = "<\/script><img src=x onerror=alert(1)>\"'&amp;{{script}}\n\uFFFD";
        return [document.querySelectorAll("img").length, element("title").textContent === shown,
                element("facts").rows[0].cells[1].textContent === shown, document.querySelector("pre").textContent === shown,
                getComputedStyle(document.querySelector("h3")).direction, document.querySelectorAll("canvas").length,
                document.documentElement.scrollWidth <= innerWidth, element("age").className,
                element("age").textContent].join("|");)")
    CHECK(
        *result ==
        "0|true|true|true|rtl|0|true|label warning|written 60 min ago; a training that runs writes more often: it may "
        "have been killed");
}

TEST_CASE("a report of a training that has begun has neither curves nor translations") {
    const TrainingReport report{.title = "new", .state = "step 0 of 9", .steps = 9};
    const std::string page = to_html(report);
    CHECK(page.find("<svg") == page.npos);
    CHECK(page.find("\"validations\":[]") != page.npos);
}

TEST_CASE("a report refuses what its charts and maps refuse") {
    TrainingReport report = small_report();
    report.charts[0].lines[0].points[0].y = std::numeric_limits<double>::infinity();
    CHECK_THROWS_WITH_AS(to_html(report), "line chart: \"training\" has the point (1, inf)", ValueError);
    report = small_report();
    report.validations[1].samples[0].attention->weights = zeros({1, 2});
    CHECK_THROWS_WITH_AS(to_html(report), "attention map: weights are [1, 2], but [target, source] words are [2, 2]",
                         ShapeError);
}
