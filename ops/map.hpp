#pragma once

#include <concepts>
#include <vector>
#include <wengert/ops/listed.hpp>
#include <wengert/ops/nest.hpp>
#include <wengert/ops/reduction_axes.hpp>
#include <wengert/ops/reductions.hpp>
#include <wengert/ops/sample.hpp>
#include <wengert/ops/term.hpp>
#include <wengert/ops/views.hpp>

// A formula must be inlined to the last operator for its zero derivatives to vanish. With AddressSanitizer's checks in
// every operator that would take the compiler minutes, and speed does not matter there.
#ifdef __SANITIZE_ADDRESS__
#define WENGERT_FLATTEN
#else
#define WENGERT_FLATTEN [[gnu::flatten]]
#endif

namespace wengert {

/// The kernels of one elementwise formula: f read with Lanes, and with Dual numbers of Lanes. They see rows of n
/// elements. An operand's step is 1, or 0 if it is the same for the whole row; it then points to a full register.
template <class F, class T, int N>
struct MapRows {
    using V = Lanes<T>;
    static constexpr std::int64_t width = V::size;
    using Pointers = std::array<const T*, N>;
    using Steps = std::array<std::int64_t, N>;

    /// Reads one register of each operand; of the last `rest` elements of a row only those.
    struct Loader {
        const Pointers& from;
        const Steps& step;

        V operator()(int k, std::int64_t i) const { return V::load(from[k] + i * step[k]); }
        V tail(int k, std::int64_t i, std::int64_t rest) const {
            if (step[k] == 0) return V::load(from[k]);
            alignas(64) T buffer[width] = {};
            std::copy_n(from[k] + i, rest, buffer);
            return V::load(buffer);
        }
    };

    template <int... k>
    static V value(const F& f, const Loader& load, std::int64_t i, std::integer_sequence<int, k...>) {
        return V(f(load(k, i)...));
    }
    template <int... k>
    static V value_tail(const F& f, const Loader& load, std::int64_t i, std::int64_t rest,
                        std::integer_sequence<int, k...>) {
        return V(f(load.tail(k, i, rest)...));
    }
    static constexpr std::make_integer_sequence<int, N> all{};

    /// out[i] = f(in...[i]), or added to what is there.
    WENGERT_FLATTEN static void forward(const F& f, const Pointers& in, const Steps& step, T* out, std::int64_t n,
                                        bool accumulate) {
        const Loader load{in, step};
        std::int64_t i = 0;
        if (accumulate) {
            for (; i + width <= n; i += width) (V::load(out + i) + value(f, load, i, all)).store(out + i);
        } else {
            for (; i + width <= n; i += width) value(f, load, i, all).store(out + i);
        }
        if (i == n) return;
        alignas(64) T buffer[width];
        value_tail(f, load, i, n - i, all).store(buffer);
        for (std::int64_t j = 0; i < n; ++i, ++j) out[i] = accumulate ? out[i] + buffer[j] : buffer[j];
    }

    /// The sum of f over a row. Runs of registers are summed in T, the runs in double, so that long rows stay exact.
    WENGERT_FLATTEN static double sum(const F& f, const Pointers& in, const Steps& step, std::int64_t n) {
        constexpr std::int64_t run = 64 * width;
        const Loader load{in, step};
        double total = 0;
        alignas(64) T buffer[width];
        std::int64_t i = 0;
        while (i + width <= n) {
            V lanes(0.0);
            const std::int64_t end = std::min(n, i + run);
            for (; i + width <= end; i += width) lanes = lanes + value(f, load, i, all);
            total += static_cast<double>(lanes.total());
        }
        if (i < n) {
            value_tail(f, load, i, n - i, all).store(buffer);
            for (std::int64_t j = 0; j < n - i; ++j) total += static_cast<double>(buffer[j]);
        }
        return total;
    }

    /// Where the contributions to the operands' cotangents go. A step of 0 means one register that collects the row.
    struct Targets {
        std::array<T*, N> to{};  // null: nothing waits for this one
        Steps step{};
        std::array<bool, N> accumulate{};
    };

    template <int... k>
    static Dual<V, N> dual(const F& f, const std::array<V, N>& x, std::integer_sequence<int, k...>) {
        return Dual<V, N>(f(Dual<V, N>::template operand<k>(x[k])...));
    }

    /// Adds cotangent * df/dx_k to each target, in one pass, recomputing f in registers.
    WENGERT_FLATTEN static void backward(const F& f, const Pointers& in, const Steps& step, const T* cotangent,
                                         std::int64_t cotangent_step, const Targets& targets, std::int64_t n) {
        const Loader load{in, step};
        std::int64_t i = 0;
        for (; i + width <= n; i += width) {
            std::array<V, N> x;
            unrolled<N>([&](auto k) { x[k] = load(k, i); });
            const V ct = V::load(cotangent + i * cotangent_step);
            const Dual<V, N> y = dual(f, x, all);
            unrolled<N>([&](auto k) {
                if (!targets.to[k]) return;
                T* const to = targets.to[k] + i * targets.step[k];
                const V part = y.present >> k & 1 ? ct * y.partials[k] : V(0.0);
                (targets.accumulate[k] ? V::load(to) + part : part).store(to);
            });
        }
        if (i == n) return;
        const std::int64_t rest = n - i;
        std::array<V, N> x;
        unrolled<N>([&](auto k) { x[k] = load.tail(k, i, rest); });
        alignas(64) T buffer[width] = {};
        std::copy_n(cotangent + i * cotangent_step, cotangent_step == 0 ? width : rest, buffer);
        const V ct = V::load(buffer);
        const Dual<V, N> y = dual(f, x, all);
        unrolled<N>([&](auto k) {
            if (!targets.to[k]) return;
            T* const to = targets.to[k] + i * targets.step[k];
            (y.present >> k & 1 ? ct * y.partials[k] : V(0.0)).store(buffer);
            for (std::int64_t j = 0; j < rest; ++j) to[j] = targets.accumulate[k] ? to[j] + buffer[j] : buffer[j];
        });
    }
};

/// How a row whose elements stand `stride` apart is handed to a kernel: as it is, spread over one register if all are
/// the same, or gathered piece by piece.
template <class T>
class RowBuffer {
  public:
    static constexpr std::int64_t piece = 256;

    static bool gathers(std::int64_t stride) { return stride != 0 && stride != 1; }
    const T* read(const T* from, std::int64_t stride, std::int64_t n) {
        if (stride == 1) return from;
        if (stride == 0)
            std::fill_n(buffer_, Lanes<T>::size, *from);
        else
            for (std::int64_t i = 0; i < n; ++i) buffer_[i] = from[i * stride];
        return buffer_;
    }
    T* data() { return buffer_; }

  private:
    alignas(64) T buffer_[piece];
};

bool may_interleave(const Destination& a, const Destination& b);

/// f of N tensors, element by element, and summed over axes if there are any in `sums`.
template <class F, int N>
struct Map {
    static_assert(N >= 1 && N <= 15, "a formula takes 1 to 15 operands");
    static constexpr std::string_view name = [] {
        if constexpr (requires { F::name; })
            return F::name;
        else
            return std::string_view("map");
    }();
    /// A sum's derivative is a constant, so nothing need be kept.
    static constexpr bool linear = [] {
        if constexpr (requires { F::linear; })
            return F::linear;
        else
            return false;
    }();
    static constexpr bool differentiable = [] {
        if constexpr (requires { F::differentiable; })
            return F::differentiable;
        else
            return true;
    }();
    static constexpr Saves saves = linear ? Saves::nothing : Saves::inputs;

    [[no_unique_address]] F f;
    ReductionAxes sums = {};

    /// The space that the formula is evaluated over.
    static Shape space(const Inputs& in) {
        Shape result = in[0].shape();
        for (int k = 1; k < N; ++k) result = broadcast(result, in[k].shape());
        return result;
    }

    Shape shape(const Inputs& in) const {
        for (int k = 0; k < N; ++k) {
            if (!is_floating(in[k].dtype())) throw DtypeError("an operand is int64; float32 or float64 is needed");
            if (in[k].dtype() != in[0].dtype())
                throw DtypeError("operands differ in dtype: " + std::string(to_string(in[0].dtype())) + " and " +
                                 std::string(to_string(in[k].dtype())));
        }
        return sums.reduced(space(in));
    }

    void forward(const Inputs& in, const Destination& out) const {
        visit_floating(in[0].dtype(), [&](auto type) { this->forward_as<decltype(type)>(in, out); });
    }

    template <class T>
    void forward_as(const Inputs& in, const Destination& out) const {
        using Rows = MapRows<F, T, N>;
        const Shape space = Map::space(in);
        std::array<const T*, N> base;
        bool plain = !sums.any() && is_run(out.tensor, space);
        for (int k = 0; k < N; ++k) {
            base[k] = static_cast<const T*>(in[k].raw());
            plain &= is_run(in[k], space);
        }
        Nest<N + 1> nest = Nest<N + 1>::run(space.numel());
        if (!plain) {
            nest.shape = space;
            nest.strides[0] = sums.strides_in(out.tensor, space);
            for (int k = 0; k < N; ++k) nest.strides[k + 1] = strides_in(in[k], space);
            arrange(nest);
        }
        T* const to = static_cast<T*>(out.tensor.raw());
        const bool collects = sums.any();
        if (collects && !out.accumulate) fill(out.tensor, 0);
        const bool accumulate = out.accumulate || collects;
        run(nest, 1, [&](const std::array<std::int64_t, N + 1>& offset, std::int64_t n) {
            std::array<RowBuffer<T>, N> buffers;
            RowBuffer<T> result;
            typename Rows::Pointers in_row;
            typename Rows::Steps step;
            const std::int64_t out_stride = nest.strides[0].back();
            bool gathers = RowBuffer<T>::gathers(out_stride);
            for (int k = 0; k < N; ++k) gathers |= RowBuffer<T>::gathers(nest.strides[k + 1].back());
            const std::int64_t piece = gathers ? RowBuffer<T>::piece : n;
            for (std::int64_t i = 0; i < n; i += piece) {
                const std::int64_t length = std::min(piece, n - i);
                for (int k = 0; k < N; ++k) {
                    const std::int64_t stride = nest.strides[k + 1].back();
                    in_row[k] = buffers[k].read(base[k] + offset[k + 1] + i * stride, stride, length);
                    step[k] = stride == 0 ? 0 : 1;
                }
                T* const out_row = to + offset[0] + i * out_stride;
                if (out_stride == 0) {
                    *out_row += static_cast<T>(Rows::sum(f, in_row, step, length));
                } else if (out_stride == 1) {
                    Rows::forward(f, in_row, step, out_row, length, accumulate);
                } else {
                    Rows::forward(f, in_row, step, result.data(), length, false);
                    for (std::int64_t j = 0; j < length; ++j) {
                        T& element = out_row[j * out_stride];
                        element = accumulate ? element + result.data()[j] : result.data()[j];
                    }
                }
            }
        });
    }

    void vjp(Backward& back) const requires differentiable {
        if (back.recording())
            compose_vjp(back);
        else
            visit_floating(back.cotangent().dtype(), [&](auto type) { this->kernel_vjp<decltype(type)>(back); });
    }

    static std::vector<Sample> samples() requires requires { F::samples(); }
    { return F::samples(); }

  private:
    /// The second reading: the dual kernel, for all operands in one pass.
    template <class T>
    void kernel_vjp(Backward& back) const {
        std::array<Destination, N> targets;
        std::array<bool, N> wanted{};
        for (int k = 0; k < N; ++k) {
            if (!(wanted[k] = back.needs(k))) continue;
            targets[k] = back.target(k);
        }
        // Two operands may be parts of one tensor. If their cotangents overlap, each must be complete before the next
        // is begun.
        bool together = true;
        for (int j = 0; j < N; ++j)
            for (int k = 0; k < j; ++k) together &= !wanted[j] || !wanted[k] || may_interleave(targets[j], targets[k]);
        if (together) return kernel_vjp<T>(back, targets, wanted);
        for (int k = 0; k < N; ++k) {
            std::array<bool, N> alone{};
            alone[k] = wanted[k];
            if (alone[k]) kernel_vjp<T>(back, targets, alone);
        }
    }

    template <class T>
    void kernel_vjp(Backward& back, const std::array<Destination, N>& targets,
                    const std::array<bool, N>& wanted) const {
        using Rows = MapRows<F, T, N>;
        static constexpr T none = 0;
        constexpr std::int64_t collected = 64 * Rows::width;
        const Tensor& cotangent = back.cotangent();
        Shape space = cotangent.shape();
        if constexpr (linear) {
            if (sums.any()) space = back.input_shape(0);
        } else {
            space = back.saved(0).shape();
            for (int k = 1; k < N; ++k) space = broadcast(space, back.saved(k).shape());
        }
        std::array<const T*, N> base;
        std::array<T*, N> to{};
        std::uint64_t written = 0;
        bool plain = !sums.any() && is_run(cotangent, space);
        for (int k = 0; k < N; ++k) {
            base[k] = &none;
            if constexpr (!linear) {
                base[k] = static_cast<const T*>(back.saved(k).raw());
                plain &= is_run(back.saved(k), space);
            }
            if (!wanted[k]) continue;
            to[k] = static_cast<T*>(targets[k].tensor.raw());
            plain &= is_run(targets[k].tensor, space);
            written |= std::uint64_t{1} << (1 + N + k);
        }
        Nest<1 + 2 * N> nest = Nest<1 + 2 * N>::run(space.numel());
        if (!plain) {
            nest.shape = space;
            nest.strides[0] = sums.strides_in(cotangent, space);
            for (int k = 0; k < N; ++k) {
                Shape& in_strides = nest.strides[1 + k];
                if constexpr (!linear)
                    in_strides = strides_in(back.saved(k), space);
                else
                    in_strides = nest.strides[0];
                nest.strides[1 + N + k] = wanted[k] ? strides_in(targets[k].tensor, space) : in_strides;
            }
            arrange(nest);
        }
        if constexpr (linear)  // the formula's derivatives are constants: what it reads does not matter
            for (int k = 0; k < N; ++k) std::ranges::fill(nest.strides[1 + k], 0);
        typename Rows::Targets row_template;
        for (int k = 0; k < N; ++k) {
            if (!wanted[k]) continue;
            row_template.accumulate[k] = targets[k].accumulate;
            const Shape& strides = nest.strides[1 + N + k];
            if (targets[k].accumulate || std::ranges::find(strides, 0) == strides.end()) continue;
            fill(targets[k].tensor, 0);  // sums over broadcast axes
            row_template.accumulate[k] = true;
        }
        const T* const ct = static_cast<const T*>(cotangent.raw());
        run(nest, written, [&](const std::array<std::int64_t, 1 + 2 * N>& offset, std::int64_t n) {
            std::array<RowBuffer<T>, N> in_buffers, out_buffers;
            RowBuffer<T> ct_buffer;
            bool gathers = false;
            for (const Shape& s : nest.strides) gathers |= RowBuffer<T>::gathers(s.back());
            bool collects = false;
            for (int k = 0; k < N; ++k) collects |= wanted[k] && nest.strides[1 + N + k].back() == 0;
            // A register that collects a row is emptied now and then, so that long rows stay exact.
            const std::int64_t piece = gathers ? RowBuffer<T>::piece : collects ? collected : n;
            typename Rows::Pointers in_row;
            typename Rows::Steps step;
            std::array<double, N> totals{};
            for (std::int64_t i = 0; i < n; i += piece) {
                const std::int64_t length = std::min(piece, n - i);
                const std::int64_t ct_stride = nest.strides[0].back();
                typename Rows::Targets row = row_template;
                for (int k = 0; k < N; ++k) {
                    const std::int64_t stride = nest.strides[1 + k].back();
                    in_row[k] = in_buffers[k].read(base[k] + offset[1 + k] + i * stride, stride, length);
                    step[k] = stride == 0 ? 0 : 1;
                    if (!wanted[k]) continue;
                    const std::int64_t out_stride = nest.strides[1 + N + k].back();
                    row.step[k] = out_stride == 0 ? 0 : 1;
                    if (out_stride == 1) {
                        row.to[k] = to[k] + offset[1 + N + k] + i;
                    } else {
                        row.to[k] = out_buffers[k].data();
                        row.accumulate[k] = out_stride == 0;
                        if (out_stride == 0) std::fill_n(row.to[k], Rows::width, T{0});
                    }
                }
                Rows::backward(f, in_row, step, ct_buffer.read(ct + offset[0] + i * ct_stride, ct_stride, length),
                               ct_stride == 0 ? 0 : 1, row, length);
                for (int k = 0; k < N; ++k) {
                    const std::int64_t out_stride = nest.strides[1 + N + k].back();
                    if (!wanted[k] || out_stride == 1) continue;
                    T* const out = to[k] + offset[1 + N + k] + i * out_stride;
                    const T* const from = out_buffers[k].data();
                    if (out_stride == 0) {
                        for (std::int64_t j = 0; j < Rows::width; ++j) totals[k] += static_cast<double>(from[j]);
                        if (i + length == n) *out += static_cast<T>(totals[k]);
                    } else {
                        for (std::int64_t j = 0; j < length; ++j)
                            out[j * out_stride] = row_template.accumulate[k] ? out[j * out_stride] + from[j] : from[j];
                    }
                }
            }
        });
    }

    /// The third reading: a composition of elementary ops, which the tape records.
    void compose_vjp(Backward& back) const {
        std::array<Dual<Term, N>, N> x;
        unrolled<N>([&](auto k) {
            Term operand;
            if constexpr (!linear) operand = Term(back.saved(k));
            x[k] = Dual<Term, N>::template operand<k>(operand);
        });
        const Dual<Term, N> y = std::apply([this](const auto&... operand) { return Dual<Term, N>(f(operand...)); }, x);
        Shape space = back.cotangent().shape();
        if constexpr (linear) {
            if (sums.any()) space = back.input_shape(0);
        } else {
            space = back.saved(0).shape();
            for (int k = 1; k < N; ++k) space = broadcast(space, back.saved(k).shape());
        }
        const Tensor cotangent = sums.any() ? reshape(back.cotangent(), sums.kept(space)) : back.cotangent();
        for (int k = 0; k < N; ++k) {
            if (!back.needs(k) || !(y.present >> k & 1)) continue;
            const Term part = Term(cotangent) * y.partials[k];
            back.add(k, sum_to(expand(part.tensor(), space), back.input_shape(k)));
        }
    }
};

/// Whether fewer steps along each axis than it is long, forward or backward, can lead over a distance. What the axes
/// after one can do is less than one of its steps.
inline bool steps_lead_over(const Shape& shape, const Shape& strides, int axis, std::int64_t distance) {
    if (axis == shape.rank()) return distance == 0;
    if (shape[axis] == 1) return steps_lead_over(shape, strides, axis + 1, distance);
    for (const std::int64_t steps : {distance / strides[axis], distance / strides[axis] + (distance < 0 ? -1 : 1)})
        if (std::abs(steps) < shape[axis] &&
            steps_lead_over(shape, strides, axis + 1, distance - steps * strides[axis]))
            return true;
    return false;
}

/// Whether one pass may write two targets element by element: they are the same, or share no element.
inline bool may_interleave(const Destination& a, const Destination& b) {
    if (!a.tensor.shares_storage(b.tensor) || a.tensor.numel() == 0) return true;
    if (a.tensor.shape() != b.tensor.shape() || a.tensor.strides() != b.tensor.strides()) return false;
    const std::int64_t distance = a.tensor.offset() - b.tensor.offset();
    if (distance == 0) return true;
    // Slices of one tensor, with steps from the longest to the shortest: each spans less than one step of the axis
    // before.
    const Shape &shape = a.tensor.shape(), &strides = a.tensor.strides();
    std::int64_t span = 1;
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
        if (shape[axis] == 1) continue;
        if (strides[axis] < span) return false;
        span = strides[axis] * shape[axis];
    }
    return !steps_lead_over(shape, strides, 0, distance);
}

/// The op of a formula and its operands, numbers made scalars of the tensors' dtype.
template <class F, int N>
Tensor apply_map(const Map<F, N>& op, const std::type_identity_t<std::array<Input, N>>& operands) {
    const auto tensor = std::ranges::find_if_not(operands, &Input::is_number);
    if (tensor == operands.end())
        located(Map<F, N>::name, {}, operands[0].where(), [] { throw ValueError("all operands are numbers"); });
    const Dtype dtype = tensor->tensor().dtype();
    std::array<Tensor, N> numbers;
    std::array<const Tensor*, N> pointers;
    for (int k = 0; k < N; ++k) {
        if (operands[k].is_number()) numbers[k] = operands[k].as(dtype);
        pointers[k] = operands[k].is_number() ? &numbers[k] : &operands[k].tensor();
    }
    return apply(op, Inputs(std::span<const Tensor* const>(pointers)), operands[0].where());
}

/// An elementwise formula of any number of tensors, as one op:
///
///     Tensor next = map([](auto z, auto n, auto h) { return n + z * (h - n); }, z, n, h);
///
/// f is a generic lambda over the functions of reading.hpp (arithmetic, comparisons, where, exp, tanh, ...). It must
/// not branch on its operands (where() chooses) and may capture numbers only. Operands broadcast as in NumPy and have
/// one dtype, float32 or float64. The derivative needs no definition: backward evaluates f with dual numbers in one
/// fused pass, and higher orders evaluate it with tensors. Throws ShapeError, DtypeError.
template <class F, class... Rest>
Tensor map(F f, const Input& first, const Rest&... rest) {
    return apply_map(Map<F, 1 + sizeof...(Rest)>{f}, std::array<Input, 1 + sizeof...(Rest)>{first, Input(rest)...});
}

/// The sum of map(f, ...) over axes, without the tensor that is summed: neither forward nor backward stores it.
///
///     Tensor scores = map_sum([](auto v, auto k, auto q) { return v * tanh(k + q); }, -1, v, keys, query);
///
/// `axes` are those of the operands' common shape.
template <class F, class... Rest>
Tensor map_sum(F f, const ReductionAxes& axes, const Input& first, const Rest&... rest) {
    return apply_map(Map<F, 1 + sizeof...(Rest)>{f, axes},
                     std::array<Input, 1 + sizeof...(Rest)>{first, Input(rest)...});
}

}  // namespace wengert

#undef WENGERT_FLATTEN
