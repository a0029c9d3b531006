#include <doctest/doctest.h>

#include <limits>
#include <wengert/autograd/check/gradcheck_model.hpp>
#include <wengert/autograd/tape/scope.hpp>
#include <wengert/autograd/transform/checkpoint.hpp>
#include <wengert/autograd/transform/custom_op.hpp>

#include "autograd/tiny_ops.hpp"

using namespace tiny;

namespace {

/// Right but for operands above a bound, as a rule may be that no sample tries.
Tensor cube_below(const Tensor& x, double bound) {
    const CustomOp op(
        "cube_below", [](const auto& in) { return mul(in[0], mul(in[0], in[0])); },
        [bound](const auto& in, const Tensor&, const Tensor& ct) {
            Values factors = elements(in[0]);
            for (double& v : factors) v = (v < bound ? 3 : 3.01) * v * v;
            return std::vector{mul(ct, tensor(factors, ct.shape()))};
        });
    return op(x);
}

struct TwoWeights {
    Tensor w = matrix({0.5, -0.3, 0.2, 0.8}, 2), v = vector({2, 30});
    TwoWeights() {
        w.set_name("w").set_parameter();
        v.set_name("v").set_parameter();
    }
    std::vector<Tensor> parameters() const { return {w, v}; }
    Tensor loss(double bound) const {
        Tensor h = matrix({1, 2, -0.5, 0.4}, 2);
        {
            const Scope scope("encoder");
            for (int t = 0; t < 2; ++t) {
                const Step step(t);
                h = tiny::tanh(product(h, w));
            }
        }
        const Scope scope("output");
        return add(sum(mul(h, h)), sum(cube_below(v, bound)));
    }
};

}  // namespace

TEST_CASE("gradcheck_model: a row for every node and operand that the tape follows") {
    const TwoWeights model;
    const std::vector<NodeCheck> rows = gradcheck_model([&] { return model.loss(1000); }, model.parameters());
    // product by w alone at first, then by both; tanh twice; mul by both; sum twice; cube_below; add by both.
    CHECK(rows.size() == 1 + 2 + 2 + 2 + 2 + 1 + 2);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        CAPTURE(rows[i].op);
        CAPTURE(rows[i].message);
        CHECK(rows[i].verdict == GradcheckVerdict::passed);
        CHECK(rows[i].error < 1e-7);
        if (i > 0) CHECK(rows[i - 1].error >= rows[i].error);
    }
    const auto by_w = std::ranges::count_if(rows, [](const NodeCheck& row) {
        return row.op == "product" && row.input == "operand 1 \"w\"" &&
               (row.scope == "encoder, step 0" || row.scope == "encoder, step 1") && row.where.line > 0;
    });
    CHECK(by_w == 2);
}

TEST_CASE("gradcheck_model: a rule that is wrong only where the model is stands first") {
    const TwoWeights model;
    const std::vector<NodeCheck> rows = gradcheck_model([&] { return model.loss(10); }, model.parameters());
    CHECK(rows[0].op == "cube_below");
    CHECK(rows[0].scope == "output");
    CHECK(rows[0].input == "operand 0 \"v\"");
    CHECK(rows[0].verdict == GradcheckVerdict::wrong_rule);
    CHECK(rows[0].message.find("by input 0 \"operand 0 \"v\"\" [2] at [1] is wrong") != std::string::npos);
    CHECK(rows[1].verdict == GradcheckVerdict::passed);
}

TEST_CASE("gradcheck_model: the values that nodes saw, whatever was written since, and views") {
    Tensor w = vector({1, 2, 3}), scratch = vector({5, 5});
    w.set_parameter();
    const auto loss = [&] {
        scratch.fill(5);
        const Tensor y = sum(mul(slice(w, 0, 1, 3), scratch));
        scratch.fill(not_a_number);
        return y;
    };
    const std::vector<NodeCheck> rows = gradcheck_model(loss, {w});
    CHECK(rows.size() == 3);  // slice, mul by the slice alone, sum
    for (const NodeCheck& row : rows) CHECK_MESSAGE(row.verdict == GradcheckVerdict::passed, row.message);
}

TEST_CASE("gradcheck_model: masked scores are left out, and what stands beside them is checked") {
    Tensor w = vector({1, 2, 3});
    w.set_parameter();
    const Tensor mask = vector({0, -std::numeric_limits<double>::infinity(), 0});
    const auto loss = [&] { return sum(slice(add(w, mask), 0, 0, 1)); };
    for (const int order : {1, 2}) {
        const std::vector<NodeCheck> rows = gradcheck_model(loss, {w}, {.order = order});
        CHECK(rows.size() == 3);
        for (const NodeCheck& row : rows) CHECK_MESSAGE(row.verdict == GradcheckVerdict::passed, row.message);
    }
    const auto wrong = [&] { return sum(slice(add(cube_below(w, 2.5), mask), 0, 0, 1)); };
    const std::vector<NodeCheck> rows = gradcheck_model(wrong, {w});
    CHECK(rows[0].op == "cube_below");
    CHECK(rows[0].verdict == GradcheckVerdict::wrong_rule);
}

TEST_CASE("gradcheck_model: second order, under a tape, and what cannot be run again") {
    const TwoWeights model;
    const Tape outer;
    const auto loss = [&] { return sum(checkpoint([](const Tensor& w) { return mul(w, w); }, model.w)); };
    const std::vector<NodeCheck> rows = gradcheck_model(loss, {model.w}, {.order = 2});
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].op == "checkpoint");
    CHECK(to_string(rows[0].verdict) == "not checked");
    CHECK(rows[1].op == "sum");
    CHECK(rows[1].verdict == GradcheckVerdict::passed);
}

TEST_CASE("gradcheck_model: what it does not take") {
    const TwoWeights model;
    CHECK_THROWS_WITH_AS(gradcheck_model([&] { return sum(model.w); }, model.parameters()),
                         "gradcheck_model: the loss does not use the parameter \"v\" [2]", TapeError);
    const Tensor unmarked = vector({1, 2});
    CHECK_THROWS_WITH_AS(gradcheck_model([&] { return sum(unmarked); }, {unmarked}),
                         "gradcheck_model: \"\" [2] was not marked by set_parameter(), so that no tape follows it",
                         TapeError);
    Tensor b = tensor({1, 2});
    b.set_name("b").set_parameter();
    CHECK_THROWS_WITH_AS(gradcheck_model([&] { return sum(b); }, {b}),
                         "gradcheck_model: the parameter \"b\" [2] is float32; differences need float64", DtypeError);
}

TEST_CASE("gradcheck_model: what failed is shown while its tape lives, once") {
    const TwoWeights model;
    int calls = 0;
    const auto show = [&](const Tape& tape, const NodeCheck& row, const Tensor& loss) {
        ++calls;
        CHECK(row.op == "cube_below");
        CHECK(tape[row.node].name() == "cube_below");
        CHECK(tape.find(loss) > row.node);
    };
    gradcheck_model([&] { return model.loss(1000); }, model.parameters(), {}, show);
    CHECK(calls == 0);
    gradcheck_model([&] { return model.loss(10); }, model.parameters(), {}, show);
    CHECK(calls == 1);
}

TEST_CASE("gradcheck_model: a table by scope, the worst node on top") {
    const auto row = [](const char* op, const char* scope, double error, GradcheckVerdict verdict) {
        return NodeCheck{3, op, scope, "operand 0", SourceLine(), error, verdict, "why"};
    };
    const std::vector<NodeCheck> rows{row("cube", "output", 1e-2, GradcheckVerdict::wrong_rule),
                                      row("checkpoint", "", 0, GradcheckVerdict::not_checked),
                                      row("tanh", "encoder, step 1", 2e-10, GradcheckVerdict::passed),
                                      row("加", "output", 1e-11, GradcheckVerdict::passed)};
    const std::string text = to_string(rows), line = to_string(SourceLine());
    const auto with_line = [&](const std::string& row) { return row + line + "\n"; };
    CHECK(text ==
          "op                     operand                      worst error  verdict            line\n"
          "output\n" +
              with_line("  cube                 operand 0                        1.0e-02  wrong rule         ") +
              with_line("  加                   operand 0                        1.0e-11  passed             ") +
              "(no scope)\n" +
              with_line("  checkpoint           operand 0                              -  not checked        ") +
              "encoder, step 1\n" +
              with_line("  tanh                 operand 0                        2.0e-10  passed             ") +
              "4 checks: 2 passed, 1 failed, 1 not checked\n");
    CHECK(to_string(std::vector<NodeCheck>{}).ends_with("line\n0 checks: 0 passed, 0 failed, 0 not checked\n"));
    const TwoWeights model;
    const std::string whole = to_string(gradcheck_model([&] { return model.loss(10); }, model.parameters()));
    CAPTURE(whole);
    CHECK(whole.find("\noutput\n  cube_below           operand 0 \"v\"") != std::string::npos);
    CHECK(whole.find("\nencoder, step 1\n") != std::string::npos);
    CHECK(whole.ends_with("\n12 checks: 11 passed, 1 failed, 0 not checked\n"));
}
