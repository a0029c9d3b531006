// Mirrors no file: arrangements and lookups against references, for random operands.
#include <wengert/ops/ops.hpp>

#include "ops/differential/draws.hpp"

namespace differential {
namespace {

/// An array whose elements are those of x at the index that f makes of each index.
template <class F>
Plain taken(const Plain& x, const Shape& shape, const F& f) {
    return made(shape, x.dtype, [&](Shape index) {
        f(index);
        return x.at(index);
    });
}

std::string reversals(Draws& draw) {
    const Drawn x = draw.operand(draw.shape(1), draw.any_dtype());
    const Shape& shape = x.tensor.shape();
    const int axis = draw.axis(shape);
    const std::int64_t n = shape[axis];
    if (draw.one_in(2)) {
        draw.say("flip {}", axis);
        return difference(flip(x.tensor, axis), taken(x.plain, shape, [&](Shape& i) { i[axis] = n - 1 - i[axis]; }));
    }
    const std::int64_t shift = draw.below(41) - 20;
    draw.say("roll {} along {}", shift, axis);
    return difference(roll(x.tensor, shift, axis),
                      taken(x.plain, shape, [&](Shape& i) { i[axis] = ((i[axis] - shift) % n + n) % n; }));
}

std::string repetitions(Draws& draw) {
    const Drawn x = draw.operand(draw.shape(1), draw.any_dtype());
    const int axis = draw.axis(x.tensor.shape());
    const std::int64_t times = draw.below(4), n = x.tensor.dim(axis);
    Shape shape = x.tensor.shape();
    shape[axis] *= times;
    const bool whole = draw.one_in(2);
    draw.say("{} {} along {}", whole ? "tile" : "repeat_interleave", times, axis);
    const Plain want = taken(x.plain, shape, [&](Shape& i) { i[axis] = whole ? i[axis] % n : i[axis] / times; });
    return difference(whole ? tile(x.tensor, times, axis) : repeat_interleave(x.tensor, times, axis), want);
}

std::string padded(Draws& draw) {
    const Drawn x = draw.operand(draw.shape(1), draw.any_dtype());
    const int axis = draw.axis(x.tensor.shape());
    const std::int64_t n = x.tensor.dim(axis), before = draw.below(4), after = draw.below(4);
    const PadMode mode =
        draw.one_of(std::vector{PadMode::constant, PadMode::edge, PadMode::reflect, PadMode::circular});
    draw.say("pad {} and {} along {}, mode {}", before, after, axis, static_cast<int>(mode));
    const auto call = [&] { return pad(x.tensor, axis, before, after, {.mode = mode, .value = 1}); };
    const std::int64_t most = mode == PadMode::reflect ? n - 1 : mode == PadMode::circular ? n : n == 0 ? 0 : 4;
    if (mode != PadMode::constant && std::max(before, after) > std::max<std::int64_t>(most, 0))
        return refused<ValueError>(call);
    Shape shape = x.tensor.shape();
    shape[axis] += before + after;
    return difference(call(), made(shape, x.plain.dtype, [&](Shape index) -> long double {
                          std::int64_t& i = index[axis];
                          i -= before;
                          if (i >= 0 && i < n) return x.plain.at(index);
                          if (mode == PadMode::constant) return 1;
                          if (mode == PadMode::edge) i = i < 0 ? 0 : n - 1;
                          if (mode == PadMode::reflect) i = i < 0 ? -i : 2 * (n - 1) - i;
                          if (mode == PadMode::circular) i = i < 0 ? i + n : i - n;
                          return x.plain.at(index);
                      }));
}

std::string parts(Draws& draw) {
    const Drawn x = draw.operand(draw.shape(1), draw.any_dtype());
    Shape shape = x.tensor.shape();
    const int axis = draw.axis(shape);
    const std::int64_t n = shape[axis], begin = draw.below(n + 1), step = 1 + draw.below(3);
    const bool down = draw.one_in(2) && begin < n;
    const std::int64_t end = down ? draw.below(begin + 1) : begin + draw.below(n - begin + 1),
                       length = ((down ? begin - end : end - begin) + step - 1) / step;
    draw.say("slice {}:{}:{} along {}", begin, end, down ? -step : step, axis);
    shape[axis] = length;
    return difference(slice(x.tensor, axis, {.begin = begin, .end = end, .step = down ? -step : step}),
                      taken(x.plain, shape, [&](Shape& i) { i[axis] = begin + (down ? -step : step) * i[axis]; }));
}

std::string triangles(Draws& draw) {
    const Drawn x = draw.operand(draw.shape(2), draw.floating());
    const std::int64_t k = draw.below(9) - 4;
    const bool lower = draw.one_in(2);
    draw.say("{} {}", lower ? "tril" : "triu", k);
    return difference(lower ? tril(x.tensor, k) : triu(x.tensor, k),
                      made(x.tensor.shape(), x.plain.dtype, [&](const Shape& index) -> long double {
                          const std::int64_t off = index.back() - index[index.rank() - 2];
                          return (lower ? off <= k : off >= k) ? x.plain.at(index) : 0;
                      }));
}

std::string diagonals(Draws& draw) {
    const Drawn x = draw.operand(draw.shape(2), draw.any_dtype());
    Shape shape = x.tensor.shape();
    shape.erase(shape.rank() - 1);
    shape[shape.rank() - 1] = std::min(x.tensor.dim(-1), x.tensor.dim(-2));
    if (const std::string text =
            difference(diagonal(x.tensor), taken(x.plain, shape, [](Shape& i) { i.push_back(i.back()); }));
        !text.empty())
        return "diagonal: " + text;
    const Drawn y = draw.operand(draw.shape(1, 4), draw.floating());
    shape = y.tensor.shape();
    shape.push_back(shape.back());
    return difference(diag_embed(y.tensor), made(shape, y.plain.dtype, [&](Shape index) -> long double {
                          const std::int64_t column = index.back();
                          index.erase(index.rank() - 1);
                          return index.back() == column ? y.plain.at(index) : 0;
                      }));
}

std::string joins(Draws& draw) {
    const Dtype dtype = draw.any_dtype();
    const Drawn first = draw.operand(draw.shape(1), dtype);
    const int axis = draw.axis(first.tensor.shape());
    Shape other = first.tensor.shape();
    if (draw.one_in(2)) other[axis] = draw.below(4);
    const Drawn second = draw.operand_beside(first, other, dtype, draw.kind());
    draw.say("concat along {}", axis);
    Shape shape = first.tensor.shape();
    const std::int64_t n = shape[axis];
    shape[axis] += other[axis];
    return difference(concat({first.tensor, second.tensor}, axis), made(shape, dtype, [&](Shape index) {
                          if (index[axis] < n) return first.plain.at(index);
                          index[axis] -= n;
                          return second.plain.at(index);
                      }));
}

/// Views of views, copied and converted.
std::string copies(Draws& draw) {
    const Drawn x = draw.operand(draw.shape(1), draw.any_dtype(), Kind::ordinary);
    const Shape& shape = x.tensor.shape();
    Shape order = shape, permuted = shape;
    std::iota(order.begin(), order.end(), 0);
    for (int i = shape.rank() - 1; i > 0; --i) std::swap(order[i], order[static_cast<int>(draw.below(i + 1))]);
    for (int i = 0; i < shape.rank(); ++i) permuted[i] = shape[static_cast<int>(order[i])];
    draw.say("permute {}", to_string(order));
    const Tensor y = permute(x.tensor, order);
    const Plain want = made(permuted, x.plain.dtype, [&](const Shape& index) {
        Shape from = index;
        for (int i = 0; i < index.rank(); ++i) from[static_cast<int>(order[i])] = index[i];
        return x.plain.at(from);
    });
    const Dtype dtype = is_floating(x.plain.dtype) ? draw.floating() : draw.any_dtype();
    draw.say("to {}", to_string(dtype));
    Plain converted{permuted, dtype, want.values};
    for (long double& v : converted.values)
        v = dtype == Dtype::float32 ? static_cast<float>(v) : dtype == Dtype::boolean ? (v != 0 ? 1 : 0) : v;
    return difference(y, want) + difference(contiguous(y), want) + difference(y.clone(), want) +
           difference(reshape(y, {y.numel()}), {{y.numel()}, want.dtype, want.values}) +
           difference(cast(y, dtype), converted);
}

std::string gathers(Draws& draw) {
    const Drawn x = draw.operand(draw.shape(1), draw.any_dtype());
    const int axis = draw.axis(x.tensor.shape());
    const std::int64_t n = x.tensor.dim(axis), k = n == 0 ? 0 : draw.below(6);
    Shape shape = x.tensor.shape();
    shape[axis] = k;
    draw.say("along {}", axis);
    if (draw.one_in(2)) {
        const Drawn positions = draw.positions({k}, n);
        draw.say("index_select");
        return difference(index_select(x.tensor, axis, positions.tensor), taken(x.plain, shape, [&](Shape& i) {
                              i[axis] = static_cast<std::int64_t>(positions.plain.at({i[axis]}));
                          }));
    }
    const Drawn positions = draw.positions(shape, n);
    draw.say("gather");
    return difference(gather(x.tensor, axis, positions.tensor), taken(x.plain, shape, [&](Shape& i) {
                          i[axis] = static_cast<std::int64_t>(positions.plain.at(i));
                      }));
}

std::string scatters(Draws& draw) {
    const bool adds = draw.one_in(2);
    const Dtype dtype = adds ? draw.floating() : draw.any_dtype();
    const Drawn x = draw.operand(draw.shape(1), dtype);
    const int axis = draw.axis(x.tensor.shape());
    const std::int64_t n = x.tensor.dim(axis);
    Shape shape = x.tensor.shape();
    shape[axis] = n == 0 ? 0 : draw.below(6);
    const Drawn positions = draw.positions(shape, n), values = draw.operand_beside(x, shape, dtype, draw.kind());
    draw.say("{} along {}", adds ? "scatter_add" : "scatter", axis);
    Plain want = x.plain;
    std::vector<Sum> sums(want.values.size());
    if (adds)
        for (std::size_t i = 0; i < sums.size(); ++i) sums[i].add(want.values[i]);
    for_each_index(shape, [&](const Shape& index) {
        Shape to = index;
        to[axis] = static_cast<std::int64_t>(positions.plain.at(index));
        const std::size_t place = place_of(to, want.shape);
        sums[place].add(values.plain.at(index));
        want.values[place] = adds ? sums[place].value : values.plain.at(index);
    });
    Numbers tolerances(sums.size());
    if (adds)
        for (std::size_t i = 0; i < sums.size(); ++i) tolerances[i] = sums[i].count > 1 ? sums[i].tolerance(dtype) : 0;
    return difference(adds ? scatter_add(x.tensor, axis, positions.tensor, values.tensor)
                           : scatter(x.tensor, axis, positions.tensor, values.tensor),
                      want, tolerances);
}

/// index() and index_put() by positions of the first axes, which may count from the end.
std::string indexed(Draws& draw) {
    const bool puts = draw.one_in(2);
    const Drawn x = draw.operand(draw.shape(1, 4), puts ? draw.floating() : draw.any_dtype());
    const Shape& shape = x.tensor.shape();
    const int count = 1 + static_cast<int>(draw.below(std::min(shape.rank(), 2)));
    for (int axis = 0; axis < count; ++axis)
        if (shape[axis] == 0) return "";
    const Shape places = draw.shape(1, 2);
    if (places.numel() * shape.numel() > 20'000) return "";
    std::vector<Drawn> positions;
    for (int axis = 0; axis < count; ++axis)
        positions.push_back(draw.positions(axis == 0 ? places : draw.below_shape(places), shape[axis], true));
    std::vector<Tensor> tensors;
    for (const Drawn& p : positions) tensors.push_back(p.tensor);
    Shape result = places;
    for (int axis = count; axis < shape.rank(); ++axis) result.push_back(shape[axis]);
    const auto source = [&](const Shape& index) {
        Shape place = places, from = shape;
        for (int i = 0; i < places.rank(); ++i) place[i] = index[i];
        for (int axis = 0; axis < shape.rank(); ++axis) {
            if (axis >= count) {
                from[axis] = index[places.rank() + axis - count];
                continue;
            }
            const auto p =
                static_cast<std::int64_t>(positions[static_cast<std::size_t>(axis)].plain.broadcast_at(place));
            from[axis] = p < 0 ? p + shape[axis] : p;
        }
        return from;
    };
    if (!puts)
        return difference(index(x.tensor, tensors),
                          made(result, x.plain.dtype, [&](const Shape& i) { return x.plain.at(source(i)); }));
    const bool accumulates = draw.one_in(2);
    const Drawn values = draw.operand(draw.below_shape(result), x.plain.dtype);
    draw.say("index_put accumulate {}", accumulates);
    Plain want = x.plain;
    std::vector<Sum> sums(want.values.size());
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i].add(want.values[i]);
    for_each_index(result, [&](const Shape& index) {
        const std::size_t place = place_of(source(index), shape);
        const long double v = values.plain.broadcast_at(index);
        sums[place].add(v);
        want.values[place] = accumulates ? sums[place].value : v;
    });
    Numbers tolerances(sums.size());
    if (accumulates)
        for (std::size_t i = 0; i < sums.size(); ++i)
            tolerances[i] = sums[i].count > 1 ? sums[i].tolerance(want.dtype) : 0;
    return difference(index_put(x.tensor, tensors, values.tensor, accumulates), want, tolerances);
}

/// Rows of a table by ids, and sums of rows by ids.
std::string tables(Draws& draw) {
    const Dtype dtype = draw.floating();
    const std::int64_t rows = 1 + draw.below(9), features = draw.below(20);
    const Drawn ids = draw.positions(draw.shape(1, 3), rows);
    Shape shape = ids.tensor.shape();
    shape.push_back(features);
    if (draw.one_in(2)) {
        const Drawn weight = draw.operand({rows, features}, dtype);
        draw.say("embedding");
        return difference(embedding(weight.tensor, ids.tensor), made(shape, dtype, [&](Shape index) {
                              const std::int64_t column = index.back();
                              index.erase(index.rank() - 1);
                              return weight.plain.at({static_cast<std::int64_t>(ids.plain.at(index)), column});
                          }));
    }
    const Drawn values = draw.operand(shape, dtype);
    draw.say("scatter_rows");
    std::vector<Sum> sums(static_cast<std::size_t>(rows * features));
    for_each_index(shape, [&](const Shape& index) {
        Shape id = index;
        id.erase(id.rank() - 1);
        sums[place_of({static_cast<std::int64_t>(ids.plain.at(id)), index.back()}, {rows, features})].add(
            values.plain.at(index));
    });
    Numbers tolerances;
    const Plain want = made({rows, features}, dtype, [&](const Shape& index) {
        const Sum& sum = sums[place_of(index, {rows, features})];
        tolerances.push_back(sum.count > 1 ? sum.tolerance(dtype) : 0);
        return sum.value;
    });
    return difference(scatter_rows(values.tensor, ids.tensor, rows), want, tolerances);
}

std::string chosen(Draws& draw) {
    const Drawn x = draw.operand(draw.shape(), draw.any_dtype());
    const Drawn mask = draw.operand_beside(x, draw.below_shape(x.tensor.shape()), draw.any_dtype(), draw.kind());
    Numbers values, places;
    for_each_index(x.tensor.shape(), [&](const Shape& index) {
        if (mask.plain.broadcast_at(index) != 0) values.push_back(x.plain.at(index));
        if (x.plain.at(index) == 0) return;
        for (const std::int64_t i : index) places.push_back(static_cast<long double>(i));
    });
    const std::int64_t rank = x.tensor.rank(),
                       found = std::ranges::count_if(x.plain.values, [](long double v) { return v != 0; });
    return difference(masked_select(x.tensor, mask.tensor), {{std::ssize(values)}, x.plain.dtype, values}) +
           difference(nonzero(x.tensor), {{found, rank}, Dtype::int64, places});
}

}  // namespace

TEST_CASE("differential: arrangements and lookups") {
    check_calls({{"reversal", reversals},
                 {"repetition", repetitions},
                 {"pad", padded},
                 {"slice", parts},
                 {"triangle", triangles},
                 {"diagonal", diagonals},
                 {"join", joins},
                 {"copies", copies},
                 {"gather", gathers},
                 {"scatter", scatters},
                 {"index", indexed},
                 {"table", tables},
                 {"chosen", chosen}});
}

}  // namespace differential
