#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/autograd/tensor/parallel.hpp>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/index/gather.hpp>
#include <wengert/ops/network/ctc_loss.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/reduce/softmax.hpp>
#include <wengert/ops/shape/concat.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {
namespace {

constexpr double lowest = -std::numeric_limits<double>::infinity();

/// ln(e^a + e^b + e^c)
double log_sum(double a, double b, double c = lowest) {
    const double highest = std::max({a, b, c});
    if (highest == lowest) return a + b + c;  // that, unless one is NaN
    return highest + std::log(std::exp(a - highest) + std::exp(b - highest) + std::exp(c - highest));
}

/// One row of the batch. Its states are the target's labels with a blank before, between and after them; a path goes
/// from a state to itself, to the next one, or over a blank between two labels that differ.
template <class T>
struct Sequence {
    const T* frames;
    std::int64_t frame_step, class_step, length;
    const std::int64_t* labels;
    std::int64_t states, blank;

    std::int64_t label(std::int64_t s) const { return s % 2 == 0 ? blank : labels[s / 2]; }
    bool is_skipped_to(std::int64_t s) const { return s % 2 == 1 && s >= 3 && label(s) != label(s - 2); }
    double at(std::int64_t t, std::int64_t s) const {
        return static_cast<double>(frames[t * frame_step + label(s) * class_step]);
    }

    /// Logarithms of the probability of all ways to each state at frame t, from those at the frame before.
    void go_on(std::int64_t t, const double* before, double* now) const {
        for (std::int64_t s = 0; s < states; ++s) {
            if (t == 0)
                now[s] = s < 2 ? at(0, s) : lowest;
            else
                now[s] = at(t, s) +
                         log_sum(before[s], s > 0 ? before[s - 1] : lowest, is_skipped_to(s) ? before[s - 2] : lowest);
        }
    }
    /// Those of all ways from each state at frame t to the end, from those of the frame after.
    void go_back(std::int64_t t, const double* after, double* now) const {
        const auto by = [&](std::int64_t s) { return after[s] + at(t + 1, s); };
        for (std::int64_t s = 0; s < states; ++s) {
            if (t == length - 1)
                now[s] = s + 2 < states ? lowest : 0;
            else
                now[s] = log_sum(by(s), s + 1 < states ? by(s + 1) : lowest,
                                 s + 2 < states && is_skipped_to(s + 2) ? by(s + 2) : lowest);
        }
    }
    /// The logarithm of the target's probability, from the ways to the last frame.
    double total(const double* last) const {
        if (length == 0) return states == 1 ? 0 : lowest;
        return log_sum(last[states - 1], states > 1 ? last[states - 2] : lowest);
    }
};

/// The rows of the batch, with what is packed while they live.
struct Batch {
    const Tensor &x, targets, input_lengths, target_lengths;

    std::int64_t size() const { return x.dim(1); }
    std::int64_t most_states() const { return 2 * targets.dim(1) + 1; }
    std::int64_t input_length(std::int64_t row) const { return input_lengths.data<std::int64_t>()[row]; }
    std::int64_t target_length(std::int64_t row) const { return target_lengths.data<std::int64_t>()[row]; }
    const std::int64_t* labels(std::int64_t row) const { return targets.data<std::int64_t>() + row * targets.dim(1); }
    template <class T>
    Sequence<T> row(std::int64_t row, std::int64_t blank) const {
        return {x.data<T>() + row * x.strides()[1], x.strides()[0], x.strides()[2], input_length(row), labels(row),
                2 * target_length(row) + 1,         blank};
    }
};

Batch batch_of(const Tensor& x, const Tensor& targets, const Tensor& input_lengths, const Tensor& target_lengths) {
    return {x, packed(targets), packed(input_lengths), packed(target_lengths)};
}

using Room = std::vector<double, CachedAllocator<double>>;

/// Sets the gradient [T, B, C], which is 0, for the rows [begin, end).
template <class T>
void add_occupancies(const Batch& batch, std::int64_t blank, const Tensor& cotangents, const Tensor& gradient,
                     std::int64_t begin, std::int64_t end) {
    const auto states = static_cast<std::size_t>(batch.most_states());
    Room to(static_cast<std::size_t>(batch.x.dim(0)) * states), from(2 * states);
    for (std::int64_t b = begin; b < end; ++b) {
        const Sequence<T> row = batch.row<T>(b, blank);
        const auto ways = [&](std::int64_t t) { return t < 0 ? nullptr : to.data() + t * row.states; };
        for (std::int64_t t = 0; t < row.length; ++t) row.go_on(t, ways(t - 1), ways(t));
        const double total = row.length == 0 ? lowest : row.total(ways(row.length - 1));
        if (total == lowest) continue;
        const auto ct = static_cast<double>(cotangents.data<T>()[b * cotangents.strides()[0]]);
        double *now = from.data(), *after = now + states;
        for (std::int64_t t = row.length - 1; t >= 0; --t, std::swap(now, after)) {
            row.go_back(t, after, now);
            T* const slopes = static_cast<T*>(gradient.raw()) + (t * batch.size() + b) * batch.x.dim(2);
            for (std::int64_t s = 0; s < row.states; ++s)
                slopes[row.label(s)] -= static_cast<T>(ct * std::exp(ways(t)[s] + now[s] - total));
        }
    }
}

// The same as a composition of ops, all rows together: states [B, 2 S + 1], of which a row's own come first.

/// State s as the one that was at s - n, or, turned, at s + n; minus infinity where there is none.
Tensor moved(const Tensor& x, std::int64_t n, bool turned) {
    const std::int64_t states = x.dim(-1), count = std::min(n, states);
    const Tensor none = full({x.dim(0), count}, lowest, x.dtype());
    return turned ? concat({slice(x, -1, count, states), none}, -1)
                  : concat({none, slice(x, -1, 0, states - count)}, -1);
}

/// The probability of being in class c at frame t on a path that spells the target: [T, B, C].
Tensor composed_occupancies(const Tensor& x, const Batch& batch, std::int64_t blank) {
    const std::int64_t frames = x.dim(0), size = batch.size(), states = batch.most_states();
    const auto constant = [&](const auto& f) {
        const Tensor values = Tensor::empty({size, states}, Dtype::float64);
        for (std::int64_t b = 0; b < size; ++b)
            for (std::int64_t s = 0; s < states; ++s)
                static_cast<double*>(values.raw())[b * states + s] = f(b, s, 2 * batch.target_length(b) + 1);
        return values;
    };
    const auto label = [&](std::int64_t b, std::int64_t s, std::int64_t own) {
        return s < own && s % 2 == 1 ? batch.labels(b)[s / 2] : blank;
    };
    const auto allowed = [](bool is_allowed) { return is_allowed ? 0 : lowest; };
    const Tensor classes = unsqueeze(
        cast(constant([&](auto b, auto s, auto own) { return static_cast<double>(label(b, s, own)); }), Dtype::int64),
        0);
    const Tensor skips = cast(constant([&](auto b, auto s, auto own) {
                                  return allowed(s % 2 == 1 && s >= 3 && label(b, s, own) != label(b, s - 2, own));
                              }),
                              x.dtype());
    const Tensor first = cast(constant([&](auto, auto s, auto) { return allowed(s < 2); }), x.dtype());
    const Tensor last =
        cast(constant([&](auto, auto s, auto own) { return allowed(s < own && s + 2 >= own); }), x.dtype());
    const Tensor lengths = unsqueeze(cast(batch.input_lengths, x.dtype()), 1);
    const auto is_frame = [&](std::int64_t t) { return lengths > static_cast<double>(t); };
    const auto step = [&](const Tensor& ways, bool turned) {
        const Tensor over = turned ? moved(ways + skips, 2, true) : moved(ways, 2, false) + skips;
        return logsumexp(stack({ways, moved(ways, 1, turned), over}, -1), -1);
    };
    const Tensor scores = gather(x, -1, classes);
    std::vector<Tensor> to(static_cast<std::size_t>(frames)), occupied(to.size()), score_of(to.size());
    for (std::int64_t t = 0; t < frames; ++t) {
        const auto i = static_cast<std::size_t>(t);
        // Of frames beyond a row's length nothing is read, not even for a derivative of 0.
        const Tensor score = score_of[i] = where(is_frame(t), select(scores, 0, t), 0.0);
        to[i] = t == 0 ? score + first : where(is_frame(t), score + step(to[i - 1], false), to[i - 1]);
    }
    const Tensor total = logsumexp(to.back() + last, -1, true), shift = where(isfinite(total), total, 0.0);
    Tensor from = last;
    for (std::int64_t t = frames - 1; t >= 0; --t) {
        const auto i = static_cast<std::size_t>(t);
        if (t < frames - 1) from = where(is_frame(t + 1), step(from + score_of[i + 1], true), last);
        occupied[i] = where(is_frame(t), exp(to[i] + from - shift), 0.0);
    }
    return scatter_add(zeros(x.shape(), x.dtype()), -1, classes, stack(occupied, 0));
}

void require_lengths(const char* what, const Tensor& lengths, std::int64_t rows, std::int64_t most) {
    if (lengths.shape() != Shape{rows})
        throw ShapeError(fmt::format("{} must be [{}], not {}", what, rows, to_string(lengths.shape())));
    const Tensor in_order = packed(lengths);
    for (std::int64_t b = 0; b < rows; ++b)
        if (const std::int64_t length = in_order.data<std::int64_t>()[b]; length < 0 || length > most)
            throw ValueError(fmt::format("{} has {} for row {}, outside [0, {}]", what, length, b, most));
}

}  // namespace

Tensor ctc_loss(const Input& log_probs, const Tensor& targets, const Tensor& input_lengths,
                const Tensor& target_lengths, const CtcOptions& options) {
    static_assert(is_listed<CtcLoss>, "the op is missing in its family's list");
    const SourceLine& where = log_probs.where();
    return located(CtcLoss::name, {log_probs, {targets, where}, {input_lengths, where}, {target_lengths, where}}, [&] {
        require_common(options.reduction);
        const Tensor labels = as_int64(targets), frames = as_int64(input_lengths), lengths = as_int64(target_lengths);
        const Tensor each = apply(CtcLoss{options.blank, options.zero_infinity},
                                  {&log_probs.tensor(), &labels, &frames, &lengths}, where);
        if (options.reduction == Reduction::none) return each;
        if (options.reduction == Reduction::sum) return sum({each, where});
        const Tensor length = maximum(Input(cast(target_lengths, each.dtype()), where), 1.0);
        const Tensor share = Input(each, where) / length;
        return mean({share, where});
    });
}

Shape CtcLoss::shape(const Inputs& in) const {
    const Tensor &x = in[0], &targets = in[1];
    const bool are_whole =
        std::ranges::all_of(std::array{1, 2, 3}, [&](std::size_t i) { return in[i].dtype() == Dtype::int64; });
    if (!is_floating(x.dtype()) || !are_whole)
        throw DtypeError(fmt::format(
            "log_probs must be float32 or float64, targets and lengths int64 or int32, not {}, {}, {} and {}",
            to_string(x.dtype()), to_string(targets.dtype()), to_string(in[2].dtype()), to_string(in[3].dtype())));
    if (x.rank() != 3) throw ShapeError("log_probs must be [T, B, C], not " + to_string(x.shape()));
    if (targets.rank() != 2 || targets.dim(0) != x.dim(1))
        throw ShapeError(fmt::format("targets {} are not a row for each of log_probs {}", to_string(targets.shape()),
                                     to_string(x.shape())));
    require_lengths("input_lengths", in[2], x.dim(1), x.dim(0));
    require_lengths("target_lengths", in[3], x.dim(1), targets.dim(1));
    if (blank < 0 || blank >= x.dim(2))
        throw ValueError(fmt::format("the blank {} is outside [0, {})", blank, x.dim(2)));
    const Batch batch = batch_of(x, targets, in[2], in[3]);
    for (std::int64_t b = 0; b < batch.size(); ++b)
        for (std::int64_t s = 0; s < batch.target_length(b); ++s)
            if (const std::int64_t label = batch.labels(b)[s]; label < 0 || label >= x.dim(2) || label == blank)
                throw ValueError(fmt::format("label {} at [{}, {}] is {}", label, b, s,
                                             label == blank ? "the blank" : fmt::format("outside [0, {})", x.dim(2))));
    return {batch.size()};
}

void CtcLoss::forward(const Inputs& in, const Destination& out) const {
    const Batch batch = batch_of(in[0], in[1], in[2], in[3]);
    visit_floating(in[0].dtype(), [&](auto type) {
        using T = decltype(type);
        T* const losses = static_cast<T*>(out.tensor.raw());
        const std::int64_t states = batch.most_states();
        parallel_ranges(batch.size(), 1, batch.size() * in[0].dim(0) * states,
                        [&](std::int64_t begin, std::int64_t end) {
                            Room room(static_cast<std::size_t>(2 * states));
                            for (std::int64_t b = begin; b < end; ++b) {
                                const Sequence<T> row = batch.row<T>(b, blank);
                                double *before = room.data(), *now = before + states;
                                for (std::int64_t t = 0; t < row.length; ++t, std::swap(before, now))
                                    row.go_on(t, before, now);
                                const double loss = -row.total(before);
                                losses[b] = zero_infinity && loss == -lowest ? T{0} : static_cast<T>(loss);
                            }
                        });
    });
}

void CtcLoss::vjp(Backward& back) const {
    const Tensor &x = back.saved(0), &ct = back.cotangent();
    const Batch batch = batch_of(x, back.saved(1), back.saved(2), back.saved(3));
    if (!back.is_recorded() || x.numel() == 0) {
        const Tensor gradient = zeros(x.shape(), x.dtype());
        visit_floating(x.dtype(), [&](auto type) {
            parallel_ranges(batch.size(), 1, batch.size() * x.dim(0) * batch.most_states(),
                            [&](std::int64_t begin, std::int64_t end) {
                                add_occupancies<decltype(type)>(batch, blank, ct, gradient, begin, end);
                            });
        });
        return back.add(0, gradient);
    }
    back.add(0, composed_occupancies(x, batch, blank) * unsqueeze(-ct, -1));
}

Tensor CtcLoss::jvp(const Forward& forward) const {
    const Tensor &x = forward.input(0), &dx = forward.tangent(0);
    if (x.numel() == 0) return zeros(forward.output().shape(), x.dtype());
    const Batch batch = batch_of(x, forward.input(1), forward.input(2), forward.input(3));
    return -sum(composed_occupancies(x, batch, blank) * dx, {0, 2});
}

std::vector<Sample> CtcLoss::samples() {
    struct Lengths {
        std::vector<std::int64_t> inputs, targets;
    };
    const auto with = [](const Shape& x, const std::vector<std::int64_t>& targets, const Lengths& lengths,
                         std::int64_t blank = 0, bool zero_infinity = false) {
        const std::int64_t rows = x[1], columns = rows == 0 ? 0 : std::ssize(targets) / rows;
        const std::vector<Tensor> whole{tensor(targets, {rows, columns}), tensor(lengths.inputs, {rows}),
                                        tensor(lengths.targets, {rows})};
        return Sample{"", {sample_values(x, -2, 0, 1)}, [=](const std::vector<Tensor>& in) {
                          return ctc_loss(
                              in[0], whole[0], whole[1], whole[2],
                              {.blank = blank, .reduction = Reduction::none, .zero_infinity = zero_infinity});
                      }};
    };
    std::vector<Sample> samples{with({4, 2, 3}, {1, 2, 2, 2}, {{4, 4}, {2, 2}}),
                                with({5, 3, 4}, {0, 1, 9, 3, 3, 0, 1, 9, 9}, {{5, 4, 2}, {2, 3, 1}}, 2),
                                with({3, 2, 2}, {1, 1, 1, 9}, {{2, 0}, {2, 0}}, 0, true),
                                with({2, 2, 2}, {}, {{2, 1}, {0, 0}}),
                                with({2, 0, 2}, {}, {{}, {}}),
                                with({4, 1, 3}, {1, 2}, {{4}, {2}})};
    const char* const labels[] = {"repeated labels",
                                  "lengths of their own, another blank",
                                  "a target that cannot be spelled",
                                  "empty targets",
                                  "no rows",
                                  "a class that cannot be"};
    for (std::size_t i = 0; i < samples.size(); ++i) samples[i].label = labels[i];
    samples.back().inputs[0].mutable_data<double>()[1] = lowest;
    return samples;
}

}  // namespace wengert
