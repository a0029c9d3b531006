#include <algorithm>
#include <wengert/autograd/observe/page.hpp>
#include <wengert/models/seq2seq/internal/attention_json.hpp>
#include <wengert/models/seq2seq/internal/pages.hpp>
#include <wengert/models/seq2seq/training/report.hpp>

namespace wengert {
namespace {

using nlohmann::ordered_json;

ordered_json in_page(const TrainingReport::Sample& sample) {
    ordered_json entry{{"source", sample.source}, {"reference", sample.reference}, {"translation", sample.translation}};
    if (sample.attention) entry["attention"] = as_json(*sample.attention);
    return entry;
}

ordered_json in_page(const TrainingReport& report) {
    ordered_json data{{"title", report.title},         {"state", report.state},
                      {"step", report.step},           {"steps", report.steps},
                      {"running", report.is_running},  {"written", report.written},
                      {"facts", report.facts},         {"validations", ordered_json::array()},
                      {"texts", ordered_json::array()}};
    for (const TrainingReport::Validation& validation : report.validations) {
        ordered_json entry{{"step", validation.step}, {"name", validation.name}, {"samples", ordered_json::array()}};
        for (const TrainingReport::Sample& sample : validation.samples) entry["samples"].push_back(in_page(sample));
        data["validations"].push_back(std::move(entry));
    }
    for (const TrainingReport::Text& text : report.texts)
        data["texts"].push_back({{"heading", text.heading}, {"text", text.text}});
    return data;
}

bool has_points(const LineChart& chart) {
    return std::ranges::any_of(chart.lines, [](const LineChart::Line& line) { return !line.points.empty(); });
}

}  // namespace

std::string to_html(const TrainingReport& report) {
    std::string charts;
    for (const LineChart& chart : report.charts)
        if (has_points(chart)) charts += to_svg(chart);
    const std::string data = in_page(report).dump(-1, ' ', false, ordered_json::error_handler_t::replace);
    return page::filled(report_page, {{"style", attention_style},
                                      {"charts", charts},
                                      {"data", page::in_script(data)},
                                      {"attention_script", attention_script},
                                      {"script", report_script}});
}

}  // namespace wengert
