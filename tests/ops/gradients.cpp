#include <doctest/doctest.h>

#include <cmath>
#include <concepts>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <source_location>
#include <tuple>
#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/ops/elementwise/elementwise_op.hpp>
#include <wengert/ops/ops.hpp>

using namespace wengert;

namespace {

/// What the checks below need of an op; one that has it not does not compile as a part of AllOps.
template <class Op>
concept Sampled = Operation<Op> && requires {
    { Op::samples() } -> std::same_as<std::vector<Sample>>;
};

template <class... Ops>
std::tuple<Ops...> as_tuple(OpList<Ops...>);
template <class... Ops>
constexpr bool all_sampled(OpList<Ops...>) {
    return (Sampled<Ops> && ...);
}
using EveryOp = decltype(as_tuple(AllOps{}));

static_assert(all_sampled(AllOps{}));

struct Unproven {
    static constexpr std::string_view name = "unproven";
    static constexpr Saves saves = Saves::nothing;
    Shape shape(const Inputs& in) const { return in[0].shape(); }
    void forward(const Inputs& in, const Destination& out) const { write(in[0], out); }
    void vjp(Backward& back) const { back.add(0, back.cotangent()); }
};
struct Proven : Unproven {
    static std::vector<Sample> samples() { return {}; }
};
struct Formula {
    auto operator()(const auto& x) const { return x; }
};

static_assert(Operation<Unproven> && !Sampled<Unproven>, "an op without samples is refused");
static_assert(!all_sampled(OpList<Max, Unproven>{}), "and so is a list that contains one");
static_assert(Sampled<Proven> && !is_listed<Proven>, "an op that is not in the list is told from those that are");
static_assert(!Sampled<Map<Formula, 1>>, "a formula without samples is none of the ops");
static_assert(is_listed<Max> && is_listed<Map<Where, 3>> && !is_listed<Map<Where, 2>>);

template <class... Ops>
constexpr bool all_listed(OpList<Ops...>) {
    return (is_listed<Ops> && ...);
}
using Families = Join<ExtremeOps, SoftmaxOps, ViewOps, CopyOps, JoinOps, IndexOps>;

static_assert(std::same_as<Join<OpList<Max>, OpList<>, OpList<Min, ArgMax>>, OpList<Max, Min, ArgMax>>);
static_assert(std::same_as<Join<>, OpList<>>);
static_assert(all_listed(Families{}));

bool any_input_moves(const Sample& sample) {
    for (const Tensor& input : sample.inputs)
        if (is_floating(input.dtype()) && input.numel() > 0) return true;
    return false;
}

}  // namespace

TEST_CASE_TEMPLATE_DEFINE("gradients: first and second order of every op", Op, every_gradient) {
    const std::vector<Sample> samples = Op::samples();
    REQUIRE(!samples.empty());
    bool any_moves = false;
    for (const Sample& sample : samples) {
        CAPTURE(Op::name);
        CAPTURE(sample.label);
        any_moves |= any_input_moves(sample);
        if constexpr (Differentiable<Op>) {
            for (const int order : {1, 2}) {
                const GradcheckResult result = gradcheck(sample.f, sample.inputs, {.order = order});
                CHECK_MESSAGE(result.passed, result.message);
            }
        } else {
            Tape tape;
            for (const Tensor& input : sample.inputs) tape.watch(input);
            const Tensor result = sample.f(sample.inputs);
            const std::string text =
                "gradient: the result comes from " + std::string(Op::name) + ", which has no derivative";
            try {
                tape.gradient(result, sample.inputs, {.cotangent = zeros(result.shape(), result.dtype())});
                FAIL_CHECK("a gradient of " << Op::name);
            } catch (const NotDifferentiableError& error) {
                CHECK(std::string(error.what()).substr(0, text.size()) == text);
            }
        }
    }
    CHECK(any_moves);
}
TEST_CASE_TEMPLATE_APPLY(every_gradient, EveryOp);

/// Inputs that are used again after the op have a cotangent already when its rule runs.
TEST_CASE_TEMPLATE_DEFINE("gradients: every op adds to what is there", Op, every_addition) {
    if constexpr (Differentiable<Op>) {
        for (const Sample& sample : Op::samples()) {
            CAPTURE(Op::name);
            CAPTURE(sample.label);
            std::vector<Tensor> inputs;
            for (const Tensor& input : sample.inputs)
                if (is_floating(input.dtype())) inputs.push_back(input);
            const auto gradients = [&](double weight) {
                Tape tape;
                for (const Tensor& input : inputs) tape.watch(input);
                Tensor total = sum(sample.f(sample.inputs));
                for (const Tensor& input : inputs) total = total + sum(input) * weight;
                return tape.gradient(total, inputs);
            };
            const std::vector<Tensor> alone = gradients(0), added = gradients(3);
            for (std::size_t k = 0; k < inputs.size(); ++k) {
                const auto a = alone[k].to_vector<double>(), b = added[k].to_vector<double>();
                for (std::size_t i = 0; i < a.size(); ++i)
                    CHECK((b[i] == doctest::Approx(a[i] + 3).epsilon(1e-12) || std::isnan(a[i])));
            }
        }
    }
}
TEST_CASE_TEMPLATE_APPLY(every_addition, EveryOp);

TEST_CASE_TEMPLATE_DEFINE("gradients: what a recorded pass records bears the line of the op whose rule it is", Op,
                          every_line) {
    if constexpr (Differentiable<Op>) {
        for (const Sample& sample : Op::samples()) {
            CAPTURE(Op::name);
            CAPTURE(sample.label);
            Tape tape;
            std::vector<Tensor> inputs;
            for (const Tensor& input : sample.inputs) {
                if (!is_floating(input.dtype())) continue;
                tape.watch(input);
                inputs.push_back(input);
            }
            const Tensor result = sample.f(sample.inputs);
            std::set<std::string> lines;
            const NodeId end = tape.size();
            for (NodeId id = 0; id < end; ++id) lines.insert(to_string(tape[id].where()));
            const Tensor cotangent = sample_values(result.shape(), -1, 1, 9);
            tape.gradient(result, inputs, {.create_graph = true, .cotangent = cotangent});
            for (NodeId id = end; id < tape.size(); ++id) {
                CAPTURE(tape[id].name());
                CAPTURE(to_string(tape[id].where()));
                CHECK(lines.contains(to_string(tape[id].where())));
            }
        }
    }
}
TEST_CASE_TEMPLATE_APPLY(every_line, EveryOp);

TEST_CASE("gradients: what fails in a recorded rule is an error of the op whose rule it is, at its line") {
    const Tensor x = zeros({1}, Dtype::float64);
    const DetectAnomalies detect;
    Tape tape;
    tape.watch(x);
    const Tensor y = sqrt(x);
    const std::string line = to_string(SourceLine(std::source_location::current()));
    try {
        tape.gradient(y, x, {.create_graph = true});
        FAIL_CHECK("nothing was thrown");
    } catch (const NonFiniteError& error) {
        const std::string what = error.what(), here = line.substr(0, line.rfind(':'));
        CHECK(what.starts_with("sqrt: forward produced inf at [0] of the result [1]"));
        CHECK(what.ends_with("\n  at " + here + ":" + std::to_string(tape[1].where().line)));
    }
}

TEST_CASE_TEMPLATE_DEFINE("gradients: an op that no tape follows makes no node", Op, every_forward) {
    for (const Sample& sample : Op::samples()) {
        CAPTURE(Op::name);
        CAPTURE(sample.label);
        CHECK(Recording::current() == nullptr);
        const Tensor free = sample.f(sample.inputs);
        CHECK(free.state()->recording == 0);
        CHECK(free.state()->node == no_node);
        Tape tape;
        const Tensor unfollowed = sample.f(sample.inputs);
        CHECK(tape.size() == 0);
        CHECK(tape.find(unfollowed) == no_node);
        CHECK(tape.saved_bytes() == 0);
    }
}
TEST_CASE_TEMPLATE_APPLY(every_forward, EveryOp);

TEST_CASE("gradients: without a tape an op takes memory for its result only") {
    const Tensor x = ones({4, 5}), w = ones({3, 5});
    const auto live = [] { return allocator_statistics().live_bytes; };
    const std::int64_t before = live();
    std::int64_t of_results;
    {
        const Tensor a = Tensor::empty({4, 3}), b = Tensor::empty({4, 3}), c = Tensor::empty({});
        of_results = live() - before;
    }
    CHECK(live() == before);
    const Tensor a = matmul(x, transpose(w)), b = tanh(a), c = sum(b);
    CHECK(live() - before == of_results);
}

template <class... Ops>
std::vector<std::string_view> names(OpList<Ops...>) {
    return {Ops::name...};
}

TEST_CASE("gradients: the op reference names every op") {
    std::ifstream file(WENGERT_DOCS "/ops.md");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    for (const std::string_view name : names(AllOps{})) {
        CAPTURE(name);
        CHECK(std::regex_search(text, std::regex("`" + std::string(name) + "\\b")));
    }
}

template <class... Ops>
std::vector<std::pair<std::string_view, OpDoc>> documents(OpList<Ops...>) {
    return {{Ops::name, Ops::doc}...};
}

TEST_CASE("gradients: every op has a row for the reference, which fits a table") {
    for (const auto& [name, doc] :
         documents(Join<Families, OpList<MatMul, LinearProduct, CrossEntropy, LinearCrossEntropy>>{})) {
        CAPTURE(name);
        CHECK(doc.call.starts_with(std::string(name) + "("));
        for (const std::string_view text : {doc.call, doc.shape, doc.formula, doc.derivative}) {
            CHECK(!text.empty());
            CHECK(text.find('|') == std::string_view::npos);
            CHECK(text.find('\n') == std::string_view::npos);
        }
    }
}

TEST_CASE("gradients: what follows from an op without derivative has none, and says why") {
    const Tensor x = ones({3});
    Tape tape;
    tape.watch(x);
    const Tensor above = x > 0.5;
    CHECK_THROWS_AS(tape.gradient(sum(above * 2.0), x), NotDifferentiableError);
    CHECK(tape.gradient(sum(above * x), x).to_vector<double>() == std::vector<double>{1, 1, 1});
    CHECK_THROWS_AS(tape.gradient(sum(ones({3})), x), TapeError);
}
