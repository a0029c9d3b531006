#include <doctest/doctest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <wengert/autograd/observe/internal/graph_page.hpp>

#include "autograd/named_op.hpp"
#include "browser.hpp"

using namespace sketch;
using nlohmann::json;

namespace {

/// An encoder's layer, and a decoder of three steps, each with a part of its own.
void record_model() {
    const Tensor w = parameter("encoder.weight", {4, 4}), v = parameter("decoder.weight", {4, 4});
    Tensor h;
    {
        const Scope encoder("encoder");
        const Tensor product = compute<"matmul">({2, 4}, {&w, &w});
        h = compute<"tanh">({2, 4}, {&product});
    }
    {
        const Scope decoder("decoder");
        for (int t = 0; t < 3; ++t) {
            const Step step(t);
            const Scope cell("cell");
            const Tensor product = compute<"linear">({2, 4}, {&h, &v});
            h = compute<"sigmoid">({2, 4}, {&product});
        }
    }
    compute<"sum">({}, {&h});
}

std::filesystem::path write_page(const TemporaryDirectory& directory, const Tape& tape, GraphOptions options = {}) {
    write_graph(tape, directory.path() / "graph.html", options);
    return directory.path() / "graph.html";
}

json data_in(const std::string& page) {
    const std::string begin = "<script id=\"data\" type=\"application/json\">";
    const std::size_t at = page.find(begin) + begin.size();
    return json::parse(page.substr(at, page.find("</script>", at) - at));
}

}  // namespace

TEST_CASE("page: it refers to nothing outside of it, and has every node") {
    Tape tape;
    record_model();
    const TemporaryDirectory directory;
    const std::string page = content_of(write_page(directory, tape, {.title = "A model"}));
    for (const char* const outside : {"http-equiv", "src=", "href=", "@import", "url(h", "fetch(", "XMLHttpRequest"})
        CHECK_MESSAGE(page.find(outside) == page.npos, outside);
    CHECK(page.find("{{") == page.npos);
    const json data = data_in(page);
    CHECK(data["title"] == "A model");
    CHECK(data["totals"]["nodes"] == 9);
    CHECK(data["boxes"].size() == 5);  // a step holds nothing but its cell, and leaves it its place
    std::size_t ops = 0;
    for (const json& vertex : data["vertices"]) ops += vertex["kind"] == "op" || vertex["kind"] == "result";
    CHECK(ops == 9);
}

TEST_CASE("page: any name is text") {
    const std::string hostile =
        "</script><script>document.body.dataset.broken = 1</script><!-- \" ' & \\ \n {{data}} שלום 汤姆\xff";
    const Tensor w = parameter(hostile + std::string(3000, 'x'), {2});
    Tape tape;
    compute<"exp">({2}, {&w});
    const TemporaryDirectory directory;
    const auto page = write_page(directory, tape, {.title = hostile});
    CHECK(content_of(page).find("<script>document.body") == std::string::npos);
    IN_BROWSER(seen, page,
               "return [document.body.dataset.broken, document.title.includes('<\\/script>'), "
               "document.querySelector('.vertex.parameter title').textContent.includes('שלום 汤姆\\ufffd')].join()");
    CHECK(*seen == ",true,true");
}

TEST_CASE("page: an empty tape is an empty page") {
    const Tape tape;
    const TemporaryDirectory directory;
    const auto page = write_page(directory, tape);
    IN_BROWSER(seen, page,
               "return document.querySelectorAll('.vertex, .box').length + ' ' + "
               "document.getElementById('totals').textContent");
    CHECK(*seen == "0 an empty tape");
}

TEST_CASE("page: clicks open and close boxes, and follow a tensor") {
    Tape tape;
    record_model();
    const TemporaryDirectory directory;
    const auto page = write_page(directory, tape);
    IN_BROWSER(seen, page, R"(
        const count = selector => document.querySelectorAll(selector).length;
        const text = () => document.getElementById('chosen').textContent;
        const said = [];
        said.push('open ' + count('.vertex'));
        click('#close');
        said.push('closed ' + count('.vertex') + ' ' + count('.box.closed'));
        click('.box.closed[data-box="0"]');
        said.push('encoder ' + count('.vertex'));
        click('.box[data-box="0"] .handle');
        said.push('closed ' + count('.vertex'));
        click('#open');
        const tanh = [...document.querySelectorAll('.vertex')].find(v => v.textContent.startsWith('tanh'));
        click(`[data-vertex="${tanh.dataset.vertex}"]`);
        said.push('chosen ' + count('.vertex.chosen') + ' in ' + count('.vertex.into') + ' out ' + count('.vertex.out'));
        said.push('arrows in ' + count('.arrow.into') + ' out ' + count('.arrow.out'));
        said.push(text().includes('Inputs (1)') && text().includes('Outputs (1)') && text().includes('encoder'));
        click('#whole');
        said.push('to the ends in ' + count('.vertex.into') + ' out ' + count('.vertex.out'));
        click('#close');
        document.querySelector('#chosen [data-goto]').click();
        said.push('gone to ' + document.querySelector('.vertex.chosen .title').textContent);
        return said.join('; ');)");
    CHECK(*seen ==
          "open 13; closed 1 2; encoder 4; closed 1; chosen 1 in 1 out 1; arrows in 1 out 1; true; "
          "to the ends in 2 out 7; gone to matmul");
}

TEST_CASE("page: the search opens what it finds, and colours show time and memory") {
    Tape tape;
    const NodeProfile profile;
    record_model();
    const TemporaryDirectory directory;
    const auto page = write_page(directory, tape, {.profile = &profile});
    IN_BROWSER(seen, page, R"(
        const said = [], box = document.getElementById('search'), color = document.getElementById('color');
        click('#close');
        const search = wanted => {
            box.value = wanted;
            box.dispatchEvent(new Event('input'));
            return document.querySelectorAll('#found li').length;
        };
        said.push(search('SIGMOID'), search('decoder.cell'), search('nowhere'), search('sigmoid'));
        box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter'}));
        said.push(document.querySelector('.vertex.chosen .title').textContent);
        const fills = () => new Set([...document.querySelectorAll('.vertex:not(.parameter) rect')].map(r => r.style.fill)).size;
        click('#open');
        color.value = 'time';
        color.onchange();
        said.push(document.getElementById('legend').textContent.includes(' ms'));
        color.value = 'memory';
        color.onchange();
        said.push(document.getElementById('legend').textContent.includes(' bytes'), fills() > 1);
        return said.join();)");
    CHECK(*seen == "3,9,0,3,sigmoid,true,true,true");
}

TEST_CASE("page: 10,000 nodes outside of all scopes stand in parts that open one by one") {
    const Tensor w = parameter("w", {2});
    Tape tape;
    Tensor h = w;
    for (int i = 0; i < 10'000; ++i) h = compute<"tanh">({2}, {&h});
    const TemporaryDirectory directory;
    const auto page = write_page(directory, tape);
    IN_BROWSER(seen, page, R"(
        const count = () => document.querySelectorAll('.vertex, .box').length;
        const before = count(), began = performance.now();
        click('.box.closed');
        const took = performance.now() - began;
        return [before > 2 && before < 200, count() > before, count() < 400, took < 3000].join();)");
    CHECK(*seen == "true,true,true,true");
}
