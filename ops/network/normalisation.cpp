#include <fmt/format.h>

#include <wengert/ops/elementwise/map.hpp>
#include <wengert/ops/network/normalisation.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {
namespace {

void require_epsilon(double eps) {
    if (!(eps >= 0)) throw ValueError(fmt::format("eps is {}, not 0 or more", eps));
}

/// The length of x's axis -1 or 1, which `axes` names.
std::int64_t length_of(const Tensor& x, int axis, std::string_view axes) {
    if (x.rank() < (axis < 0 ? 1 : 2))
        throw ShapeError(fmt::format("x must be {}, not {}", axes, to_string(x.shape())));
    return x.dim(axis);
}

/// For an operand that has one number for each of n features or channels of x, or is undefined.
void require_each(std::string_view what, const Tensor& values, std::int64_t n, const Tensor& x) {
    if (values.defined() && values.shape() != Shape{n})
        throw ShapeError(
            fmt::format("{} must be [{}] for x {}, not {}", what, n, to_string(x.shape()), to_string(values.shape())));
    if (values.defined() && values.dtype() != x.dtype())
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

/// Whether x normalised by itself over axes.
Tensor normalised(const Input& x, const ReductionAxes& axes, double eps, const OptionalOperand& weight,
                  const OptionalOperand& bias) {
    const Tensor center = mean(x, axes, true), squares = squares_around(x, center, axes);
    return normalised(x, center, squares, static_cast<double>(axes.count(x.tensor().shape())), eps, weight, bias);
}

/// x [B, C, ..] as [B, C, n].
Tensor by_channels(const Input& x) {
    const Shape& shape = x.tensor().shape();
    std::int64_t n = 1;
    for (int axis = 2; axis < shape.rank(); ++axis) n *= shape[axis];
    return reshape(x, {shape[0], shape[1], n});
}

}  // namespace

Tensor layer_norm(const Input& x, const Tensor& weight, const Tensor& bias, double eps) {
    const SourceLine& where = x.where();
    return located("layer_norm", {x, {weight, where}, {bias, where}}, [&] {
        require_epsilon(eps);
        const std::int64_t n = length_of(x.tensor(), -1, "[.., n]");
        require_each("the weight", weight, n, x.tensor());
        require_each("the bias", bias, n, x.tensor());
        return normalised(x, -1, eps, {weight, {n}, 1, where}, {bias, {n}, 0, where});
    });
}

Tensor rms_norm(const Input& x, const Tensor& weight, double eps) {
    const SourceLine& where = x.where();
    return located("rms_norm", {x, {weight, where}}, [&] {
        require_epsilon(eps);
        const std::int64_t n = length_of(x.tensor(), -1, "[.., n]");
        require_each("the weight", weight, n, x.tensor());
        const Tensor squares = map_sum([](auto x) { return x * x; }, ReductionAxes(-1).keeping_dims(), x);
        const OptionalOperand scale(weight, {n}, 1, where);
        return map([n = static_cast<double>(n), eps](auto x, auto squares,
                                                     auto weight) { return x * rsqrt(squares / n + eps) * weight; },
                   x, Input(squares, where), scale);
    });
}

Tensor group_norm(const Input& x, std::int64_t groups, const Tensor& weight, const Tensor& bias, double eps) {
    const SourceLine& where = x.where();
    return located("group_norm", {x, {weight, where}, {bias, where}}, [&] {
        require_epsilon(eps);
        const std::int64_t channels = length_of(x.tensor(), 1, "[B, C, ..]");
        if (groups < 1) throw ValueError(fmt::format("groups is {}, less than 1", groups));
        if (channels % groups != 0)
            throw ShapeError(
                fmt::format("{} groups do not divide the channels of x {}", groups, to_string(x.tensor().shape())));
        require_each("the weight", weight, channels, x.tensor());
        require_each("the bias", bias, channels, x.tensor());
        const Tensor rows = by_channels(x);
        const Shape each{groups, channels / groups, 1};
        const Tensor grouped = reshape({rows, where}, {rows.dim(0), each[0], each[1], rows.dim(2)});
        const Tensor result =
            normalised({grouped, where}, {2, 3}, eps, {weight, each, 1, where}, {bias, each, 0, where});
        return reshape({result, where}, x.tensor().shape());
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
