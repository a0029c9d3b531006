#include <doctest/doctest.h>

#include <wengert/autograd/observe/graph_diff.hpp>

#include "autograd/named_op.hpp"

using namespace sketch;

namespace {

/// The outline of a tape of one scope with these ops, each with its length.
TapeOutline made_of(const std::vector<std::pair<std::string, int>>& ops, const std::string& scope = "cell") {
    TapeOutline result;
    for (const auto& [name, length] : ops) result.ops.push_back({scope, name, "[" + std::to_string(length) + "]"});
    return result;
}

}  // namespace

TEST_CASE("an outline is what a tape recorded, and outlives it") {
    TapeOutline result;
    {
        const Tensor w = parameter("w", {3});
        const Tape tape;
        const Scope scope("layer");
        const Tensor h = compute<"exp">({3}, {&w});
        compute<"sum">({}, {&h});
        result = outline(tape);
    }
    REQUIRE(result.ops.size() == 2);
    CHECK(result.ops[0].scope == "layer");
    CHECK(result.ops[0].name == "exp");
    CHECK(result.ops[0].type == "[3] float32");
    CHECK(result.leaves == 1);
    CHECK(result.bytes == 24);
}

TEST_CASE("equal tapes do not differ, and neither do empty ones") {
    const TapeOutline one = made_of({{"a", 1}, {"b", 2}});
    CHECK(diff(one, one).empty());
    CHECK(diff({}, {}).empty());
    CHECK(describe(diff(one, one)).empty());
}

TEST_CASE("ops that were added, removed or changed are told, and the others keep their order") {
    const TapeOutline before = made_of({{"linear", 4}, {"tanh", 4}, {"linear", 4}, {"sum", 1}});
    const TapeOutline after = made_of({{"linear", 4}, {"sigmoid", 4}, {"dropout", 4}, {"linear", 8}, {"sum", 1}});
    CHECK(describe(diff(before, after)) ==
          "cell\n"
          "  - tanh [4]\n"
          "  + sigmoid [4]\n"
          "  + dropout [4]\n"
          "  ~ linear [4] -> [8]\n");
    CHECK(describe(diff(after, before)) ==
          "cell\n"
          "  - sigmoid [4]\n"
          "  - dropout [4]\n"
          "  + tanh [4]\n"
          "  ~ linear [8] -> [4]\n");
    CHECK(describe(diff({}, made_of({{"a", 1}, {"a", 1}, {"a", 1}}, ""))) == "(outside of scopes)\n  + a [1], ×3\n");
    CHECK(describe(diff(made_of({{"a", 1}}), {})) == "cell\n  - a [1]\n");
}

TEST_CASE("scopes are compared by themselves") {
    TapeOutline before = made_of({{"a", 1}}, "x"), after = made_of({{"b", 1}}, "y");
    before.ops.push_back({"y", "b", "[1]"});
    CHECK(describe(diff(before, after)) == "x\n  - a [1]\n");
    const std::string hostile = "\"<&\n汤姆";
    CHECK(describe(diff({}, made_of({{"a", 1}}, hostile))).starts_with(hostile));
}

TEST_CASE("edits are the fewest there are, against the table of all ways") {
    std::uint32_t state = 1;
    const auto random = [&state](std::uint32_t below) {
        return (state = state * 1664525 + 1013904223) / 65536 % below;
    };
    for (int trial = 0; trial < 200; ++trial) {
        std::vector<std::pair<std::string, int>> a, b;
        for (std::uint32_t i = random(12); i > 0; --i)
            a.emplace_back(std::string(1, static_cast<char>('a' + random(3))), 1);
        for (std::uint32_t i = random(12); i > 0; --i)
            b.emplace_back(std::string(1, static_cast<char>('a' + random(3))), 1);
        std::vector<std::vector<std::size_t>> common(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
        for (std::size_t i = 0; i < a.size(); ++i)
            for (std::size_t j = 0; j < b.size(); ++j)
                common[i + 1][j + 1] = a[i] == b[j] ? common[i][j] + 1 : std::max(common[i][j + 1], common[i + 1][j]);
        std::int64_t edits = 0;
        for (const TapeChange& change : diff(made_of(a), made_of(b))) edits += change.count;
        CHECK(edits == static_cast<std::int64_t>(a.size() + b.size() - 2 * common[a.size()][b.size()]));
    }
}

TEST_CASE("tapes with nothing in common take no longer for it") {
    std::vector<std::pair<std::string, int>> a(20'000, {"a", 1}), b(20'000, {"b", 1});
    const std::vector<TapeChange> changes = diff(made_of(a), made_of(b));
    REQUIRE(changes.size() == 2);
    CHECK(changes[0].count == 20'000);
    CHECK(changes[1].kind == TapeChange::Kind::added);
}
