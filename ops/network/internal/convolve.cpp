#include <algorithm>
#include <optional>
#include <wengert/autograd/tensor/parallel.hpp>
#include <wengert/ops/network/internal/convolve.hpp>
#include <wengert/ops/network/internal/windows.hpp>
#include <wengert/ops/products/internal/gemm.hpp>
#include <wengert/ops/products/internal/onednn.hpp>

namespace wengert::convolutions {
namespace {

using windows::divided_up;

/// Sizes from which on something pays, as measured.
struct Thresholds {
    std::int64_t buffer = 1 << 18;  // elements of columns that stay in the cache
    std::int64_t most_direct = 2;   // channels times filters of a group: columns would be read too seldom
    std::int64_t least_channels = 4, least_work = gemm::least_of_onednn;  // of oneDNN's kernels
};
constexpr Thresholds thresholds;

struct Range {
    std::int64_t begin, end;
    std::int64_t length() const { return end - begin; }
};

/// Whether the images themselves are their columns.
bool is_pointwise(const Problem& p) {
    return p.kernel == Size2d(1) && p.options.stride == Size2d(1) && p.options.padding == Size2d(0);
}
bool is_direct(const Problem& p) { return p.channels * p.filters <= thresholds.most_direct; }

/// What a tap reads of a group's channels [c, y, x]: at row 0 and column 0 of the result the element (channel, top,
/// left), which may lie beyond the ends. Columns [first, last) read elements that there are.
struct Tap {
    std::int64_t channel, top, left, first, last;

    Tap(const Problem& p, std::int64_t number)
        : channel(number / p.kernel.area()),
          top(number / p.kernel.width % p.kernel.height * p.options.dilation.height - p.options.padding.height),
          left(number % p.kernel.width * p.options.dilation.width - p.options.padding.width) {
        const auto columns = [&](std::int64_t room) {
            return std::min(divided_up(std::max<std::int64_t>(room, 0), p.options.stride.width), p.result.width);
        };
        first = columns(-left);
        last = columns(p.image.width - left);
    }
};

/// Calls f(tap, position, from, count) for what each tap reads: at `count` positions from `position` on, the elements
/// `from`, `from + stride.width`, .. It reads no others but the 0 beyond the ends.
template <class F>
void for_each_run(const Problem& p, Range taps, Range positions, const F& f) {
    const Size2d stride = p.options.stride;
    const std::int64_t width = p.result.width;
    for (std::int64_t number = taps.begin; number < taps.end; ++number) {
        const Tap tap(p, number);
        for (std::int64_t row = positions.begin / width; row * width < positions.end; ++row) {
            const std::int64_t y = row * stride.height + tap.top;
            if (y < 0 || y >= p.image.height) continue;
            const std::int64_t begin = std::max(row * width + tap.first, positions.begin),
                               end = std::min(row * width + tap.last, positions.end);
            if (begin >= end) continue;
            const std::int64_t x = (begin - row * width) * stride.width + tap.left;
            f(number, begin, (tap.channel * p.image.height + y) * p.image.width + x, end - begin);
        }
    }
}

/// Whether a result's rows are as long as an image's, and its elements as close: then a tap reads a whole image as it
/// stands, some elements on, which is one run.
bool is_shift(const Problem& p) { return p.options.stride == Size2d(1) && p.result.width == p.image.width; }

/// Calls f(row, from, range, clear) for each tap of a shift, with its row of columns: the elements from `from` on stand
/// in the range, and 0 before and after it. clear() sets those places of the range to 0 that are beyond the ends of the
/// image's rows.
template <class T, class F>
void for_each_shift(const Problem& p, Range taps, Range positions, T* columns, const F& f) {
    const std::int64_t width = p.image.width, area = p.image.area();
    for (std::int64_t number = taps.begin; number < taps.end; ++number, columns += positions.length()) {
        const Tap tap(p, number);
        const std::int64_t shift = tap.top * width + tap.left;
        // The rows that there are, and of these no element outside of the image, which others may own.
        const std::int64_t begin = std::max({positions.begin, -tap.top * width, -shift}),
                           end = std::min({positions.end, (p.image.height - tap.top) * width, area - shift});
        const bool is_empty = begin >= end;
        const Range own = is_empty ? Range{0, 0} : Range{begin - positions.begin, end - positions.begin};
        const auto clear = [&, row = columns] {
            for (std::int64_t y = begin / width; !is_empty && y * width < end; ++y)
                for (const Range& gap :
                     {Range{y * width, y * width + tap.first}, Range{y * width + tap.last, (y + 1) * width}})
                    for (std::int64_t at = std::max(gap.begin, begin); at < std::min(gap.end, end); ++at)
                        row[at - positions.begin] = T{0};
        };
        f(columns, is_empty ? 0 : tap.channel * area + begin + shift, own, clear);
    }
}

/// Writes what the taps read at the positions: a row for each tap.
template <class T>
void gather_columns(const Problem& p, const T* x, Range taps, Range positions, T* to) {
    const std::int64_t length = positions.length(), step = p.options.stride.width;
    if (is_shift(p))
        return for_each_shift(p, taps, positions, to, [&](T* row, std::int64_t from, Range own, const auto& clear) {
            std::fill(row, row + own.begin, T{0});
            std::copy_n(x + from, own.length(), row + own.begin);
            std::fill(row + own.end, row + length, T{0});
            clear();
        });
    T* next = to;  // what stands before it is written
    for_each_run(p, taps, positions,
                 [&](std::int64_t tap, std::int64_t position, std::int64_t from, std::int64_t count) {
                     T* const run = to + (tap - taps.begin) * length + position - positions.begin;
                     std::fill(next, run, T{0});
                     const T* const source = x + from;
                     if (step == 1)
                         std::copy_n(source, count, run);
                     else
                         for (std::int64_t i = 0; i < count; ++i) run[i] = source[i * step];
                     next = run + count;
                 });
    std::fill(next, to + taps.length() * length, T{0});
}

/// to[i to_step] += factor from[i from_step]
template <class T>
void add_run(T* to, std::int64_t to_step, const T* from, std::int64_t from_step, std::int64_t count, T factor) {
    if (to_step == 1 && from_step == 1)
        for (std::int64_t i = 0; i < count; ++i) to[i] += factor * from[i];
    else
        for (std::int64_t i = 0; i < count; ++i) to[i * to_step] += factor * from[i * from_step];
}

/// Adds what columns have to where the taps read it. Columns may change.
template <class T>
void scatter_columns(const Problem& p, T* columns, Range taps, Range positions, T* x) {
    if (is_shift(p))
        return for_each_shift(p, taps, positions, columns,
                              [&](T* row, std::int64_t from, Range own, const auto& clear) {
                                  clear();
                                  add_run(x + from, 1, row + own.begin, 1, own.length(), T{1});
                              });
    for_each_run(
        p, taps, positions, [&](std::int64_t tap, std::int64_t position, std::int64_t from, std::int64_t count) {
            add_run(x + from, p.options.stride.width,
                    columns + (tap - taps.begin) * positions.length() + position - positions.begin, 1, count, T{1});
        });
}

/// Runs f(item, buffer) for each item, in parallel, with a buffer of so many elements for each thread. They are made
/// here, where no memory is an error like any other.
template <class T, class F>
void for_each_item(std::int64_t items, std::int64_t buffer, std::int64_t work, const F& f) {
    const std::int64_t parts = parallel_parts(items, 1, work);
    if (parts == 0) return;
    const Tensor buffers = Tensor::empty({parts, buffer}, dtype_of<T>);
    T* const memory = static_cast<T*>(buffers.raw());
    gemm::parallel_products(parts, work, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t part = first; part < last; ++part)
            for (std::int64_t item = items * part / parts; item < items * (part + 1) / parts; ++item)
                f(item, memory + part * buffer);
    });
}

/// The rows of a result at positions, which products read faster without gaps between them: where they stand if these
/// are all positions, else copied to a buffer.
template <class T>
const T* without_gaps(const T* rows, std::int64_t count, std::int64_t step, Range at, T* buffer) {
    if (at.length() == step) return rows;
    for (std::int64_t i = 0; i < count; ++i)
        std::copy_n(rows + i * step + at.begin, at.length(), buffer + i * at.length());
    return buffer;
}

/// How many positions are taken at once: as many as have room in the buffer, in equal parts.
std::int64_t block_of(std::int64_t taps, std::int64_t positions) {
    const std::int64_t room = std::max<std::int64_t>(thresholds.buffer / std::max<std::int64_t>(taps, 1), 16);
    return divided_up(divided_up(positions, divided_up(positions, room)), 16) * 16;
}

/// Into how many parts the work of one plane is cut, so that all threads have some.
std::int64_t parts_of(const Problem& p, std::int64_t planes, std::int64_t most) {
    const std::int64_t threads = parallel_parts(planes * most, 1, p.work());
    return std::clamp<std::int64_t>(divided_up(threads, std::max<std::int64_t>(planes, 1)), 1, most);
}

template <class T>
void fill_rows(T* rows, std::int64_t count, std::int64_t step, std::int64_t length, const T* values) {
    for (std::int64_t i = 0; i < count; ++i) std::fill_n(rows + i * step, length, values != nullptr ? values[i] : T{0});
}

/// Convolves by oneDNN, and adds the bias of each plane to what is written, where that is faster. Returns whether it
/// did.
template <class T>
bool convolve_by_onednn(const Problem& p, onednn::Adjoint adjoint, const T* x, const T* w, const T* y,
                        const T* bias = nullptr) {
    if constexpr (std::is_same_v<T, float>) {
        const Conv2dOptions& o = p.options;
        const bool has_few = o.groups == 1 && p.channels < thresholds.least_channels;
        if (is_pointwise(p) || has_few || p.work() < thresholds.least_work || !gemm::has_onednn(Precision::float32))
            return false;
        std::optional<gemm::OneThread> alone;
        if (parallel_parts(p.planes() * p.positions(), 1, p.work()) == 1) alone.emplace();
        const auto size = [](const Size2d& s) { return onednn::Convolution::Size{s.height, s.width}; };
        const onednn::Convolution convolution{p.batch,         o.groups,        p.channels,     p.filters,
                                              size(p.image),   size(p.kernel),  size(p.result), size(o.stride),
                                              size(o.padding), size(o.dilation)};
        if (!onednn::convolve(convolution, adjoint, {x, w, y})) return false;
        if (bias != nullptr) {
            const bool to_images = adjoint == onednn::Adjoint::images;
            const std::int64_t rows = o.groups * (to_images ? p.channels : p.filters),
                               length = to_images ? p.image.area() : p.positions();
            T* const written = const_cast<T*>(to_images ? x : y);
            parallel_ranges(p.batch * rows, 1, p.batch * rows * length, [&](std::int64_t first, std::int64_t last) {
                for (std::int64_t row = first; row < last; ++row)
                    for (std::int64_t i = row * length; i < (row + 1) * length; ++i) written[i] += bias[row % rows];
            });
        }
        return true;
    } else {
        return false;
    }
}

}  // namespace

template <class T>
void convolve(const Problem& p, const T* x, const T* w, const T* bias, T* y) {
    if (convolve_by_onednn(p, onednn::Adjoint::none, x, w, y, bias)) return;
    const std::int64_t taps = p.taps(), positions = p.positions(), filters = p.filters;
    const bool pointwise = is_pointwise(p), direct = is_direct(p);
    const std::int64_t parts = parts_of(p, p.planes(), positions);
    const std::int64_t room = pointwise ? positions : block_of(taps, positions);
    const std::int64_t block = std::min(room, divided_up(positions, parts)), blocks = divided_up(positions, block);
    // A product has no gaps between its rows, and a part of an image has.
    const std::int64_t of_columns = pointwise || direct ? 0 : taps * block;
    const std::int64_t of_product = blocks == 1 || direct ? 0 : filters * block;
    const auto run = [&](std::int64_t item, T* buffer) {
        const std::int64_t plane = item / blocks, begin = item % blocks * block, group = plane % p.options.groups;
        const Range at{begin, std::min(begin + block, positions)};
        const T* const image = x + plane * p.channels * p.image.area();
        const T* const weight = w + group * filters * taps;
        const T* const biases = bias != nullptr ? bias + group * filters : nullptr;
        T* const result = y + plane * filters * positions + begin;
        if (filters == 0) return;
        if (direct || taps == 0) {
            fill_rows(result, filters, positions, at.length(), biases);
            for (std::int64_t o = 0; o < filters; ++o)
                for_each_run(p, {0, taps}, at,
                             [&](std::int64_t tap, std::int64_t position, std::int64_t from, std::int64_t count) {
                                 add_run(result + o * positions + position - begin, 1, image + from,
                                         p.options.stride.width, count, weight[o * taps + tap]);
                             });
            return;
        }
        gemm::Matrix<const T> columns{image + begin, taps, at.length(), positions, 1};
        if (!pointwise) {
            gather_columns(p, image, {0, taps}, at, buffer);
            columns = {buffer, taps, at.length(), at.length(), 1};
        }
        T* const product = blocks == 1 ? result : buffer + of_columns;
        if (biases != nullptr) fill_rows(product, filters, at.length(), at.length(), biases);
        gemm::multiply_fast<T>({weight, filters, taps, taps, 1}, columns,
                               {product, filters, at.length(), at.length(), 1}, biases != nullptr);
        for (std::int64_t o = 0; blocks > 1 && o < filters; ++o)
            std::copy_n(product + o * at.length(), at.length(), result + o * positions);
    };
    for_each_item<T>(p.planes() * blocks, of_columns + of_product, p.work(), run);
}

template <class T>
void convolve_transposed(const Problem& p, const T* y, const T* w, const T* bias, T* x) {
    if (convolve_by_onednn(p, onednn::Adjoint::images, x, w, y, bias)) return;
    const std::int64_t taps = p.taps(), positions = p.positions(), filters = p.filters, area = p.image.area();
    const bool pointwise = is_pointwise(p), direct = is_direct(p);
    // Parts of the channels, since positions of a result share elements of the image.
    const std::int64_t parts = parts_of(p, p.planes(), std::max<std::int64_t>(p.channels, 1));
    const std::int64_t most_taps = divided_up(p.channels, parts) * p.kernel.area();
    const std::int64_t block = pointwise ? positions : block_of(most_taps, positions);
    const std::int64_t of_columns = pointwise || direct ? 0 : most_taps * block;
    const auto run = [&](std::int64_t item, T* buffer) {
        const std::int64_t plane = item / parts, part = item % parts, group = plane % p.options.groups;
        const Range channels{p.channels * part / parts, p.channels * (part + 1) / parts};
        const Range own{channels.begin * p.kernel.area(), channels.end * p.kernel.area()};
        const T* const weight = w + group * filters * taps;
        const T* const result = y + plane * filters * positions;
        T* const image = x + plane * p.channels * area;
        const bool is_set = bias != nullptr || !pointwise || direct || filters == 0;
        if (is_set)
            fill_rows(image + channels.begin * area, channels.length(), area, area,
                      bias != nullptr ? bias + group * p.channels + channels.begin : nullptr);
        if (filters == 0 || own.length() == 0) return;
        if (direct) {
            for (std::int64_t o = 0; o < filters; ++o)
                for_each_run(p, own, {0, positions},
                             [&](std::int64_t tap, std::int64_t position, std::int64_t from, std::int64_t count) {
                                 add_run(image + from, p.options.stride.width, result + o * positions + position, 1,
                                         count, weight[o * taps + tap]);
                             });
            return;
        }
        for (std::int64_t begin = 0; begin < positions; begin += block) {
            const Range at{begin, std::min(begin + block, positions)};
            T* const columns = pointwise ? image + channels.begin * area : buffer;
            const T* const rows = without_gaps(result, filters, positions, at, buffer + of_columns);
            gemm::multiply_fast<T>({weight + own.begin, own.length(), filters, 1, taps},
                                   {rows, filters, at.length(), at.length(), 1},
                                   {columns, own.length(), at.length(), at.length(), 1}, pointwise && is_set);
            if (!pointwise) scatter_columns(p, columns, own, at, image);
        }
    };
    for_each_item<T>(p.planes() * parts, of_columns + (block < positions ? filters * block : 0), p.work(), run);
}

template <class T>
void convolve_weight(const Problem& p, const T* x, const T* y, T* w) {
    if (convolve_by_onednn(p, onednn::Adjoint::filters, x, w, y)) return;
    const std::int64_t taps = p.taps(), positions = p.positions(), filters = p.filters, groups = p.options.groups;
    if (taps == 0 || filters == 0) return;
    const bool pointwise = is_pointwise(p);
    // Parts of the taps, so that the images are summed in one order.
    const std::int64_t parts = parts_of(p, groups, taps);
    const std::int64_t most_taps = divided_up(taps, parts),
                       block = pointwise ? positions : block_of(most_taps, positions);
    const std::int64_t of_columns = pointwise ? 0 : most_taps * block;
    const auto run = [&](std::int64_t item, T* buffer) {
        const std::int64_t group = item / parts, part = item % parts;
        const Range own{taps * part / parts, taps * (part + 1) / parts};
        T* const sums = buffer + of_columns;
        T* const room = sums + filters * most_taps;
        std::fill_n(sums, filters * own.length(), T{0});
        for (std::int64_t plane = group; plane < p.planes(); plane += groups) {
            const T* const image = x + plane * p.channels * p.image.area();
            const T* const result = y + plane * filters * positions;
            for (std::int64_t begin = 0; begin < positions; begin += block) {
                const Range at{begin, std::min(begin + block, positions)};
                gemm::Matrix<const T> columns{image + own.begin * positions, at.length(), own.length(), 1, positions};
                if (!pointwise) {
                    gather_columns(p, image, own, at, buffer);
                    columns = {buffer, at.length(), own.length(), 1, at.length()};
                }
                const T* const rows = without_gaps(result, filters, positions, at, room);
                gemm::multiply_fast<T>({rows, filters, at.length(), at.length(), 1}, columns,
                                       {sums, filters, own.length(), own.length(), 1}, true);
            }
        }
        for (std::int64_t o = 0; o < filters; ++o)
            std::copy_n(sums + o * own.length(), own.length(), w + (group * filters + o) * taps + own.begin);
    };
    for_each_item<T>(groups * parts, of_columns + filters * (most_taps + (block < positions ? block : 0)), p.work(),
                     run);
}

template void convolve(const Problem&, const float*, const float*, const float*, float*);
template void convolve(const Problem&, const double*, const double*, const double*, double*);
template void convolve_transposed(const Problem&, const float*, const float*, const float*, float*);
template void convolve_transposed(const Problem&, const double*, const double*, const double*, double*);
template void convolve_weight(const Problem&, const float*, const float*, float*);
template void convolve_weight(const Problem&, const double*, const double*, double*);

}  // namespace wengert::convolutions
