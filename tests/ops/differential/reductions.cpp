// Mirrors no file: reductions, scans and orders against references, for random operands.
#include <wengert/ops/ops.hpp>

#include "ops/differential/draws.hpp"

namespace differential {
namespace {

/// Elements along some axes, for each index of the others.
struct Rows {
    Shape shape;  ///< of the others
    std::vector<Numbers> rows;
};

/// A tensor and a set of its axes.
struct Reduced {
    Drawn x;
    ReductionAxes axes;
    std::array<bool, Shape::max_rank> flags{};
    bool keepdim = false, is_empty = false;  ///< whether a row has no elements

    Reduced(Draws& draw, Dtype dtype) : x(draw.operand(draw.shape(), dtype)) {
        const Shape& shape = x.tensor.shape();
        std::string text;
        if (draw.one_in(4)) {
            axes = all_axes;
            for (int axis = 0; axis < shape.rank(); ++axis) flags[static_cast<std::size_t>(axis)] = true;
            text = "all";
        } else {
            for (int axis = 0; axis < shape.rank(); ++axis) {
                if (draw.one_in(2)) continue;
                flags[static_cast<std::size_t>(axis)] = true;
                const int named = draw.one_in(2) ? axis : axis - shape.rank();
                axes.add(named);
                text += fmt::format("{} ", named);
            }
        }
        keepdim = draw.one_in(2);
        for (int axis = 0; axis < shape.rank(); ++axis)
            is_empty |= flags[static_cast<std::size_t>(axis)] && shape[axis] == 0;
        draw.say("axes {}, keepdim {}", text, keepdim);
    }

    Rows rows() const {
        Rows result;
        Shape others, kept;
        const Shape& shape = x.tensor.shape();
        for (int axis = 0; axis < shape.rank(); ++axis) {
            const bool reduced = flags[static_cast<std::size_t>(axis)];
            kept.push_back(reduced ? 1 : shape[axis]);
            if (!reduced) others.push_back(shape[axis]);
        }
        result.shape = keepdim ? kept : others;
        result.rows.resize(static_cast<std::size_t>(kept.numel()));
        for_each_index(shape, [&](const Shape& index) {
            Shape row = index;
            for (int axis = 0; axis < shape.rank(); ++axis)
                if (flags[static_cast<std::size_t>(axis)]) row[axis] = 0;
            result.rows[place_of(row, kept)].push_back(x.plain.at(index));
        });
        return result;
    }
};

/// What f makes of each row.
template <class F>
Plain of_rows(const Rows& rows, Dtype dtype, const F& f) {
    Plain result{rows.shape, dtype, {}};
    for (const Numbers& row : rows.rows) result.values.push_back(f(row));
    return result;
}

std::string sums(Draws& draw) {
    const Dtype dtype = draw.any_dtype();
    const Reduced r(draw, dtype);
    const bool takes_mean = is_floating(dtype) && draw.one_in(3);
    draw.say("{}", takes_mean ? "mean" : "sum");
    Numbers tolerances;
    const Plain want = of_rows(r.rows(), is_floating(dtype) ? dtype : Dtype::int64, [&](const Numbers& row) {
        Sum sum;
        for (const long double v : row) sum.add(v);
        const auto n = static_cast<long double>(row.size());
        if (!is_floating(dtype)) {
            tolerances.push_back(sum.size < 0x1p62L ? 0 : anything);
            return sum.size < 0x1p62L ? sum.value : 0;
        }
        tolerances.push_back(takes_mean
                                 ? 2 * sum.tolerance(dtype) / std::fmax(n, 1) + least_of(dtype) * epsilon_of(dtype)
                                 : sum.tolerance(dtype));
        return takes_mean ? sum.value / n : sum.value;
    });
    return difference(takes_mean ? mean(r.x.tensor, r.axes, r.keepdim) : sum(r.x.tensor, r.axes, r.keepdim), want,
                      tolerances);
}

std::string products(Draws& draw) {
    const Dtype dtype = draw.any_dtype();
    const Reduced r(draw, dtype);
    Numbers tolerances;
    const Plain want = of_rows(r.rows(), is_floating(dtype) ? dtype : Dtype::int64, [&](const Numbers& row) {
        Product product;
        for (const long double v : row) product.multiply(v);
        if (is_floating(dtype)) {
            tolerances.push_back(product.tolerance(dtype));
            return product.value;
        }
        std::uint64_t bits = 1;  // which wraps around
        for (const long double v : row) bits *= static_cast<std::uint64_t>(static_cast<std::int64_t>(v));
        tolerances.push_back(0);
        return static_cast<long double>(static_cast<std::int64_t>(bits));
    });
    return difference(prod(r.x.tensor, r.axes, r.keepdim), want, tolerances);
}

/// The place of the first of the largest elements, or of the first NaN.
std::size_t largest_place(const Numbers& row, bool largest) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < row.size(); ++i) {
        if (std::isnan(row[best])) break;
        if (std::isnan(row[i]) || (largest ? row[i] > row[best] : row[i] < row[best])) best = i;
    }
    return best;
}

std::string extremes(Draws& draw) {
    const Dtype dtype = draw.any_dtype();
    const Reduced r(draw, dtype);
    const std::int64_t op = draw.below(6);
    const bool largest = op % 2 == 0, is_place = op >= 4;
    draw.say("{}", std::array{"max", "min", "amax", "amin", "argmax", "argmin"}[static_cast<std::size_t>(op)]);
    const auto call = [&] {
        const Tensor& x = r.x.tensor;
        return op == 0   ? max(x, r.axes, r.keepdim)
               : op == 1 ? min(x, r.axes, r.keepdim)
               : op == 2 ? amax(x, r.axes, r.keepdim)
               : op == 3 ? amin(x, r.axes, r.keepdim)
               : op == 4 ? argmax(x, r.axes, r.keepdim)
                         : argmin(x, r.axes, r.keepdim);
    };
    if (r.is_empty) return refused<ShapeError>(call);
    return difference(call(), of_rows(r.rows(), is_place ? Dtype::int64 : dtype, [&](const Numbers& row) {
                          const std::size_t place = largest_place(row, largest);
                          return is_place ? static_cast<long double>(place) : row[place];
                      }));
}

std::string counts(Draws& draw) {
    const Reduced r(draw, draw.any_dtype());
    const Rows rows = r.rows();
    const auto count = [](const Numbers& row) {
        return static_cast<long double>(row.size()) - static_cast<long double>(std::ranges::count(row, 0.0L));
    };
    const Tensor& x = r.x.tensor;
    std::string text = difference(count_nonzero(x, r.axes, r.keepdim), of_rows(rows, Dtype::int64, count));
    text += difference(any(x, r.axes, r.keepdim),
                       of_rows(rows, Dtype::boolean, [&](const Numbers& row) { return count(row) > 0 ? 1 : 0; }));
    return text + difference(all(x, r.axes, r.keepdim), of_rows(rows, Dtype::boolean, [&](const Numbers& row) {
                                 return count(row) == static_cast<long double>(row.size()) ? 1 : 0;
                             }));
}

/// ln sum e^x of a row, and how far a rounded one may be from it.
std::pair<long double, long double> log_sum(const Numbers& row, Dtype dtype) {
    const long double none = -std::numeric_limits<long double>::infinity();
    long double most = none, sum = 0;
    for (const long double v : row) {
        if (std::isnan(v)) return {v, 0};
        most = std::fmax(most, v);
    }
    if (std::isinf(most)) return {most, 0};
    for (const long double v : row) sum += std::exp(v - most);
    const long double log = std::log(sum);
    // The sum's relative error is the logarithm's absolute one. e^(v - most) has that of the difference, too.
    return {most + log, epsilon_of(dtype) * (std::abs(most) + 2 * static_cast<long double>(row.size()) + 16)};
}

std::string softmaxes(Draws& draw) {
    const Dtype dtype = draw.floating();
    const Reduced r(draw, dtype);
    const Tensor& x = r.x.tensor;
    Numbers tolerances;
    const Rows rows = r.rows();
    const Plain sum = of_rows(rows, dtype, [&](const Numbers& row) {
        const auto [value, tolerance] = log_sum(row, dtype);
        tolerances.push_back(tolerance);
        return value;
    });
    if (const std::string text = difference(logsumexp(x, r.axes, r.keepdim), sum, tolerances); !text.empty())
        return "logsumexp: " + text;
    if (!r.axes.any() || x.rank() == 0) return "";
    Shape kept = x.shape();
    for (int axis = 0; axis < kept.rank(); ++axis)
        if (r.flags[static_cast<std::size_t>(axis)]) kept[axis] = 1;
    const bool takes_log = draw.one_in(2);
    draw.say("{}", takes_log ? "log_softmax" : "softmax");
    Numbers near;
    const Plain want = made(x.shape(), dtype, [&](const Shape& index) -> long double {
        Shape row = index;
        for (int axis = 0; axis < row.rank(); ++axis)
            if (kept[axis] == 1) row[axis] = 0;
        const std::size_t place = place_of(row, kept);
        const long double v = r.x.plain.at(index), all = sum.values[place], log = v - all;
        const long double error = tolerances[place] + epsilon_of(dtype) * (std::abs(v) + std::abs(log));
        // What infinities become is said in words and tested elsewhere.
        near.push_back(std::isinf(all) ? anything
                       : takes_log     ? error
                                       : 2 * std::exp(log) * error + 4 * least_of(dtype));
        return takes_log ? log : std::exp(log);
    });
    return difference(takes_log ? log_softmax(x, r.axes) : softmax(x, r.axes), want, near);
}

/// What f makes of the elements of each row along an axis, which it writes into another such row.
template <class F>
Plain along(const Plain& x, int axis, bool reverse, Dtype dtype, const F& f) {
    Plain result{x.shape, dtype, Numbers(x.values.size())};
    Shape first = x.shape;
    first[axis] = std::min<std::int64_t>(first[axis], 1);
    for_each_index(first, [&](const Shape& begin) {
        Numbers row, out;
        std::vector<std::size_t> places;
        for (std::int64_t i = 0; i < x.shape[axis]; ++i) {
            Shape index = begin;
            index[axis] = reverse ? x.shape[axis] - 1 - i : i;
            places.push_back(place_of(index, x.shape));
            row.push_back(x.values[places.back()]);
        }
        out.resize(row.size());
        f(row, out, places);
        for (std::size_t i = 0; i < row.size(); ++i) result.values[places[i]] = out[i];
    });
    return result;
}

std::string scans(Draws& draw) {
    const std::int64_t op = draw.below(6);
    const Dtype dtype = op == 0 || op >= 4 ? draw.any_dtype() : draw.floating();
    const Drawn x = draw.operand(draw.shape(1), dtype);
    const int axis = draw.axis(x.tensor.shape());
    const bool reverse = op < 4 && draw.one_in(2), exclusive = op == 1 && draw.one_in(2);
    draw.say("{} axis {}, reverse {}, exclusive {}",
             std::array{"cumsum", "cumprod", "logcumsumexp", "linear_scan", "cummax",
                        "cummin"}[static_cast<std::size_t>(op)],
             axis, reverse, exclusive);
    Numbers tolerances(x.plain.values.size());
    if (op >= 4) {
        const bool largest = op == 4;
        const TopK got = largest ? cummax(x.tensor, axis) : cummin(x.tensor, axis);
        const auto places = [&](const Numbers& row, Numbers& out, const auto&) {
            for (std::size_t i = 0; i < row.size(); ++i)
                out[i] = static_cast<long double>(
                    largest_place(Numbers(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(i) + 1), largest));
        };
        const auto values = [&](const Numbers& row, Numbers& out, const auto& at) {
            places(row, out, at);
            for (long double& v : out) v = row[static_cast<std::size_t>(v)];
        };
        return difference(got.values, along(x.plain, axis, false, dtype, values)) +
               difference(got.indices, along(x.plain, axis, false, Dtype::int64, places));
    }
    if (op == 3) {
        const Drawn b = draw.operand_beside(x, x.tensor.shape(), dtype, draw.kind());
        const Plain want = along(x.plain, axis, reverse, dtype, [&](const Numbers& row, Numbers& out, const auto& at) {
            long double y = 0, size = 0, largest = 0, error = 0;
            for (std::size_t i = 0; i < row.size(); ++i) {
                const long double add = b.plain.values[at[i]];
                size = std::abs(row[i]) * size + std::abs(add);
                error = std::abs(row[i]) * error + 3 * epsilon_of(dtype) * size + 2 * least_of(dtype);
                y = (i == 0 ? 0 : row[i] * y) + add;
                // The first element has nothing before it; whether 0 is multiplied shows only where it is not finite.
                if (i == 0 && !std::isfinite(row[i])) largest = anything;
                largest = std::fmax(largest, std::isfinite(size) ? size : anything);
                out[i] = y;
                tolerances[at[i]] = largest > largest_of(dtype) / 4 ? anything : error;
            }
        });
        return difference(linear_scan(x.tensor, b.tensor, axis, reverse), want, tolerances);
    }
    const Dtype result = is_floating(dtype) ? dtype : Dtype::int64;
    const Plain want = along(x.plain, axis, reverse, result, [&](const Numbers& row, Numbers& out, const auto& at) {
        Sum sum;
        Product product;
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (op == 0) {
                sum.add(row[i]);
                out[i] = sum.value;
                tolerances[at[i]] = is_floating(dtype) ? sum.tolerance(dtype) : sum.size < 0x1p62L ? 0 : anything;
            } else if (op == 1) {
                if (!exclusive) product.multiply(row[i]);
                out[i] = product.value;
                tolerances[at[i]] = product.tolerance(dtype);
                if (exclusive) product.multiply(row[i]);
            } else {
                const auto [value, tolerance] =
                    log_sum(Numbers(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(i) + 1), dtype);
                out[i] = value;
                tolerances[at[i]] =
                    tolerance * 4 + 4 * epsilon_of(dtype) * static_cast<long double>(i) * std::abs(value);
            }
        }
    });
    return difference(op == 0   ? cumsum(x.tensor, axis, reverse)
                      : op == 1 ? cumprod(x.tensor, axis, reverse, exclusive)
                                : logcumsumexp(x.tensor, axis, reverse),
                      want, tolerances);
}

/// Whether a stands before b in ascending order; a NaN is larger than every number.
bool is_below(long double a, long double b) { return std::isnan(b) ? !std::isnan(a) : a < b; }

std::string orders(Draws& draw) {
    const std::int64_t op = draw.below(3);
    const Dtype dtype = draw.one_of(std::vector{Dtype::float32, Dtype::float64, Dtype::int64, Dtype::int32});
    const Drawn x = draw.operand(draw.shape(1), dtype);
    const int axis = draw.axis(x.tensor.shape());
    const bool descending = draw.one_in(2);
    const std::int64_t n = x.tensor.dim(axis), k = op == 2 ? draw.below(n + 1) : n;
    draw.say("{} axis {}, descending {}, k {}", std::array{"sort", "argsort", "topk"}[static_cast<std::size_t>(op)],
             axis, descending, k);
    const auto places = [&](const Numbers& row, Numbers& out, const auto&) {
        std::iota(out.begin(), out.end(), 0);
        std::ranges::stable_sort(out, [&](long double a, long double b) {
            const long double left = row[static_cast<std::size_t>(a)], right = row[static_cast<std::size_t>(b)];
            return descending ? is_below(right, left) : is_below(left, right);
        });
    };
    const auto values = [&](const Numbers& row, Numbers& out, const auto& at) {
        places(row, out, at);
        for (long double& v : out) v = row[static_cast<std::size_t>(v)];
    };
    const Plain sorted = along(x.plain, axis, false, dtype, values),
                order = along(x.plain, axis, false, Dtype::int64, places);
    if (op == 0) return difference(sort(x.tensor, axis, descending), sorted);
    if (op == 1) return difference(argsort(x.tensor, axis, descending), order);
    Shape shape = x.tensor.shape();
    shape[axis] = k;
    const TopK got = topk(x.tensor, k, axis, descending);
    return difference(got.values, made(shape, dtype, [&](const Shape& index) { return sorted.at(index); })) +
           difference(got.indices, made(shape, Dtype::int64, [&](const Shape& index) { return order.at(index); }));
}

std::string searches(Draws& draw) {
    const Dtype dtype = draw.one_of(std::vector{Dtype::float32, Dtype::float64, Dtype::int64, Dtype::int32});
    const Drawn any = draw.operand({draw.below(40)}, dtype), values = draw.operand(draw.shape(), dtype);
    const bool right = draw.one_in(2);
    draw.say("searchsorted right {}", right);
    const Tensor sorted = sort(any.tensor);
    const Numbers row = numbers_of(sorted);
    return difference(
        searchsorted(sorted, values.tensor, right), made(values.tensor.shape(), Dtype::int64, [&](const Shape& index) {
            const long double v = values.plain.at(index);
            return static_cast<long double>(std::ranges::count_if(
                row, [&](long double element) { return right ? !is_below(v, element) : is_below(element, v); }));
        }));
}

}  // namespace

TEST_CASE("differential: reductions, scans and orders") {
    check_calls({{"sum", sums},
                 {"prod", products},
                 {"extreme", extremes},
                 {"count", counts},
                 {"softmax", softmaxes},
                 {"scan", scans},
                 {"order", orders},
                 {"searchsorted", searches}});
}

}  // namespace differential
