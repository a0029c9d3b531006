#include <wengert/ops/onnx/onnx_graph.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <wengert/autograd/tape/scope.hpp>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/ops/onnx/internal/model.hpp>
#include <wengert/ops/ops.hpp>

#include "onnx_fixture.hpp"

using namespace wengert;

namespace {

using Tensors = std::vector<Tensor>;

/// The operators of a graph in their order, those of bodies in brackets behind theirs.
std::string operators(const onnx::Body& body) {
    std::string text;
    for (const onnx::Node& node : body.nodes) {
        text += (text.empty() ? "" : " ") + std::string(node.op);
        for (const auto& [name, value] : node.attributes)
            if (const auto* inner = std::get_if<std::shared_ptr<onnx::Body>>(&value))
                text += " (" + operators(**inner) + ")";
    }
    return text;
}
std::string operators(const OnnxGraph& graph) { return operators(graph.model().graph.main); }

/// Each step reads its own x and the state before, from the last to the first if `backward`.
Tensor recurrence(const Tensor& x, const Tensor& weight, bool backward, bool says_step = true) {
    Tensor state = zeros({x.dim(0), x.dim(2)});
    Tensors states(static_cast<std::size_t>(x.dim(1)));
    for (std::int64_t i = 0; i < x.dim(1); ++i) {
        const Step step(says_step ? i : 0);
        const std::int64_t t = backward ? x.dim(1) - 1 - i : i;
        const Tensor read = select(x, 1, t);  // first, whatever the compiler's order of operands
        state = tanh(matmul(state, weight) + read);
        states[static_cast<std::size_t>(t)] = state;
    }
    return concat({stack(states, 1), unsqueeze(state, 1)}, 1);
}

Tensor named_weight() {
    Tensor weight = cast(sample_values({3, 3}, -1, 1, 9), Dtype::float32);
    weight.set_parameter().set_name("cell.weight");
    return weight;
}

/// Records f at one size and has the fixture run it at another.
void check_at(OnnxFixture& fixture, const std::string& name, const OnnxFunction& f, std::vector<OnnxPort> ports,
              const Tensors& inputs) {
    const OnnxGraph graph = record_onnx(f, ports, {"y"});
    NamedTensors in;
    for (std::size_t i = 0; i < ports.size(); ++i) in.emplace_back(ports[i].name, inputs[i]);
    fixture.check(name, graph.serialized(), in, {{"y", f(inputs)[0]}});
}

Tensor floats(const Shape& shape, std::uint64_t seed = 1) {
    return cast(sample_values(shape, -1, 1, seed), Dtype::float32);
}

}  // namespace

TEST_CASE("record_onnx: inputs, outputs and the operators between") {
    const Tensor weight = named_weight();
    const OnnxGraph graph = record_onnx(
        [&](const Tensors& in) {
            return Tensors{relu(linear(in[0], weight)), sum(in[0], 0)};
        },
        {{"x", floats({2, 3}), {"batch", ""}}}, {"y", "sum"});
    CHECK(operators(graph) == "Gemm Relu ReduceSum");
    REQUIRE(graph.outputs().size() == 2);
    CHECK(graph.outputs()[0].axes == std::vector<std::string>{"batch", ""});
    CHECK(graph.outputs()[1].axes == std::vector<std::string>{""});
    CHECK(graph.inputs()[0].name == "x");
    // Recording leaves nothing behind.
    const Tape tape;
    CHECK(tape.size() == 0);
}

TEST_CASE("record_onnx: a loop under Step becomes a Scan, forward and backward") {
    const Tensor weight = named_weight();
    const std::vector<OnnxPort> ports{{"x", floats({2, 4, 3}), {"batch", "time", ""}}};
    for (const bool backward : {false, true}) {
        const OnnxGraph graph =
            record_onnx([&](const Tensors& in) { return Tensors{recurrence(in[0], weight, backward)}; }, ports, {"y"});
        CHECK(operators(graph) ==
              "Shape Concat ConstantOfShape Scan (MatMul Add Tanh Identity Identity) Unsqueeze Concat");
        CHECK(graph.outputs()[0].axes == std::vector<std::string>{"batch", "time + 1", ""});
    }
    // An axis without a name is as long as in the example, and the loop may be rolled or not.
    CHECK(operators(record_onnx([&](const Tensors& in) { return Tensors{recurrence(in[0], weight, false, false)}; },
                                {{"x", floats({2, 2, 3}), {"batch", "", ""}}}, {"y"})) ==
          "Shape Concat ConstantOfShape Gather MatMul Add Tanh Gather MatMul Add Tanh Unsqueeze Unsqueeze Concat "
          "Unsqueeze Concat");
}

TEST_CASE("record_onnx: ONNX Runtime computes the same at other lengths") {
    OnnxFixture fixture("graphs");
    const Tensor weight = named_weight();
    for (const bool backward : {false, true})
        check_at(fixture, backward ? "a loop backward" : "a loop",
                 [&](const Tensors& in) { return Tensors{recurrence(in[0], weight, backward)}; },
                 {{"x", floats({2, 4, 3}), {"batch", "time", ""}}}, {floats({5, 9, 3}, 2)});
    check_at(fixture, "shapes that follow from lengths",
             [](const Tensors& in) {
                 const std::int64_t rows = in[0].dim(0), steps = in[0].dim(1);
                 const Tensor flat = reshape(in[0], {rows * steps * 2}), places = arange(steps, Dtype::float32);
                 const Tensor counted = full({rows, 1}, static_cast<double>(steps)) + places;
                 return Tensors{reshape(flat, {rows, 2 * steps}) *
                                    expand(unsqueeze(slice(counted, 1, 0, 1), 0), {1, rows, 1})[0] +
                                mean(in[0])};
             },
             {{"x", floats({3, 2, 2}), {"batch", "time", ""}}}, {floats({2, 7, 2}, 3)});
    check_at(fixture, "two inputs of one batch, and ids",
             [](const Tensors& in) { return Tensors{embedding(in[0], in[1]) * unsqueeze(in[2], 1)}; },
             {{"table", floats({4, 3}), {}},
              {"ids", tensor(std::vector<std::int64_t>{3, 1}, {2}), {"batch"}},
              {"scale", floats({2}), {"batch"}}},
             {floats({4, 3}, 5), tensor(std::vector<std::int64_t>{0, 3, 2, 2, 1}, {5}), floats({5}, 6)});
    const std::string hostile = "he said \"<&>\"\n你好 \u202Eשלום\u202C " + std::string(300, 'x');
    Tensor odd = floats({3}, 7);
    odd.set_parameter().set_name("weight of " + hostile);
    check_at(fixture, "names of any text", [&](const Tensors& in) { return Tensors{in[0] * odd}; },
             {{hostile, floats({2, 3}), {"batch of " + hostile, ""}}}, {floats({4, 3}, 8)});
    check_at(fixture, "an output that is an input", [](const Tensors& in) { return Tensors{in[0]}; },
             {{"x", floats({2}), {"n"}}}, {floats({3}, 9)});
    check_at(fixture, "an output that is a constant", [](const Tensors&) { return Tensors{arange(3)}; },
             {{"x", floats({2}), {"n"}}}, {floats({3}, 9)});
    fixture.check_all_met();
}

TEST_CASE("record_onnx: what a graph cannot say is refused") {
    const std::vector<OnnxPort> x{{"x", floats({2, 3}), {"batch", ""}}};
    const auto message = [](const OnnxFunction& f, const std::vector<OnnxPort>& ports) -> std::string {
        try {
            record_onnx(f, ports, {"y"});
            return "";
        } catch (const ValueError& error) {
            return error.what();
        }
    };
    // Elements that were read and written without ops.
    const std::string copied = message(
        [](const Tensors& in) {
            const Scope scope("layer");
            return Tensors{in[0] + in[0].clone()};
        },
        x);
    CHECK_MESSAGE(copied.starts_with("record_onnx: a tensor [2, 3] float32 that add (layer, at "), copied);
    CHECK_MESSAGE(copied.ends_with(") reads changes with the inputs, and no op computed it from them"), copied);
    const std::string overwritten = message(
        [](const Tensors& in) {
            Tensor y = in[0] * 2;
            y.fill(1);
            return Tensors{y + 1};
        },
        x);
    CHECK_MESSAGE(overwritten.starts_with("add: add (at "), overwritten);
    CHECK_MESSAGE(overwritten.find("reads a tensor [2, 3] that was overwritten since it was computed or given, which a "
                                   "graph cannot say") != std::string::npos,
                  overwritten);
    // A branch that the elements take.
    CHECK(message(
              [](const Tensors& in) {
                  return Tensors{in[0].at({0, 0}) > in[0].at({1, 0}) ? tanh(in[0]) : exp(in[0])};
              },
              x) ==
          "record_onnx: another program ran at batch = 2 than at batch = 5: it differs at Tanh; a loop over an axis "
          "whose length calls decide says Step(t) in each step, and all steps are alike");
    // A loop over a named axis without steps.
    const Tensor weight = named_weight();
    const std::string unrolled =
        message([&](const Tensors& in) { return Tensors{recurrence(in[0], weight, false, false)}; },
                {{"x", floats({2, 4, 3}), {"batch", "time", ""}}});
    CHECK_MESSAGE(
        unrolled.starts_with("record_onnx: another program ran at batch = 2, time = 4 than at batch = 2, time "
                             "= 5: it differs at "),
        unrolled);
    // A length that is no multiple of one.
    const std::string halved =
        message([](const Tensors& in) { return Tensors{slice(in[0], 0, 0, in[0].dim(0) / 2)}; }, x);
    CHECK_MESSAGE(halved.starts_with(
                      "record_onnx: the size of axis 0 of output \"y\" is neither a multiple of lengths nor a length "
                      "and a number: 1 at batch = 2, 2 at batch = 5"),
                  halved);
}

TEST_CASE("record_onnx: ports") {
    const auto f = [](const Tensors& in) { return Tensors{in[0]}; };
    const Tensor x = floats({2, 3});
    const auto check = [&](const std::string& text, const auto& call) {
        try {
            call();
            FAIL_CHECK("nothing was thrown");
        } catch (const Error& error) {
            CHECK(std::string(error.what()) == text);
        }
    };
    check("record_onnx: an input has no name", [&] { record_onnx(f, {{"", x, {}}}, {"y"}); });
    check("record_onnx: two inputs are named \"x\"", [&] { record_onnx(f, {{"x", x, {}}, {"x", x, {}}}, {"y"}); });
    check("record_onnx: two outputs are named \"y\"", [&] { record_onnx(f, {{"x", x, {}}}, {"y", "y"}); });
    check("record_onnx: the example of input \"x\" is an undefined tensor", [&] {
        record_onnx(f, {{"x", {}, {}}}, {"y"});
    });
    check("record_onnx: input \"x\" has 1 names of axes and is [2, 3]", [&] {
        record_onnx(f, {{"x", x, {"batch"}}}, {"y"});
    });
    check(
        "record_onnx: the axis batch of input \"x\" [1, 3] is shorter than 2, so that what depends on it would not be "
        "seen",
        [&] {
            record_onnx(f, {{"x", floats({1, 3}), {"batch", ""}}}, {"y"});
        });
    check("record_onnx: the axis n of input \"z\" [3] is not as long as that of input \"x\"", [&] {
        record_onnx(f, {{"x", x, {"n", ""}}, {"z", floats({3}), {"n"}}}, {"y"});
    });
    check("record_onnx: the function has 1 outputs, and 2 are named", [&] {
        record_onnx(f, {{"x", x, {}}}, {"y", "z"});
    });
    check("record_onnx: an output is an undefined tensor", [&] {
        record_onnx([](const Tensors&) { return Tensors{Tensor()}; }, {{"x", x, {}}}, {"y"});
    });
    check("ONNX: a name or a text of the metadata is not valid UTF-8", [&] {
        record_onnx(f, {{"\xff", x, {}}}, {"y"}).serialized();
    });
}
