#include <algorithm>
#include <nlohmann/json.hpp>
#include <wengert/autograd/observe/internal/closing.hpp>
#include <wengert/autograd/observe/internal/graph_page.hpp>
#include <wengert/autograd/observe/page.hpp>

namespace wengert {
namespace {

using nlohmann::json;

const char* kind_in_page(Drawing::Kind kind) {
    using Kind = Drawing::Kind;
    switch (kind) {
        case Kind::parameter:
            return "parameter";
        case Kind::input:
            return "input";
        case Kind::constant:
            return "constant";
        case Kind::view:
            return "view";
        case Kind::result:
            return "result";
        case Kind::rule:
            return "rule";
        case Kind::gradient:
            return "gradient";
        case Kind::op:
        case Kind::closed:
        case Kind::closed_result:
            break;
    }
    return "op";
}

json totals_in_page(const GraphTotals& totals) {
    return {{"nodes", totals.nodes},
            {"bytes", totals.bytes},
            {"forward", totals.forward_seconds},
            {"backward", totals.backward_seconds}};
}

json data_of(const Drawing& drawing, const GraphOptions& options) {
    const Palette families(drawing, GraphColor::op);
    json data{{"title", options.title},
              {"color", options.color == GraphColor::op     ? "op"
                        : options.color == GraphColor::time ? "time"
                                                            : "memory"},
              {"timed", options.profile != nullptr},
              {"totals", totals_in_page(drawing.totals)},
              {"boxes", json::array()},
              {"vertices", json::array()},
              {"arrows", json::array()},
              {"families", json::array()},
              {"shades", json::array()}};
    for (const Palette::Entry& entry : families.legend())
        data["families"].push_back({{"label", entry.label}, {"fill", entry.paint.fill}});
    for (const Palette::Shade& shade : Palette::shades())
        data["shades"].push_back({{"from", shade.from}, {"fill", shade.paint.fill}, {"text", shade.paint.text}});
    for (const Drawing::Box& box : drawing.boxes) {
        json entry = totals_in_page(box.totals);
        entry.update({{"title", box.title}, {"parent", box.parent}, {"repeated", box.is_repeated}});
        data["boxes"].push_back(std::move(entry));
    }
    for (const Drawing::Vertex& vertex : drawing.vertices) {
        json entry = totals_in_page(vertex.totals);
        entry.update({{"kind", kind_in_page(vertex.kind)},
                      {"name", vertex.name},
                      {"label", vertex.label},
                      {"detail", vertex.detail},
                      {"box", vertex.box},
                      {"family", families.number_of(vertex.family)},
                      {"finite", vertex.is_finite},
                      {"marked", vertex.is_marked}});
        data["vertices"].push_back(std::move(entry));
    }
    for (const Drawing::Arrow& arrow : drawing.arrows)
        data["arrows"].push_back({arrow.from, arrow.to, arrow.is_carried, arrow.is_saved, arrow.label,
                                  arrow.is_sideways, arrow.is_backward});
    return data;
}

}  // namespace

std::string graph_page(const Drawing& drawing, const GraphOptions& options) {
    constexpr int side_by_side = 60;
    const json data = data_of(part(drawing, side_by_side), options);
    return page::filled(graph_page_html,
                        {{"data", page::in_script(data.dump(-1, ' ', false, json::error_handler_t::replace))},
                         {"script", graph_page_script}});
}

}  // namespace wengert
