#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <wengert/autograd/tensor/parallel.hpp>
#include <wengert/ops/elementwise/map.hpp>
#include <wengert/ops/network/normalisation.hpp>
#include <wengert/ops/reduce/internal/rows.hpp>
#include <wengert/ops/reduce/internal/sum_op.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {
namespace {

void require_epsilon(double eps) {
    if (!(eps >= 0)) throw ValueError(fmt::format("eps is {}, not 0 or more", eps));
}

/// The length of axis -1 or 1, which `axes` names, of x, which is floating.
std::int64_t length_of(const Tensor& x, int axis, std::string_view axes) {
    require_floating(x, "x");
    if (x.rank() < (axis < 0 ? 1 : 2))
        throw ShapeError(fmt::format("x must be {}, not {}", axes, to_string(x.shape())));
    return x.dim(axis);
}

/// For an operand that has one number for each of n features or channels of x, or is undefined.
void require_each(std::string_view what, const Tensor& values, std::int64_t n, const Tensor& x) {
    if (!values.defined()) return;
    require_floating(values, what);
    if (values.shape() != Shape{n})
        throw ShapeError(
            fmt::format("{} must be [{}] for x {}, not {}", what, n, to_string(x.shape()), to_string(values.shape())));
    if (values.dtype() != x.dtype())
        throw DtypeError(fmt::format("{} is {}, but x {}", what, to_string(values.dtype()), to_string(x.dtype())));
}

/// A tensor in another shape, or a number if it is undefined: an operand of a formula.
class OptionalOperand {
  public:
    OptionalOperand(const Tensor& values, const Shape& shape, double otherwise, const SourceLine& where)
        : values_(values.defined() && values.shape() != shape ? reshape({values, where}, shape) : values),
          otherwise_(otherwise),
          where_(where) {}
    operator Input() const { return values_.defined() ? Input(values_, where_) : Input(otherwise_, where_); }

  private:
    Tensor values_;
    double otherwise_;
    SourceLine where_;
};

/// (x - center) / sqrt(squares / n + eps) weight + bias
Tensor normalised(const Input& x, const Tensor& center, const Tensor& squares, double n, double eps,
                  const OptionalOperand& weight, const OptionalOperand& bias) {
    return map([n, eps](auto x, auto center, auto squares, auto weight,
                        auto bias) { return (x - center) * rsqrt(squares / n + eps) * weight + bias; },
               x, Input(center, x.where()), Input(squares, x.where()), weight, bias);
}

/// The sum of squared distances from the mean over axes, which it keeps.
Tensor squares_around(const Input& x, const Tensor& center, const ReductionAxes& axes) {
    return map_sum([](auto x, auto center) { return square(x - center); }, axes.keeping_dims(), x,
                   Input(center, x.where()));
}

/// x [B, C, ..] as [B, C, n].
Tensor by_channels(const Input& x) {
    const Shape& shape = x.tensor().shape();
    std::int64_t n = 1;
    for (int axis = 2; axis < shape.rank(); ++axis) n *= shape[axis];
    return reshape(x, {shape[0], shape[1], n});
}

/// The sum over a row of n elements of f(i), a register of them: of runs in T, of the runs in double.
template <class T, class F>
double total_of_row(std::int64_t n, const F& f) {
    constexpr std::int64_t run = 64 * Lanes<T>::size;
    double total = 0;
    for (std::int64_t begin = 0; begin < n; begin += run) {
        Lanes<T> lanes(0.0);
        for (std::int64_t i = begin; i < std::min(begin + run, n); i += Lanes<T>::size)
            lanes = lanes.v + Lanes<T>(f(i)).first(n - i).v;
        total += static_cast<double>(lanes.total());
    }
    return total;
}

/// The mean and the scale of a row.
template <class T>
struct RowStatistics {
    T mean = 0, scale;

    RowStatistics(const T* x, std::int64_t n, double eps, bool centered) {
        const auto count = static_cast<double>(n);
        if (centered)
            mean = static_cast<T>(total_of_row<T>(n, [&](std::int64_t i) { return Lanes<T>::load(x + i, n - i); }) /
                                  count);
        const double squares = total_of_row<T>(n, [&](std::int64_t i) {
            const auto distance = Lanes<T>::load(x + i, n - i).v - Lanes<T>(static_cast<double>(mean)).v;
            return distance * distance;
        });
        scale = static_cast<T>(1 / std::sqrt(squares / count + eps));
    }
};

/// The weight or the bias that a kernel reads: `otherwise`, if there is none.
Tensor packed_or(const Tensor* values, const Tensor& x, double otherwise) {
    return values != nullptr ? packed(*values) : full({x.shape().back()}, otherwise, x.dtype());
}

/// How many rows a thread sums before their sums are added.
std::int64_t rows_of_part(std::int64_t rows) { return std::clamp<std::int64_t>((rows + 7) / 8, 1, 128); }

/// The backward kernel. Rows of x, ct and dx are dense; null are what nobody needs.
template <class T>
struct BackwardKernel {
    const T *x, *ct, *weight, *statistics;
    T *dx, *dweight, *dbias;  ///< a row of dweight and dbias for each part of the rows
    bool adds, centered;
    std::int64_t n;

    void row(std::int64_t row, std::int64_t part) const {
        using V = Lanes<T>;
        const T *const from = x + row * n, *const cotangent = ct + row * n;
        const V mean(static_cast<double>(statistics[2 * row])), scale(static_cast<double>(statistics[2 * row + 1]));
        const auto y = [&](std::int64_t i) { return (V::load(from + i, n - i).v - mean.v) * scale.v; };
        const auto g = [&](std::int64_t i) { return V::load(cotangent + i, n - i).v * V::load(weight + i, n - i).v; };
        const auto add = [&](T* sums, std::int64_t i, const auto& lanes) {
            T* const to = sums + part * n + i;
            V(V::load(to, n - i).v + lanes).store(to, n - i);
        };
        const auto count = static_cast<double>(n);
        const double of_slope = total_of_row<T>(n, [&](std::int64_t i) {
            if (dweight != nullptr) add(dweight, i, V::load(cotangent + i, n - i).v * y(i));
            if (dbias != nullptr) add(dbias, i, V::load(cotangent + i, n - i).v);
            return g(i) * y(i);
        });
        if (dx == nullptr) return;
        const V slope(of_slope / count), shift(centered ? total_of_row<T>(n, g) / count : 0);
        for (std::int64_t i = 0; i < n; i += V::size) {
            T* const to = dx + row * n + i;
            const V part_of_dx = (g(i) - shift.v - y(i) * slope.v) * scale.v;
            (adds ? V(V::load(to, n - i).v + part_of_dx.v) : part_of_dx).store(to, n - i);
        }
    }
};

/// y, the rows of x normalised, and their scales, composed of ops.
struct Composed {
    Tensor y, scale;
    bool centered;

    Composed(const Tensor& x, double eps, bool is_centered) : centered(is_centered) {
        const Tensor center = centered ? mean(x, -1, true) : Tensor(), distance = centered ? x - center : x;
        scale = rsqrt(mean(square(distance), -1, true) + eps);
        y = distance * scale;
    }
    /// The derivative of y, which is its own transpose: what it makes of a tangent of x, and of a cotangent of y.
    Tensor derivative(const Tensor& d) const {
        const Tensor slope = mean(d * y, -1, true), rest = d - y * slope;
        return (centered ? rest - mean(d, -1, true) : rest) * scale;
    }
};

template <bool centered>
Tensor normalised_rows(const Input& x, const Tensor& weight, const Tensor& bias, double eps) {
    static_assert(is_listed<NormalisedRows<centered>>, "the op is missing in its family's list");
    std::array<const Tensor*, 3> operands{&tensor_of(x, NormalisedRows<centered>::name)};
    std::size_t count = 1;
    for (const Tensor* values : {&weight, &bias})
        if (values->defined()) operands[count++] = values;
    const std::span<const Tensor* const> given(operands.data(), count);
    return apply(NormalisedRows<centered>{eps, weight.defined()}, Inputs(given), x.where());
}

}  // namespace

Tensor layer_norm(const Input& x, const Tensor& weight, const Tensor& bias, double eps) {
    const SourceLine& where = x.where();
    return located("layer_norm", {x, {weight, where}, {bias, where}}, [&] {
        require_epsilon(eps);
        return normalised_rows<true>(x, weight, bias, eps);
    });
}

Tensor rms_norm(const Input& x, const Tensor& weight, double eps) {
    return located("rms_norm", {x, {weight, x.where()}}, [&] {
        require_epsilon(eps);
        return normalised_rows<false>(x, weight, {}, eps);
    });
}

template <bool centered>
Shape NormalisedRows<centered>::shape(const Inputs& in) const {
    require_floating(in[0]);
    const std::int64_t n = length_of(in[0], -1, "[.., n]");
    for (std::size_t k = 1; k < in.size(); ++k)
        require_each(has_weight && k == 1 ? "the weight" : "the bias", in[k], n, in[0]);
    return in[0].shape();
}

template <bool centered>
void NormalisedRows<centered>::forward(const Inputs& in, const Destination& out, const Workspace& workspace) const {
    const Tensor& x = in[0];
    const std::size_t bias_at = has_weight ? 2 : 1;
    const Tensor weight = packed_or(has_weight ? &in[1] : nullptr, x, 1);
    const Tensor bias = packed_or(bias_at < in.size() ? &in[bias_at] : nullptr, x, 0);
    Tensor statistics;
    if (workspace.followed != 0) {
        Shape shape = x.shape();
        shape[x.rank() - 1] = 2;
        workspace.tensors[0] = statistics = Tensor::empty(shape, x.dtype());
    }
    visit_floating(x.dtype(), [&](auto type) {
        using T = decltype(type);
        using V = Lanes<T>;
        const T *const w = static_cast<const T*>(weight.raw()), *const b = static_cast<const T*>(bias.raw());
        T* const kept = statistics.defined() ? static_cast<T*>(statistics.raw()) : nullptr;
        for_each_row<const T, T>(
            -1, {&x, &out.tensor}, [&](std::int64_t row, std::span<const T> from, std::span<T> to) {
                const std::int64_t n = std::ssize(from);
                const RowStatistics<T> of_row(from.data(), n, eps, centered);
                const V mean(static_cast<double>(of_row.mean)), scale(static_cast<double>(of_row.scale));
                for (std::int64_t i = 0; i < n; i += V::size) {
                    const auto y = (V::load(from.data() + i, n - i).v - mean.v) * scale.v;
                    V(y * V::load(w + i, n - i).v + V::load(b + i, n - i).v).store(to.data() + i, n - i);
                }
                if (kept == nullptr) return;
                kept[2 * row] = of_row.mean;
                kept[2 * row + 1] = of_row.scale;
            });
    });
}

template <bool centered>
void NormalisedRows<centered>::vjp(Backward& back) const {
    const std::size_t bias_at = has_weight ? 2 : 1;
    const bool needs_weight = has_weight && back.needs(1),
               needs_bias = bias_at < back.input_count() && back.needs(bias_at);
    const bool needs_rows = back.needs(0) || needs_weight;
    if (back.is_recorded() || !needs_rows) {
        const Tensor& ct = back.cotangent();
        if (needs_bias) back.add(bias_at, sum_to(ct, back.input_shape(bias_at)));
        if (!needs_rows) return;
        const Composed rows(back.saved(0), eps, centered);
        if (back.needs(0)) back.add(0, rows.derivative(has_weight ? ct * back.saved(1) : ct));
        if (needs_weight) back.add(1, sum_to(ct * rows.y, back.input_shape(1)));
        return;
    }
    const Tensor x = packed(back.saved(0)), ct = packed(back.cotangent());
    const Tensor weight = packed_or(has_weight ? &back.saved(1) : nullptr, x, 1);
    const std::int64_t n = x.shape().back(), rows = back.workspace(0).numel() / 2, each = rows_of_part(rows);
    const std::int64_t parts = (rows + each - 1) / each;
    const auto sums = [&](bool needed) { return needed ? zeros({parts, n}, x.dtype()) : Tensor(); };
    const Tensor dweights = sums(needs_weight), dbiases = sums(needs_bias);
    Destination dx;
    if (back.needs(0)) dx = back.target(0);
    const bool in_place = dx.tensor.defined() && dx.tensor.is_contiguous();
    const Tensor written = in_place || !dx.tensor.defined() ? dx.tensor : Tensor::empty(x.shape(), x.dtype());
    visit_floating(x.dtype(), [&](auto type) {
        using T = decltype(type);
        const auto elements = [](const Tensor& t) { return t.defined() ? static_cast<T*>(t.raw()) : nullptr; };
        const BackwardKernel<T> kernel{elements(x),       elements(ct),
                                       elements(weight),  elements(back.workspace(0)),
                                       elements(written), elements(dweights),
                                       elements(dbiases), in_place && dx.accumulate,
                                       centered,          n};
        parallel_ranges(parts, 1, x.numel(), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t row = begin * each; row < std::min(end * each, rows); ++row) kernel.row(row, row / each);
        });
    });
    if (dx.tensor.defined() && !in_place) write(written, dx);
    if (needs_weight) back.add(1, sum_op(0), dweights);
    if (needs_bias) back.add(bias_at, sum_op(0), dbiases);
}

template <bool centered>
Tensor NormalisedRows<centered>::jvp(const Forward& forward) const {
    const std::size_t bias_at = has_weight ? 2 : 1;
    const Tensor& x = forward.input(0);
    Tensor result = forward.has(bias_at) ? expand(forward.tangent(bias_at), x.shape()) : Tensor();
    const auto add = [&](const Tensor& part) { result = result.defined() ? result + part : part; };
    const bool moves_weight = has_weight && forward.has(1);
    if (!forward.has(0) && !moves_weight) return result;
    const Composed rows(x, eps, centered);
    if (moves_weight) add(rows.y * forward.tangent(1));
    if (!forward.has(0)) return result;
    const Tensor dy = rows.derivative(forward.tangent(0));
    add(has_weight ? dy * forward.input(1) : dy);
    return result;
}

template <bool centered>
std::vector<Sample> NormalisedRows<centered>::samples() {
    const auto values = [](const Shape& shape, std::uint64_t seed) { return sample_values(shape, -1, 1, seed); };
    const auto f = [](const std::vector<Tensor>& in) {
        return normalised_rows<centered>(in[0], in[1], in.size() > 2 ? in[2] : Tensor(), 0.1);
    };
    return {{"[2, 3, 5], weight and bias", {values({2, 3, 5}, 1), values({5}, 2), values({5}, 3)}, f},
            {"[3, 19], weight", {values({3, 19}, 4), values({19}, 5)}, f},
            {"[4], bias",
             {values({4}, 6), values({4}, 7)},
             [](const auto& in) { return normalised_rows<centered>(in[0], {}, in[1], 0.1); }},
            {"[0, 3]", {values({0, 3}, 8), values({3}, 9), values({3}, 10)}, f},
            {"[2, 0]", {values({2, 0}, 11), values({0}, 12), values({0}, 13)}, f},
            {"transposed", {values({4, 5}, 14), values({4}, 15)}, [](const auto& in) {
                 return normalised_rows<centered>(transpose(in[0]), in[1], {}, 0.1);
             }}};
}

template struct NormalisedRows<true>;
template struct NormalisedRows<false>;

// group_norm, batch_norm

Tensor group_norm(const Input& x, std::int64_t groups, const Tensor& weight, const Tensor& bias, double eps) {
    const SourceLine& where = x.where();
    return located("group_norm", {x, {weight, where}, {bias, where}}, [&] {
        require_epsilon(eps);
        const Shape& shape = x.tensor().shape();
        const std::int64_t channels = length_of(x.tensor(), 1, "[B, C, ..]");
        if (groups < 1) throw ValueError(fmt::format("groups is {}, less than 1", groups));
        if (channels % groups != 0)
            throw ShapeError(fmt::format("{} groups do not divide the channels of x {}", groups, to_string(shape)));
        require_each("the weight", weight, channels, x.tensor());
        require_each("the bias", bias, channels, x.tensor());
        const Tensor rows = by_channels(x);
        const Tensor grouped = reshape({rows, where}, {shape[0], groups, channels / groups * rows.dim(2)});
        Tensor result = reshape({normalised_rows<true>({grouped, where}, {}, {}, eps), where}, rows.shape());
        if (weight.defined() || bias.defined())
            result =
                map([](auto y, auto weight, auto bias) { return y * weight + bias; }, Input(result, where),
                    OptionalOperand(weight, {channels, 1}, 1, where), OptionalOperand(bias, {channels, 1}, 0, where));
        return reshape({result, where}, shape);
    });
}

BatchNormalised batch_norm(const Input& x, const Tensor& weight, const Tensor& bias, double eps) {
    const SourceLine& where = x.where();
    return located("batch_norm", {x, {weight, where}, {bias, where}}, [&] {
        require_epsilon(eps);
        const std::int64_t channels = length_of(x.tensor(), 1, "[B, C, ..]");
        require_each("the weight", weight, channels, x.tensor());
        require_each("the bias", bias, channels, x.tensor());
        const Tensor rows = by_channels(x);
        const std::int64_t count = rows.dim(0) * rows.dim(2);
        if (count < 2)
            throw ShapeError(fmt::format("x {} has {} elements of each channel; statistics need 2 or more",
                                         to_string(x.tensor().shape()), count));
        const ReductionAxes axes{0, 2};
        const auto n = static_cast<double>(count);
        const Tensor center = mean({rows, where}, axes, true), squares = squares_around({rows, where}, center, axes);
        const Tensor result = normalised({rows, where}, center, squares, n, eps, {weight, {channels, 1}, 1, where},
                                         {bias, {channels, 1}, 0, where});
        const Tensor variance = Input(squares, where) / n;
        return BatchNormalised{reshape({result, where}, x.tensor().shape()), reshape({center, where}, {channels}),
                               reshape({variance, where}, {channels})};
    });
}

Tensor batch_norm(const Input& x, const Tensor& mean, const Tensor& variance, const Tensor& weight, const Tensor& bias,
                  double eps) {
    const SourceLine& where = x.where();
    return located("batch_norm", {x, {mean, where}, {variance, where}, {weight, where}, {bias, where}}, [&] {
        require_epsilon(eps);
        const std::int64_t channels = length_of(x.tensor(), 1, "[B, C, ..]");
        for (const auto& [what, values] : {std::pair<std::string_view, const Tensor&>{"the mean", mean},
                                           {"the variance", variance},
                                           {"the weight", weight},
                                           {"the bias", bias}})
            require_each(what, values, channels, x.tensor());
        const Shape each{channels, 1};
        const Tensor result =
            normalised({by_channels(x), where}, reshape({mean, where}, each), reshape({variance, where}, each), 1, eps,
                       {weight, each, 1, where}, {bias, each, 0, where});
        return reshape({result, where}, x.tensor().shape());
    });
}

}  // namespace wengert
