#include <doctest/doctest.h>

#include <map>
#include <set>
#include <vector>
#include <wengert/ops/all_ops.hpp>
#include <wengert/ops/ops.hpp>

#include "seq2seq/gradient_checks.hpp"

using namespace wengert;
using namespace wengert::program;

namespace {

/// The orders in which each subject was checked; every check must pass.
class Table {
  public:
    GradientCheckReport report() {
        return [this](const GradientCheck& row) {
            CAPTURE(row.subject);
            CAPTURE(row.order);
            CAPTURE(row.message);
            CHECK(row.verdict == (row.order == 0 ? Verdict::not_differentiable : Verdict::passed));
            CHECK(row.worst_error < 1e-6);
            for (const GradcheckInput& input : row.inputs) {
                CHECK(input.worst_error <= row.worst_error);
                inputs_[row.subject].insert(input.name);
            }
            orders_[row.subject].insert(row.order);
        };
    }
    const std::set<int>& orders(std::string_view subject) { return orders_[std::string(subject)]; }
    const std::set<std::string>& inputs(std::string_view subject) { return inputs_[std::string(subject)]; }
    std::size_t size() const { return orders_.size(); }

  private:
    std::map<std::string, std::set<int>> orders_;
    std::map<std::string, std::set<std::string>> inputs_;
};

}  // namespace

TEST_CASE("every op's gradients are right in first and second order") {
    Table table;
    check_ops(table.report());
    std::set<std::string_view> constants;
    std::set<std::string_view> names;
    for (const OpEntry& op : all_sampled()) {
        CAPTURE(op.name);
        names.insert(op.name);
        CHECK(table.orders(op.name) == (op.differentiable ? std::set<int>{1, 2} : std::set<int>{0}));
        if (!op.differentiable) constants.insert(op.name);
    }
    CHECK(table.size() == names.size());
    // What is not differentiable is known: were it more, an op would have lost its derivative.
    const std::set<std::string_view> known{"greater", "greater_equal",  "less",          "less_equal",
                                           "equal",   "not_equal",      "logical_and",   "logical_or",
                                           "argmax",  "logical_xor",    "count_nonzero", "argsort",
                                           "argmin",  "running_argmax", "searchsorted",  "pool_argmax"};
    CHECK(constants == known);
}

TEST_CASE("every node of the reference system is right where it stands") {
    Table table;
    check_nodes(table.report());
    CHECK(table.size() > 30);
}

TEST_CASE("one op is checked by its name") {
    Table table;
    check_ops(table.report(), "softmax");
    CHECK(table.size() == 1);
    CHECK(table.orders("softmax") == std::set<int>{1, 2});
    CHECK_THROWS_WITH_AS(check_ops(table.report(), "soft"), "there is no op soft; docs/ops.md has all", ValueError);
}

TEST_CASE("a function is checked by its name, which may be one of several of a row") {
    for (const auto& [name, row] : std::map<std::string, std::string>{{"max_pool1d", "max_pool2d"},
                                                                      {"conv1d", "convolution"},
                                                                      {"batch_norm", "batch_norm"},
                                                                      {"median", "quantile"}}) {
        CAPTURE(name);
        Table table;
        check_ops(table.report(), name);
        CHECK(table.size() == 1);
        CHECK(table.orders(row) == std::set<int>{1, 2});
    }
    CHECK_THROWS_WITH_AS(check_ops({}, "isnan"), "isnan has no derivative to check", ValueError);
}

TEST_CASE("each operand of each sample has its error") {
    Table table;
    check_ops(table.report(), "dot");
    CHECK(table.inputs("dot") == std::set<std::string>{"[4], [4]: input 0", "[4], [4]: input 1",
                                                       "[4], [4]: the cotangent", "[2, 3], [3]: input 0",
                                                       "[2, 3], [3]: input 1", "[2, 3], [3]: the cotangent"});
}

TEST_CASE("every layer's gradients, and the model's, are right in first and second order") {
    Table table;
    check_layers(table.report());
    for (const char* const layer : {"Linear",
                                    "Embedding",
                                    "LayerNorm",
                                    "GruCell, reset after",
                                    "GruCell, reset before",
                                    "Gru, 2 layers, reset before, bidirectional, lengths",
                                    "LstmCell",
                                    "Lstm, 2 layers, bidirectional, lengths",
                                    "RnnCell, relu",
                                    "Rnn, 2 layers, bidirectional, lengths",
                                    "Lstm, 2 layers, layer norms, residual",
                                    "BahdanauAttention, lengths",
                                    "LuongAttention, general, lengths",
                                    "LocalPredictiveAttention, lengths",
                                    "CoverageAttention, two steps, neural, lengths",
                                    "MultiHeadAttention, causal, lengths",
                                    "TransformerEncoder, norm first, lengths",
                                    "TransformerDecoder, lengths",
                                    "bahdanau loss",
                                    "transformer loss"}) {
        CAPTURE(layer);
        CHECK(table.orders(layer) == std::set<int>{1, 2});
    }
}
