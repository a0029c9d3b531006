// Mirrors no file: gradients of programs of any ops.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>
#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/ops/all_ops.hpp>
#include <wengert/ops/ops.hpp>

using namespace wengert;

namespace {

using Tensors = std::vector<Tensor>;

/// The elements of x, again and again, in another shape.
Tensor repeated(const Tensor& x, const Shape& shape) {
    std::vector<std::int64_t> positions(static_cast<std::size_t>(shape.numel()));
    for (std::size_t i = 0; i < positions.size(); ++i) positions[i] = static_cast<std::int64_t>(i) % x.numel();
    return reshape(index_select(reshape(x, {-1}), 0, tensor(positions, {shape.numel()})), shape);
}

Tensor squeezed_into(const Range& range, const Tensor& x) { return range.low + (range.high - range.low) * sigmoid(x); }

/// The samples of every op and of every composed function that has a derivative, made once.
const std::map<std::string_view, std::vector<Sample>>& samples() {
    static const auto all = [] {
        std::map<std::string_view, std::vector<Sample>> made;
        for (const OpEntry& op : all_sampled())
            if (op.differentiable) std::ranges::move(op.samples(), std::back_inserter(made[op.name]));
        return made;
    }();
    return all;
}

/// A function as its sample calls it, of the sample's inputs made smaller by what x and y say in turn.
Tensor sampled(std::string_view op, std::size_t number, const Tensor& x, const Tensor& y) {
    const Sample& sample = samples().at(op)[number];
    Tensors inputs = sample.inputs;
    for (std::size_t i = 0; i < inputs.size(); ++i)
        if (is_floating(inputs[i].dtype()) && inputs[i].numel() > 0 && all(isfinite(inputs[i])).item() == 1)
            inputs[i] = inputs[i] * (1.0 - 0.2 * sigmoid(repeated(i % 2 == 0 ? x : y, inputs[i].shape())));
    return sample.f(inputs);
}

/// A function of the lists, of values squeezed into its domain.
Tensor function(std::string_view name, const Tensor& x, const Tensor& y) {
    const FunctionEntry& f = *std::ranges::find(all_functions(), name, &FunctionEntry::name);
    return f.apply(squeezed_into(f.domain, x), squeezed_into(f.domain_y, y));
}

/// A symmetric matrix whose eigenvalues are at least 1, from any.
Tensor definite(const Tensor& x) {
    const Tensor small = tanh(x);
    return matmul(small, transpose(small)) + diag_embed(ones({x.dim(-2)}, Dtype::float64));
}

/// What a step does with two values, two axes of x and a number from 1 to 3, and how a program writes it.
struct Move {
    std::string_view code;
    Tensor (*f)(const Tensor& x, const Tensor& y, int a, int b, std::int64_t n);
};

// A macro, so that what is printed is what was run.
#define MOVE(...)                                                                                                   \
    Move {                                                                                                          \
#__VA_ARGS__, [](const Tensor& x, [[maybe_unused]] const Tensor& y, [[maybe_unused]] int a,                 \
                         [[maybe_unused]] int b, [[maybe_unused]] std::int64_t n) -> Tensor { return __VA_ARGS__; } \
    }

/// Steps whose operands do not fit are not taken.
const std::vector<Move>& moves() {
    static const std::vector<Move> all{
        MOVE(x + y),
        MOVE(x * y),
        MOVE(x - 2.0 * y),
        MOVE(x / (2.0 + y * y)),
        MOVE(where(x > y, x, y * y)),
        MOVE(clamp(x, -0.3, 1.7)),
        MOVE(lerp(x, y, 0.3)),
        MOVE(map([](const auto& p, const auto& q) { return p * sin(q) + q; }, x, y)),
        MOVE(map_sum([](const auto& p, const auto& q) { return p * tanh(q); }, {a, b}, x, y)),
        MOVE(sum(x, {a, b}, n == 1)),
        MOVE(mean(x, {a, b}, n == 1)),
        MOVE(sum_to(x, {x.dim(-1)})),
        MOVE(prod(x, {a, b}, n == 1)),
        MOVE(max(x, {a, b}, n == 1)),
        MOVE(amin(x, {a, b}, n == 1)),
        MOVE(var(x, {a, b}, n == 1 ? 0 : 1)),
        MOVE(stddev(x, {a, b}, 0)),
        MOVE(norm(x, static_cast<double>(n), {a, b})),
        MOVE(softmax(x, {a, b})),
        MOVE(log_softmax(x, {a, b})),
        MOVE(logsumexp(x, {a, b})),
        MOVE(cumsum(x, a, n == 1)),
        MOVE(cumprod(x, a, n == 1, n == 2)),
        MOVE(logcumsumexp(x, a, n == 1)),
        MOVE(linear_scan(tanh(x), x, a, n == 1)),
        MOVE(matmul(x, y)),
        MOVE(matmul(x, transpose(tanh(x)))),
        MOVE(linear(x, cos(x))),
        MOVE(einsum("...ij,...kj->...ik", {x, y})),
        MOVE(einsum("abc,adc->bd", {x, sin(x)})),
        MOVE(einsum("ab,ac,ab->cb", {x, y, sin(x)})),
        MOVE(tensordot(x, sin(x), {a}, {a})),
        MOVE(outer(x, y)),
        MOVE(kron(x, y)),
        MOVE(trace(x, n - 2)),
        MOVE(matrix_power(definite(x), n - 2)),
        MOVE(cosine_similarity(x, y, a)),
        MOVE(index_select(x, a, argsort(select(x, 0, 0)))),
        MOVE(index_put(x, {argmax(x, 0)}, select(x, 0, 0), true)),
        MOVE(segment_sum(x, argsort(reshape(slice(reshape(x, {-1}), 0, 0, x.dim(0)), {-1})), x.dim(0))),
        MOVE(masked_fill(x, y > 0.2, 0.5)),
        MOVE(sort(x, a, n == 1)),
        MOVE(topk(x, n, a, n != 2).values),
        MOVE(cummax(x, a).values),
        MOVE(cummin(x, a).values),
        MOVE(quantile(x, 0.3, {a, b})),
        MOVE(median(x, a, n == 1)),
        MOVE(reshape(x, {-1, n})),
        MOVE(reshape(x, {-1})),
        MOVE(transpose(x, a, b)),
        MOVE(movedim(x, a, b)),
        MOVE(unsqueeze(x, a)),
        MOVE(squeeze(unsqueeze(x, a), a)),
        MOVE(flatten(x, a, b)),
        MOVE(slice(x, a, n - 1, x.dim(a))),
        MOVE(slice(x, a, {.begin = n - 1, .step = 2})),
        MOVE(select(x, a, n - 1)),
        MOVE(unfold(x, a, 2, n)),
        MOVE(chunk(x, static_cast<int>(n), a)[0]),
        MOVE(split(x, {1, x.dim(a) - 1}, a)[1]),
        MOVE(unbind(x, a)[0]),
        MOVE(expand(x, {2, x.dim(0), -1})),
        MOVE(concat({x, sin(y)}, a)),
        MOVE(stack({x, cos(x), x}, a)),
        MOVE(flip(x, {a, b})),
        MOVE(roll(x, n, a)),
        MOVE(repeat_interleave(x, n, a)),
        MOVE(tile(x, n, a)),
        MOVE(pad(x, a, 1, n)),
        MOVE(pad(x, a, 1, 1, {.mode = PadMode::reflect})),
        MOVE(tril(x, n - 2)),
        MOVE(triu(x, n - 2)),
        MOVE(diagonal(x, n - 2, a, b)),
        MOVE(diag_embed(x, n - 2)),
        MOVE(adaptive_max_pool1d(x, n)),
        MOVE([&] {
            Generator noise(static_cast<std::uint64_t>(n));
            return dropout(x, 0.3, noise, a);
        }()),
    };
    return all;
}
#undef MOVE

struct Step {
    std::string code;
    std::array<std::size_t, 2> reads;
    std::function<Tensor(const Tensor& x, const Tensor& y)> f;
};

/// 3 to 12 steps from two or three inputs. The result is the inputs and what no step reads first, squeezed and
/// joined.
class Program {
  public:
    explicit Program(std::uint32_t seed) : seed_(seed), random_(seed) {
        static constexpr std::array<std::array<std::int64_t, 3>, 6> shapes{
            {{2, 3, 2}, {3, 3, 1}, {1, 3, 3}, {4, 1, 2}, {1, 1, 4}, {2, 2, 2}}};
        for (std::int64_t i = 1 + below(3); i >= 0; --i) {
            Shape shape;
            for (const std::int64_t length : shapes[at(below(6))])
                if (length > 1) shape.push_back(length);
            inputs_.push_back(sample_values(shape, -1.5, 1.5, 10 * seed + at(i)));
        }
        Tensors values = inputs_;
        const std::size_t length = at(3 + below(10));
        for (int tries = 0; steps_.size() < length && tries < 200; ++tries) {
            const std::array reads{at(below(std::ssize(values))), at(below(std::ssize(values)))};
            Step step = drawn(values[reads[0]]);
            step.reads = reads;
            try {
                const Tensor value = step.f(values[reads[0]], values[reads[1]]);
                if (!is_tame(value)) continue;
                values.push_back(value);
                steps_.push_back(std::move(step));
            } catch (const Error&) {  // the operands do not fit
            }
        }
    }

    const Tensors& inputs() const { return inputs_; }

    Tensor operator()(const Tensors& inputs) const {
        Tensors values = inputs;
        std::vector<bool> is_read(inputs.size() + steps_.size());
        for (const Step& step : steps_) {
            values.push_back(step.f(values[step.reads[0]], values[step.reads[1]]));
            // An input is always an end as well, so that the result has a derivative whatever the steps are.
            if (step.reads[0] >= inputs.size()) is_read[step.reads[0]] = true;
        }
        Tensors ends;
        for (std::size_t i = 0; i < values.size(); ++i)
            if (!is_read[i]) ends.push_back(reshape(sin(values[i]), {-1}));
        return concat(ends, 0);
    }

    /// As it can be pasted into this file.
    std::string code() const {
        std::string text = fmt::format(
            "// WENGERT_RANDOM_SEED={}\n#pragma GCC diagnostic ignored \"-Wunused-parameter\"\nstd::vector<Tensor> v{{",
            seed_);
        for (const Tensor& x : inputs_)
            text += fmt::format("tensor({{{}}}, {{{}}}, Dtype::float64), ", fmt::join(x.to_vector<double>(), ", "),
                                fmt::join(x.shape(), ", "));
        text += "};\n";
        for (const Step& step : steps_)
            text += fmt::format("v.push_back([](const Tensor& x, const Tensor& y) {{ return {}; }}(v[{}], v[{}]));\n",
                                step.code, step.reads[0], step.reads[1]);
        return text;
    }

  private:
    std::uint32_t seed_;
    std::mt19937 random_;
    Tensors inputs_;
    std::vector<Step> steps_;

    static std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }
    std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(random_() % static_cast<std::uint32_t>(n)); }

    /// A sample, a function or a move.
    Step drawn(const Tensor& x) {
        const std::int64_t kind = below(4);
        if (kind == 0) {
            const auto& [op, all] = *std::next(samples().begin(), below(std::ssize(samples())));
            const std::size_t number = at(below(std::ssize(all)));
            return {fmt::format("sampled(\"{}\", {}, x, y)", op, number),
                    {},
                    [op = op, number](const Tensor& x, const Tensor& y) { return sampled(op, number, x, y); }};
        }
        if (kind == 1) {
            const FunctionEntry& f = all_functions()[at(below(std::ssize(all_functions())))];
            return {fmt::format("function(\"{}\", x, y)", f.name),
                    {},
                    [name = f.name](const Tensor& x, const Tensor& y) { return function(name, x, y); }};
        }
        const Move& move = moves()[at(below(std::ssize(moves())))];
        const int rank = std::max(x.rank(), 1), a = static_cast<int>(below(rank)), b = static_cast<int>(below(rank));
        const std::int64_t n = 1 + below(3);
        return {
            fmt::format("[&](int a, int b, std::int64_t n) -> Tensor {{ return {}; }}({}, {}, {})", move.code, a, b, n),
            {},
            [&move, a, b, n](const Tensor& x, const Tensor& y) { return move.f(x, y, a, b, n); }};
    }

    /// Small, with slopes that differences can see.
    static bool is_tame(const Tensor& value) {
        if (!is_floating(value.dtype()) || value.numel() == 0 || value.numel() > 80 || value.rank() > 4) return false;
        return std::ranges::all_of(value.to_vector<double>(), [](double v) { return std::abs(v) < 20; });
    }
};

std::uint32_t asked(const char* variable, std::uint32_t otherwise) {
    const char* const text = std::getenv(variable);
    return text == nullptr ? otherwise : static_cast<std::uint32_t>(std::stoul(text));
}

}  // namespace

/// WENGERT_RANDOM_PROGRAMS and WENGERT_RANDOM_SEED say how many, and the seed of the first.
TEST_CASE("composed programs: their gradients are those that differences show") {
    const std::uint32_t count = asked("WENGERT_RANDOM_PROGRAMS", 2'000), first = asked("WENGERT_RANDOM_SEED", 0);
    std::map<GradcheckVerdict, std::uint32_t> verdicts;
    for (std::uint32_t seed = first; seed < first + count; ++seed) {
        const Program program(seed);
        const auto result = [&]() -> GradcheckResult {
            try {
                return gradcheck(program, program.inputs(),
                                 {.order = seed % 8 == 0 ? 2 : 1, .full_jacobian_limit = 0, .directions = 2});
            } catch (const Error& error) {
                return {false, 0, error.what(), GradcheckVerdict::nondeterministic};
            }
        }();
        ++verdicts[result.verdict];
        const bool is_wrong = result.verdict == GradcheckVerdict::wrong_rule ||
                              result.verdict == GradcheckVerdict::nondeterministic ||
                              result.verdict == GradcheckVerdict::overwrites;
        CHECK_MESSAGE(!is_wrong, result.message << "\n" << program.code());
    }
    // Kinks, noise and values that are not finite are no rule's fault, but they are few.
    CHECK(verdicts[GradcheckVerdict::passed] + 1 + count / 100 >= count);
}
