#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <iterator>
#include <span>
#include <wengert/ops/all_ops.hpp>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/elementwise/internal/exact.hpp>
#include <wengert/ops/internal/composed.hpp>
#include <wengert/ops/ops.hpp>
#include <wengert/ops/reduce/internal/sum_op.hpp>

namespace wengert {
namespace {

template <class P>
concept IsComparison = requires {
    P::compares;
};
template <class P>
concept BinaryFunction = IsComparison<P> || requires {
    P::domain_y;
};
template <class P>
concept UnaryFunction = !BinaryFunction<P> && requires {
    P::domain;
};

template <UnaryFunction P>
std::vector<Sample> function_samples() {
    const auto f = [](const std::vector<Tensor>& in) { return elementwise<P>(Input(in[0])); };
    const auto [low, high] = P::domain;
    return {
        {"[3, 5]", {sample_values({3, 5}, low, high, 1)}, f},
        {"[37], more than a register", {sample_values({37}, low, high, 2)}, f},
        {"[]", {sample_values({}, low, high, 3)}, f},
        {"[2, 0]", {sample_values({2, 0}, low, high, 4)}, f},
        {"transposed",
         {sample_values({4, 3}, low, high, 5)},
         [](const auto& in) { return elementwise<P>(Input(transpose(in[0]))); }},
        {"extremes",
         {tensor(std::span<const double>(P::extremes), {static_cast<std::int64_t>(P::extremes.size())})},
         f},
    };
}

/// Pairs of shapes that broadcast, with values from two ranges.
template <BinaryFunction P>
std::vector<Sample> function_samples() {
    const auto f = [](const std::vector<Tensor>& in) { return elementwise<P>(Input(in[0]), Input(in[1])); };
    Range x{-1, 1}, y{-1, 1};
    if constexpr (requires { P::domain_y; }) {
        x = P::domain;
        y = P::domain_y;
    }
    const auto pair = [&](const Shape& a, const Shape& b, std::uint64_t seed) {
        return std::vector{sample_values(a, x.low, x.high, seed), sample_values(b, y.low, y.high, seed + 1)};
    };
    return {
        {"[3, 5], [3, 5]", pair({3, 5}, {3, 5}, 1), f},
        {"[4, 19], [19]", pair({4, 19}, {19}, 3), f},
        {"[4, 1], [19]", pair({4, 1}, {19}, 5), f},
        {"[], [2, 3]", pair({}, {2, 3}, 7), f},
        {"[2, 1, 3], [4, 1]", pair({2, 1, 3}, {4, 1}, 9), f},
        {"[0, 3], [3]", pair({0, 3}, {3}, 11), f},
        {"transposed, [3]", pair({3, 4}, {3}, 13),
         [f](const auto& in) {
             return f({transpose(in[0]), in[1]});
         }},
        {"twice the same", pair({5}, {1}, 15),
         [f](const auto& in) {
             return f({in[0], in[0] + 0.25 * in[1]});
         }},
    };
}

template <class Op>
concept Sampled = requires {
    { Op::samples() } -> std::same_as<std::vector<Sample>>;
};
template <class Op>
concept Documented = requires {
    { Op::doc } -> std::convertible_to<OpDoc>;
};

template <class Op>
OpEntry entry() {
    OpEntry result{Op::name, {}, true, nullptr};
    if constexpr (Documented<Op>) result.doc = Op::doc;
    if constexpr (UnaryFunction<Op> || BinaryFunction<Op>) {
        result.differentiable = !IsComparison<Op>;
        result.samples = function_samples<Op>;
    } else {
        static_assert(Sampled<Op>, "an op has samples(), over which its gradient is checked");
        if constexpr (Operation<Op>) result.differentiable = Differentiable<Op>;
        result.samples = Op::samples;
    }
    return result;
}

template <class... Ops>
OpFamily family(std::string_view title, OpList<Ops...>,
                std::initializer_list<std::span<const ComposedFunction>> composed = {}) {
    OpFamily result{title, {entry<Ops>()...}, {}};
    for (const std::span<const ComposedFunction> rows : composed)
        for (const auto& [doc, samples] : rows)
            result.composed.push_back({called_functions(doc).front(), doc, samples != nullptr, samples});
    return result;
}

/// The fields that a function may leave out.
template <class P>
constexpr Accuracy accuracy_of() {
    if constexpr (requires { P::accuracy; })
        return P::accuracy;
    else
        return {};
}
template <class P>
constexpr Range first_domain() {
    if constexpr (requires { P::domain; })
        return P::domain;
    else
        return {-1, 1};
}
template <class P>
constexpr Range second_domain() {
    if constexpr (requires { P::domain_y; })
        return P::domain_y;
    else
        return {-1, 1};
}

template <class P>
concept HasParameter = requires {
    P::second_is_parameter;
};

template <class P>
void add_function(std::vector<FunctionEntry>& entries) {
    FunctionEntry e{.name = P::name,
                    .operands = BinaryFunction<P> ? 2 : 1,
                    .differentiable = !IsComparison<P>,
                    .domain = first_domain<P>(),
                    .domain_y = second_domain<P>(),
                    .accuracy = accuracy_of<P>(),
                    .second_is_parameter = HasParameter<P>,
                    .apply = nullptr,
                    .exact = nullptr,
                    .exact_slopes = nullptr};
    if constexpr (BinaryFunction<P>)
        e.apply = [](const Tensor& x, const Tensor& y) { return elementwise<P>(Input(x), Input(y)); };
    else
        e.apply = [](const Tensor& x, const Tensor&) { return elementwise<P>(Input(x)); };
    if constexpr (IsComparison<P>)
        e.exact = [](long double x, long double y) { return P::f(x, y) ? 1.0L : 0.0L; };
    else if constexpr (BinaryFunction<P>)
        e.exact = P::exact;
    else
        e.exact = [](long double x, long double) { return P::exact(x); };
    if constexpr (!IsComparison<P>) e.exact_slopes = exact_slopes<P>;
    entries.push_back(e);
}
template <class P>
void add_if_function(std::vector<FunctionEntry>& entries) {
    if constexpr (UnaryFunction<P> || BinaryFunction<P>) add_function<P>(entries);
}
template <class... Ops>
std::vector<FunctionEntry> function_entries(OpList<Ops...>) {
    std::vector<FunctionEntry> entries;
    (add_if_function<Ops>(entries), ...);
    return entries;
}

}  // namespace

const std::vector<FunctionEntry>& all_functions() {
    static const std::vector<FunctionEntry> entries = function_entries(ElementwiseFunctions{});
    return entries;
}

const std::vector<OpFamily>& op_families() {
    static const std::vector<OpFamily> families{
        family("Arithmetic", ArithmeticFunctions{}),
        family("Signs, whole numbers, remainders", RoundingFunctions{}),
        family("Exponentials, logarithms, powers", ExponentialFunctions{}),
        family("Angles", TrigonometricFunctions{}),
        family("Hyperbolic functions", HyperbolicFunctions{}),
        family("Activation functions", ActivationFunctions{}),
        family("Special functions", SpecialFunctions{}),
        family("Comparisons and choice", Join<ComparisonFunctions, ChoiceOps>{}, {composed_comparisons()}),
        family("Sums", SumOps{}, {composed_reductions()}),
        family("Products", ProdOps{}),
        family("Running sums and products", ScanOps{}),
        family("Extremes", ExtremeOps{}),
        family("Counts", CountOps{}, {composed_counts()}),
        family("Softmax", SoftmaxOps{}),
        family("Matrix products", Join<ProductOps, LinearOps>{}, {composed_products()}),
        family("Linear algebra", Join<TriangularOps, SolveOps, DecompositionOps, LeastSquaresOps>{},
               {composed_matrix_products(), composed_solutions(), composed_least_squares()}),
        family("Convolutions", ConvolutionOps{}),
        family("Pools", PoolOps{}, {composed_pools()}),
        family("Losses", Join<LossOps, LinearLossOps, CtcOps>{}, {composed_losses()}),
        family("Attention", AttentionOps{}),
        family("Lookup", Join<IndexOps, GatherOps, ScatterOps>{},
               {composed_lookups(), composed_scatters(), composed_positions()}),
        family("Order", SortingOps{}, {composed_orders()}),
        family("Views", ViewOps{}, {composed_views()}),
        family("Copies", CopyOps{}),
        family("Joining", JoinOps{}),
        family("Arrangements", OpList<>{}, {composed_arrangements()}),
        family("Deviations and norms", OpList<>{}, {composed_statistics()}),
        family("Formulas", OpList<>{}, {composed_formulas()}),
        family("Masks", OpList<>{}, {composed_masks()}),
        family("Normalisations", NormalisationOps{}, {composed_normalisations()}),
        family("Noise", OpList<>{}, {composed_noise()}),
        family("Random tensors", OpList<>{}, {composed_random_tensors()}),
        family("Random tensors by their parameters", OpList<>{}, {composed_distributions()}),
    };
    return families;
}

const std::vector<OpEntry>& all_ops() {
    static const std::vector<OpEntry> entries = [] {
        std::vector<OpEntry> all;
        for (const OpFamily& family : op_families()) all.insert(all.end(), family.ops.begin(), family.ops.end());
        return all;
    }();
    return entries;
}

const std::vector<OpEntry>& all_sampled() {
    static const std::vector<OpEntry> entries = [] {
        std::vector<OpEntry> all = all_ops();
        for (const OpFamily& family : op_families())
            std::ranges::copy_if(family.composed, std::back_inserter(all), &OpEntry::differentiable);
        return all;
    }();
    return entries;
}

std::vector<std::string_view> called_functions(const OpDoc& doc) {
    const auto is_of_name = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
    std::vector<std::string_view> names;
    for (std::size_t end = doc.call.find('('); end != std::string_view::npos; end = doc.call.find('(', end + 1)) {
        std::size_t begin = end;
        while (begin > 0 && is_of_name(doc.call[begin - 1])) --begin;
        if (begin < end) names.push_back(doc.call.substr(begin, end - begin));
    }
    return names;
}

std::string_view op_family(std::string_view name) {
    for (const OpFamily& family : op_families())
        if (std::ranges::find(family.ops, name, &OpEntry::name) != family.ops.end()) return family.title;
    return {};
}

}  // namespace wengert
