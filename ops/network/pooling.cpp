#include <algorithm>
#include <wengert/ops/index/gather.hpp>
#include <wengert/ops/index/rearrange.hpp>
#include <wengert/ops/network/internal/windows.hpp>
#include <wengert/ops/network/pooling.hpp>
#include <wengert/ops/reduce/internal/rows.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {
namespace {

using namespace windows;

/// The windows on one axis. What a window shows of the axis are elements of a range, `dilation` apart.
struct AxisOfWindows {
    std::int64_t length, kernel, stride, padding, dilation, count;
    bool is_adaptive;

    std::int64_t begin(std::int64_t i) const {
        if (is_adaptive) return i * length / count;
        const std::int64_t begin = i * stride - padding;
        return begin < 0 ? begin + divided_up(-begin, dilation) * dilation : begin;
    }
    std::int64_t end(std::int64_t i) const {
        return is_adaptive ? divided_up((i + 1) * length, count)
                           : std::min(i * stride - padding + reach(kernel, dilation), length);
    }
    bool some_window_is_empty() const {
        if (padding == 0 || dilation == 1) return false;
        for (std::int64_t i = 0; i < count; ++i)
            if (begin(i) >= end(i)) return true;
        return false;
    }
};

struct Axes {
    AxisOfWindows height, width;

    Axes(const PoolWindows& w, Size2d image)
        : height{image.height,      w.kernel.height, w.stride.height, w.padding.height,
                 w.dilation.height, w.size.height,   is_adaptive(w)},
          width{image.width,      w.kernel.width, w.stride.width, w.padding.width,
                w.dilation.width, w.size.width,   is_adaptive(w)} {
        if (is_adaptive(w)) return;
        for (AxisOfWindows* const axis : {&height, &width})
            axis->count =
                windows::count_fitting(axis->length, reach(axis->kernel, axis->dilation), axis->stride, axis->padding);
    }
    static bool is_adaptive(const PoolWindows& w) { return w.size != Size2d(0); }
    Size2d count() const { return {height.count, width.count}; }

    /// Calls f(number, top, bottom, left, right) for what each window shows.
    template <class F>
    void for_each_window(const F& f) const {
        std::int64_t number = 0;
        for (std::int64_t i = 0; i < height.count; ++i) {
            const std::int64_t top = height.begin(i), bottom = height.end(i);
            for (std::int64_t j = 0; j < width.count; ++j) f(number++, top, bottom, width.begin(j), width.end(j));
        }
    }
};

ReductionAxes last_axes(int axes) { return axes == 2 ? ReductionAxes{-2, -1} : ReductionAxes{-1}; }

Shape pooled_shape(const Tensor& x, const PoolWindows& w) {
    require_floating(x);
    if (x.rank() < w.axes)
        throw ShapeError(
            fmt::format("x must be {}, not {}", w.axes == 2 ? "[.., H, W]" : "[.., L]", to_string(x.shape())));
    const Size2d image = size_of(x.shape(), w.axes);
    if (image.area() == 0) throw ShapeError(fmt::format("x {} has empty {}", to_string(x.shape()), kind_of(w.axes)));
    if (Axes::is_adaptive(w)) return resized(x.shape(), w.size, w.axes);
    require_between("kernel", 1, largest, {w.kernel.height, w.kernel.width});
    require_between("stride", 1, largest, {w.stride.height, w.stride.width});
    require_between("dilation", 1, largest, {w.dilation.height, w.dilation.width});
    require_between("padding", 0, reach(w.kernel.height, w.dilation.height) / 2, {w.padding.height});
    require_between("padding", 0, reach(w.kernel.width, w.dilation.width) / 2, {w.padding.width});
    const Axes axes(w, image);
    if (axes.height.count < 1 || axes.width.count < 1) throw ShapeError(misfit(w.kernel, w.dilation, image, w.axes));
    if (axes.height.some_window_is_empty() || axes.width.some_window_is_empty())
        throw ShapeError(fmt::format("a kernel of {} with dilation {} sees padding alone in {} of {}",
                                     text_of(w.kernel, w.axes), text_of(w.dilation, w.axes), kind_of(w.axes),
                                     text_of(image, w.axes)));
    return resized(x.shape(), axes.count(), w.axes);
}

/// Windows as options have them: a stride of 0 is the kernel's size.
PoolWindows windows_of(Size2d kernel, Size2d stride, Size2d padding, bool count_include_pad = true) {
    if (stride.height == 0) stride.height = kernel.height;
    if (stride.width == 0) stride.width = kernel.width;
    return {.kernel = kernel, .stride = stride, .padding = padding, .count_include_pad = count_include_pad};
}
template <class Size>
PoolWindows windows_of(Size kernel, const MaxPoolOptions<Size>& options) {
    PoolWindows w = windows_of(kernel, options.stride, options.padding);
    w.dilation = options.dilation;
    return w;
}
PoolWindows of_sequence(PoolWindows w) {
    w.axes = 1;
    w.kernel.height = w.stride.height = w.dilation.height = 1;
    w.padding.height = 0;
    return w;
}
PoolWindows adaptive(Size2d size) {
    require_between("size", 1, largest, {size.height, size.width});
    PoolWindows w;
    w.size = size;
    return w;
}

Tensor max_pool(std::string_view function, const Input& x, const PoolWindows& w) {
    return located(function, {x}, [&] {
        const Tensor places = apply(PoolArgMax{w}, x);
        if (w.axes == 1) return apply(Gather{-1}, {&places, &x.tensor()}, x.where());
        const Tensor images = flatten(x, -2, -1), positions = flatten({places, x.where()}, -2, -1);
        return reshape({apply(Gather{-1}, {&positions, &images}, x.where()), x.where()}, places.shape());
    });
}

Tensor avg_pool(std::string_view function, const Input& x, const PoolWindows& w) {
    return located(function, {x}, [&] { return apply(AvgPool{w}, x); });
}

/// Calls f(image, result) for each image of x and of y.
template <class X, class Y, class F>
void for_each_image(const PoolWindows& w, const Tensor& x, const Tensor& y, const F& f) {
    for_each_row<X, Y>(last_axes(w.axes), {&x, &y}, [&](std::int64_t, auto image, auto result) { f(image, result); });
}

/// By how much the sum of a window is divided.
double count_of(const PoolWindows& w, std::int64_t shown) {
    return static_cast<double>(Axes::is_adaptive(w) || !w.count_include_pad ? shown : w.kernel.area());
}

std::vector<Sample> pool_samples(const std::function<Tensor(const Tensor&, const PoolWindows&)>& f) {
    const auto with = [f](const PoolWindows& w) { return [=](const std::vector<Tensor>& in) { return f(in[0], w); }; };
    return {{"[2, 3, 4, 5], kernel 2 x 3", {sample_values({2, 3, 4, 5}, -1, 1, 1)}, with(windows_of({2, 3}, 0, 0))},
            {"overlapping, with padding", {sample_values({2, 5, 4}, -1, 1, 2)}, with(windows_of(3, {2, 1}, 1, false))},
            {"padding that counts", {sample_values({1, 5, 4}, -1, 1, 3)}, with(windows_of({3, 2}, 2, 1))},
            {"adaptive", {sample_values({2, 5, 7}, -1, 1, 4)}, with(adaptive({2, 3}))},
            {"adaptive to more", {sample_values({1, 2, 3}, -1, 1, 5)}, with(adaptive({3, 4}))},
            {"adaptive, a sequence", {sample_values({2, 7}, -1, 1, 8)}, with(of_sequence(adaptive({1, 3})))},
            {"a sequence", {sample_values({2, 7}, -1, 1, 6)}, with(of_sequence(windows_of(3, 2, 1)))},
            {"no images", {sample_values({0, 3, 3}, -1, 1, 7)}, with(windows_of(2, 0, 0))}};
}

}  // namespace

// max_pool2d, max_pool1d, adaptive_max_pool2d, adaptive_max_pool1d

Tensor max_pool2d(const Input& x, Size2d kernel, const MaxPool2dOptions& options) {
    static_assert(is_listed<PoolArgMax>, "the op is missing in its family's list");
    return max_pool("max_pool2d", x, windows_of(kernel, options));
}
Tensor max_pool1d(const Input& x, std::int64_t kernel, const MaxPool1dOptions& options) {
    return max_pool("max_pool1d", x, of_sequence(windows_of(kernel, options)));
}
Tensor adaptive_max_pool2d(const Input& x, Size2d size) {
    constexpr std::string_view name = "adaptive_max_pool2d";
    return max_pool(name, x, located(name, {x}, [&] { return adaptive(size); }));
}
Tensor adaptive_max_pool1d(const Input& x, std::int64_t size) {
    constexpr std::string_view name = "adaptive_max_pool1d";
    return max_pool(name, x, located(name, {x}, [&] { return of_sequence(adaptive({1, size})); }));
}

Shape PoolArgMax::shape(const Inputs& in) const { return pooled_shape(in[0], windows); }

void PoolArgMax::forward(const Inputs& in, const Destination& out) const {
    const Size2d image = size_of(in[0].shape(), windows.axes);
    const Axes axes(windows, image);
    visit_floating(in[0].dtype(), [&](auto type) {
        using T = decltype(type);
        for_each_image<const T, std::int64_t>(
            windows, in[0], out.tensor, [&](std::span<const T> x, std::span<std::int64_t> places) {
                axes.for_each_window([&](std::int64_t number, std::int64_t top, std::int64_t bottom, std::int64_t left,
                                         std::int64_t right) {
                    std::int64_t place = top * image.width + left;
                    T best = x[static_cast<std::size_t>(place)];
                    for (std::int64_t i = top; i < bottom; i += axes.height.dilation)
                        for (std::int64_t j = left; j < right; j += axes.width.dilation) {
                            const std::int64_t here = i * image.width + j;
                            // The place moves by arithmetic: which element is the largest no branch could foresee.
                            const bool beats = !(x[static_cast<std::size_t>(here)] <= best) & (best == best);
                            place += (here - place) & -std::int64_t{beats};
                            best = x[static_cast<std::size_t>(place)];
                        }
                    places[static_cast<std::size_t>(number)] = place;
                });
            });
    });
}

std::vector<Sample> PoolArgMax::samples() {
    return pool_samples([](const Tensor& x, const PoolWindows& w) {
        return apply(PoolArgMax{w}, {&x}, std::source_location::current());
    });
}

// avg_pool2d, avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool1d

Tensor avg_pool2d(const Input& x, Size2d kernel, const AvgPool2dOptions& options) {
    static_assert(is_listed<AvgPool> && is_listed<SpreadPool>, "the op is missing in its family's list");
    return avg_pool("avg_pool2d", x, windows_of(kernel, options.stride, options.padding, options.count_include_pad));
}
Tensor avg_pool1d(const Input& x, std::int64_t kernel, const AvgPool1dOptions& options) {
    return avg_pool("avg_pool1d", x,
                    of_sequence(windows_of(kernel, options.stride, options.padding, options.count_include_pad)));
}
Tensor adaptive_avg_pool2d(const Input& x, Size2d size) {
    constexpr std::string_view name = "adaptive_avg_pool2d";
    return avg_pool(name, x, located(name, {x}, [&] { return adaptive(size); }));
}
Tensor adaptive_avg_pool1d(const Input& x, std::int64_t size) {
    constexpr std::string_view name = "adaptive_avg_pool1d";
    return avg_pool(name, x, located(name, {x}, [&] { return of_sequence(adaptive({1, size})); }));
}

Shape AvgPool::shape(const Inputs& in) const {
    if (windows.dilation != Size2d(1)) throw ValueError("windows of a mean have no dilation");
    return pooled_shape(in[0], windows);
}

void AvgPool::forward(const Inputs& in, const Destination& out) const {
    const Size2d image = size_of(in[0].shape(), windows.axes);
    const Axes axes(windows, image);
    visit_floating(in[0].dtype(), [&](auto type) {
        using T = decltype(type);
        for_each_image<const T, T>(windows, in[0], out.tensor, [&](std::span<const T> x, std::span<T> y) {
            axes.for_each_window(
                [&](std::int64_t number, std::int64_t top, std::int64_t bottom, std::int64_t left, std::int64_t right) {
                    double sum = 0;
                    for (std::int64_t i = top; i < bottom; ++i)
                        for (std::int64_t j = left; j < right; ++j)
                            sum += static_cast<double>(x[static_cast<std::size_t>(i * image.width + j)]);
                    y[static_cast<std::size_t>(number)] =
                        static_cast<T>(sum / count_of(windows, (bottom - top) * (right - left)));
                });
        });
    });
}

void AvgPool::vjp(Backward& back) const {
    back.add(0, SpreadPool{windows, size_of(back.input_shape(0), windows.axes)}, back.cotangent());
}

std::vector<Sample> AvgPool::samples() {
    return pool_samples(
        [](const Tensor& x, const PoolWindows& w) { return apply(AvgPool{w}, {&x}, std::source_location::current()); });
}

// the adjoint of avg_pool2d

Shape SpreadPool::shape(const Inputs& in) const { return resized(in[0].shape(), image, windows.axes); }

void SpreadPool::forward(const Inputs& in, const Destination& out) const {
    const Axes axes(windows, image);
    visit_floating(in[0].dtype(), [&](auto type) {
        using T = decltype(type);
        for_each_image<const T, T>(windows, in[0], out.tensor, [&](std::span<const T> y, std::span<T> x) {
            std::ranges::fill(x, T{0});
            axes.for_each_window(
                [&](std::int64_t number, std::int64_t top, std::int64_t bottom, std::int64_t left, std::int64_t right) {
                    const auto n = static_cast<T>(count_of(windows, (bottom - top) * (right - left)));
                    const T share = y[static_cast<std::size_t>(number)] / n;
                    for (std::int64_t i = top; i < bottom; ++i)
                        for (std::int64_t j = left; j < right; ++j)
                            x[static_cast<std::size_t>(i * image.width + j)] += share;
                });
        });
    });
}

void SpreadPool::vjp(Backward& back) const { back.add(0, AvgPool{windows}, back.cotangent()); }

std::vector<Sample> SpreadPool::samples() {
    return pool_samples([](const Tensor& x, const PoolWindows& w) {
        // Images that have so many windows.
        const Size2d count = size_of(x.shape(), w.axes);
        const auto length = [&](std::int64_t n, std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
            return Axes::is_adaptive(w) ? n + 2 : (n - 1) * stride + kernel - 2 * padding;
        };
        const Size2d image{w.axes == 2 ? length(count.height, w.kernel.height, w.stride.height, w.padding.height) : 1,
                           length(count.width, w.kernel.width, w.stride.width, w.padding.width)};
        PoolWindows windows = w;
        if (Axes::is_adaptive(w)) windows.size = count;
        return apply(SpreadPool{windows, image}, {&x}, std::source_location::current());
    });
}

}  // namespace wengert
