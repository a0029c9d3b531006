#include <doctest/doctest.h>

#include <wengert/ops/onnx/internal/model.hpp>
#include <wengert/ops/onnx/onnx_graph.hpp>
#include <wengert/ops/ops.hpp>

#include "onnx_fixture.hpp"

using namespace wengert;

namespace {

using LoopTensors = std::vector<Tensor>;

const Tensor loop_start = tensor({1, 2, 3}), loop_by = tensor({1, 0.5, 2});

/// x is doubled and b added, as long as one is below 20.
OnnxGraph doubling() {
    const OnnxGraph before = record_onnx(
        [](const LoopTensors& in) {
            return LoopTensors{in[0] * 1, in[1]};
        },
        {{"a", loop_start, {"n"}}, {"b", loop_by, {"n"}}}, {"x", "b"});
    const OnnxGraph step = record_onnx(
        [](const LoopTensors& in) {
            const Tensor next = in[0] * 2 + in[1];
            return LoopTensors{any(next < 20), next, next};
        },
        {{"x", loop_start, {"n"}}, {"b", loop_by, {"n"}}}, {"go_on", "next.x", "all"});
    return onnx_loop(before, step, "limit");
}

/// The same here.
Tensor doubled(Tensor x, const Tensor& b, std::int64_t limit) {
    LoopTensors all;
    for (bool goes_on = true; goes_on && std::ssize(all) < limit;) {
        x = x * 2 + b;
        all.push_back(x);
        goes_on = any(x < 20).item<bool>();
    }
    return stack(all, 1);
}

}  // namespace

TEST_CASE("onnx_loop: ONNX Runtime takes as many steps as this program") {
    OnnxFixture fixture("loops");
    const OnnxGraph graph = doubling();
    REQUIRE(graph.inputs().size() == 3);
    CHECK(graph.inputs()[2].name == "limit");
    CHECK(graph.outputs()[0].axes == std::vector<std::string>{"n", "steps"});
    const Tensor a = tensor({0, 1, 5, 30}), b = tensor({1, 1, 0, 1});
    for (const std::int64_t limit : {2, 100}) {
        const Tensor all = doubled(a, b, limit);
        CHECK(all.dim(1) == (limit == 2 ? 2 : 5));
        fixture.check(fmt::format("at most {} steps", limit), graph.serialized(),
                      {{"a", a}, {"b", b}, {"limit", scalar(static_cast<double>(limit), Dtype::int64)}},
                      {{"all", all}});
    }
    fixture.check_all_met();
}

TEST_CASE("onnx_loop: ports that do not fit") {
    const auto same = [](const LoopTensors& in) { return in; };
    const OnnxGraph before = record_onnx(same, {{"x", loop_start, {}}}, {"x"});
    CHECK_THROWS_WITH_AS(onnx_loop(before, before, "limit"), "onnx_loop: the step has no output \"go_on\"", ValueError);
    const OnnxGraph step =
        record_onnx([](const LoopTensors& in) { return LoopTensors{any(in[0])}; }, {{"y", loop_start, {}}}, {"go_on"});
    CHECK_THROWS_WITH_AS(onnx_loop(before, step, "limit"),
                         "onnx_loop: the step reads \"y\", which is no output of what comes before", ValueError);
}
