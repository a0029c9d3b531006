// Mirrors no file: functions of elements against references, for random operands.
#include <wengert/ops/all_ops.hpp>
#include <wengert/ops/ops.hpp>

#include "ops/differential/draws.hpp"
#include "ops/elementwise/ulp_errors.hpp"

namespace differential {
namespace {

/// The space of operands that broadcast.
Shape space_of(const Shape& a, const Shape& b) {
    Shape space = a.rank() < b.rank() ? b : a;
    const Shape& other = a.rank() < b.rank() ? a : b;
    for (int axis = 0; axis < other.rank(); ++axis) {
        std::int64_t& n = space[space.rank() - other.rank() + axis];
        if (n == 1) n = other[axis];
    }
    return space;
}

/// What becomes of two dtypes. A tensor without axes decides only if it is of a later kind.
Dtype common_dtype(const Plain& x, const Plain& y) {
    const auto kind = [](Dtype dtype) { return is_floating(dtype) ? 2 : dtype == Dtype::boolean ? 0 : 1; };
    const auto rank = [](Dtype dtype) {
        const std::vector order{Dtype::boolean, Dtype::int32, Dtype::int64, Dtype::float32, Dtype::float64};
        return std::ranges::find(order, dtype) - order.begin();
    };
    const bool x_has = !x.shape.empty(), y_has = !y.shape.empty();
    if (x_has != y_has) {
        const Plain &with = x_has ? x : y, &without = x_has ? y : x;
        return kind(without.dtype) > kind(with.dtype) ? without.dtype : with.dtype;
    }
    return rank(x.dtype) > rank(y.dtype) ? x.dtype : y.dtype;
}

long double rounded_to(Dtype dtype, long double x) {
    return dtype == Dtype::float32   ? static_cast<long double>(static_cast<float>(x))
           : dtype == Dtype::float64 ? static_cast<long double>(static_cast<double>(x))
                                     : x;
}

/// An integer as it wraps around; NaN for one that 64 bits do not hold, which long double need not hold either.
long double wrapped(long double x, Dtype dtype) {
    if (dtype == Dtype::boolean) return x != 0 ? 1 : 0;
    if (std::abs(x) >= 0x1p63L) return std::numeric_limits<long double>::quiet_NaN();
    const auto bits = static_cast<std::int64_t>(x);
    return dtype == Dtype::int32 ? static_cast<std::int32_t>(bits) : bits;
}

std::string check_values(const FunctionEntry& f, const Tensor& got, const Plain& x, const Plain& y, Dtype dtype) {
    if (!is_floating(dtype)) {
        Numbers tolerances;
        const Plain want = made(got.shape(), got.dtype(), [&](const Shape& index) {
            const long double exact = f.exact(x.broadcast_at(index), y.broadcast_at(index)),
                              value = f.differentiable ? wrapped(exact, dtype) : exact;
            tolerances.push_back(std::isnan(value) ? anything : 0);
            return value;
        });
        return difference(got, want, tolerances);
    }
    const ulp_errors::Limits limits(dtype);
    const ulp_errors::Bound bound = ulp_errors::value_bound(f.accuracy);
    const auto is_outside = [](const Range& r, long double v) { return v < r.low || v > r.high; };
    const Numbers values = numbers_of(got);
    std::size_t i = 0;
    std::string text;
    for_each_index(got.shape(), [&](const Shape& index) {
        const long double a = rounded_to(dtype, x.broadcast_at(index)), b = rounded_to(dtype, y.broadcast_at(index)),
                          exact = f.exact(a, b);
        const auto have = static_cast<double>(values[i++]);
        if (!text.empty() || is_outside(f.accuracy.between, a) || is_outside(f.accuracy.between_y, b)) return;
        const double ulps = bound.distance(static_cast<double>(a), have, exact, limits);
        if (ulps > bound.ulps && !bound.may_lose(have, exact, limits))
            text = fmt::format("element {}, of {:.20Lg} and {:.20Lg}, is {:.20g}, not {:.20Lg} ({:g} ulp)", i - 1, a, b,
                               have, exact, ulps);
    });
    return text;
}

std::string function_of_lists(Draws& draw) {
    const FunctionEntry& f = draw.one_of(all_functions());
    draw.say("{}", f.name);
    const Dtype first = draw.one_in(4) ? draw.any_dtype() : draw.floating(),
                second = draw.one_in(4) ? draw.any_dtype() : first;
    const Kind kind = draw.kind();
    const Drawn x = draw.operand(draw.shape(), first, kind);
    const Shape beside = draw.below_shape(x.tensor.shape());
    const Drawn y = f.operands == 1 ? x : draw.operand_beside(x, beside, second, kind);
    const Dtype dtype = common_dtype(x.plain, y.plain);
    const bool swapped = f.operands == 2 && draw.one_in(4);
    const Drawn &a = swapped ? y : x, &b = swapped ? x : y;
    Tensor got;
    try {
        got = f.apply(a.tensor, b.tensor);
    } catch (const DtypeError&) {
        return is_floating(dtype) ? "floats were refused" : "";
    } catch (const ValueError&) {  // the remainder of a division of integers by 0
        return !is_floating(dtype) && std::ranges::find(b.plain.values, 0) != b.plain.values.end() ? "" : "refused";
    }
    const bool is_quotient = f.name == "div" && !is_floating(dtype);
    const Dtype result = !f.differentiable ? Dtype::boolean : is_quotient ? Dtype::float32 : dtype;
    if (got.dtype() != result) return fmt::format("the result is {}", to_string(got.dtype()));
    if (got.shape() != space_of(a.tensor.shape(), b.tensor.shape()))
        return fmt::format("the result is {}", to_string(got.shape()));
    return check_values(f, got, a.plain, b.plain, is_quotient ? result : dtype);
}

/// The derivative of a function by its first operand, which may be its second one, too.
std::string derivative(Draws& draw) {
    std::vector<const FunctionEntry*> functions;
    for (const FunctionEntry& f : all_functions())
        if (f.exact_slopes != nullptr && f.operands == 1) functions.push_back(&f);
    const FunctionEntry& f = *draw.one_of(functions);
    draw.say("{}", f.name);
    const Dtype dtype = draw.floating();
    const Drawn x = draw.operand(draw.shape(), dtype), ct = draw.operand(x.tensor.shape(), dtype, Kind::ordinary);
    Tape tape;
    tape.watch(x.tensor);
    const Tensor got = tape.gradient(f.apply(x.tensor, x.tensor), x.tensor, {.cotangent = ct.tensor});
    const ulp_errors::Bound bound = ulp_errors::slope_bound(f.accuracy);
    Numbers tolerances;
    const Plain want = made(x.tensor.shape(), dtype, [&](const Shape& index) {
        const long double at = x.plain.at(index), by = ct.plain.at(index), slope = f.exact_slopes(at, at)[0],
                          result = slope * by;
        const bool is_compared = std::abs(f.exact(at, at)) <= largest_of(dtype) && !std::isnan(slope) &&
                                 std::abs(slope) <= largest_of(dtype) / 4 && at >= f.accuracy.between.low &&
                                 at <= f.accuracy.between.high;
        const long double unit = at > bound.root.low && at < bound.root.high ? 1 : std::abs(slope);
        tolerances.push_back(is_compared ? (bound.ulps + 1) * epsilon_of(dtype) * unit * std::abs(by) +
                                               4 * bound.least_normals * least_of(dtype) * (std::abs(by) + 1)
                                         : anything);
        return result;
    });
    return difference(got, want, tolerances);
}

std::string choice(Draws& draw) {
    const Dtype dtype = draw.any_dtype();
    const Drawn x = draw.operand(draw.shape(), dtype);
    const Drawn y = draw.operand_beside(x, draw.below_shape(x.tensor.shape()), dtype, draw.kind());
    const Drawn condition = draw.operand(draw.below_shape(x.tensor.shape()), draw.any_dtype());
    const bool swapped = draw.one_in(2);
    const Drawn &yes = swapped ? y : x, &no = swapped ? x : y;
    const Plain want = made(x.tensor.shape(), dtype, [&](const Shape& index) {
        return condition.plain.broadcast_at(index) != 0 ? yes.plain.broadcast_at(index) : no.plain.broadcast_at(index);
    });
    return difference(where(condition.tensor, yes.tensor, no.tensor), want);
}

std::string clamped(Draws& draw) {
    const Dtype dtype = draw.floating();
    const Drawn x = draw.operand(draw.shape(), dtype);
    const double low = static_cast<double>(draw.below(5) - 3), high = static_cast<double>(draw.below(5) - 2);
    draw.say("clamp to {} and {}", low, high);
    const Plain want = made(x.tensor.shape(), dtype, [&](const Shape& index) -> long double {
        const long double v = x.plain.at(index);
        if (std::isnan(v)) return v;
        const long double above = v >= low ? v : low;
        return above <= high ? above : high;
    });
    return difference(clamp(x.tensor, low, high), want);
}

/// A formula of three operands, two of which may share their elements.
std::string formula(Draws& draw) {
    const Dtype dtype = draw.floating();
    const Drawn x = draw.operand(draw.shape(), dtype);
    const Drawn y = draw.operand_beside(x, draw.below_shape(x.tensor.shape()), dtype, draw.kind());
    const Drawn z = draw.operand_beside(y, draw.below_shape(x.tensor.shape()), dtype, draw.kind());
    const Tensor got = map([](const auto& a, const auto& b, const auto& c) { return where(a > b, a, b * c); }, x.tensor,
                           y.tensor, z.tensor);
    Numbers tolerances;
    const Plain want = made(x.tensor.shape(), dtype, [&](const Shape& index) {
        const long double a = x.plain.at(index), b = y.plain.broadcast_at(index), c = z.plain.broadcast_at(index);
        if (a > b) {
            tolerances.push_back(0);
            return a;
        }
        Sum product;
        product.add(b * c);
        tolerances.push_back(product.tolerance(dtype));
        return b * c;
    });
    return difference(got, want, tolerances);
}

/// copy_from() and fill() write the elements of a view, and nothing else of its storage.
std::string writing(Draws& draw) {
    const Shape shape = draw.shape(1);
    const Drawn from = draw.operand(shape, draw.floating());
    Shape larger = shape;
    for (std::int64_t& n : larger) n += draw.below(3);
    Shape order = shape;
    std::iota(order.begin(), order.end(), 0);
    if (draw.one_in(2)) std::reverse(order.begin(), order.end());
    Tensor whole = draw.operand(larger, draw.floating(), Kind::ordinary).tensor.clone();
    Plain want = plain(permute(whole, order));
    Tensor part = whole;
    for (int axis = 0; axis < shape.rank(); ++axis) part = slice(part, axis, larger[axis] - shape[axis], larger[axis]);
    const bool fills = draw.one_in(3);
    draw.say("{} a part of {} in order {}", fills ? "fill" : "copy_from", to_string(larger), to_string(order));
    for_each_index(shape, [&](const Shape& index) {
        Shape there = index;
        for (int i = 0; i < shape.rank(); ++i) {
            const int axis = static_cast<int>(order[i]);
            there[i] = index[axis] + larger[axis] - shape[axis];
        }
        want.values[place_of(there, want.shape)] = fills ? 7 : rounded_to(whole.dtype(), from.plain.at(index));
    });
    if (fills)
        part.fill(7);
    else
        part.copy_from(from.tensor);
    return difference(permute(whole, order), want);
}

}  // namespace

TEST_CASE("differential: functions of elements") {
    check_calls({{"function", function_of_lists},
                 {"function", function_of_lists},
                 {"function", function_of_lists},
                 {"function", function_of_lists},
                 {"derivative", derivative},
                 {"where", choice},
                 {"clamp", clamped},
                 {"map", formula},
                 {"writing", writing}});
}

}  // namespace differential
