#pragma once

#include <cmath>
#include <concepts>
#include <vector>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/ops/elementwise/internal/map_backward.hpp>
#include <wengert/ops/elementwise/internal/map_rows.hpp>
#include <wengert/ops/elementwise/internal/nest.hpp>
#include <wengert/ops/elementwise/term.hpp>
#include <wengert/ops/listed.hpp>
#include <wengert/ops/reduce/reduction_axes.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {

/// f of N tensors, element by element, and summed over axes if `summed`.
template <class F, int N, bool summed>
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
    static constexpr bool accumulates = true;

    [[no_unique_address]] F f;
    struct NoAxes {};
    [[no_unique_address]] std::conditional_t<summed, ReductionAxes, NoAxes> sums = {};

    /// The space that the formula is evaluated over.
    static Shape space(const Inputs& in) {
        Shape result = in[0].shape();
        for (int k = 1; k < N; ++k) result = broadcast(result, in[k].shape());
        return result;
    }

    static Shape space(const Backward& back) {
        if constexpr (!summed) return back.cotangent().shape();
        if constexpr (linear) return back.input_shape(0);
        Shape result = back.saved(0).shape();
        for (int k = 1; k < N; ++k) result = broadcast(result, back.saved(k).shape());
        return result;
    }

    Shape shape(const Inputs& in) const {
        for (int k = 0; k < N; ++k) {
            if (!is_floating(in[k].dtype())) throw DtypeError("an operand is int64; float32 or float64 is needed");
            if (in[k].dtype() != in[0].dtype())
                throw DtypeError("operands differ in dtype: " + std::string(to_string(in[0].dtype())) + " and " +
                                 std::string(to_string(in[k].dtype())));
        }
        if constexpr (summed)
            return sums.reduced(space(in));
        else
            return space(in);
    }

    void forward(const Inputs& in, const Destination& out) const {
        visit_floating(in[0].dtype(), [&](auto type) { this->forward_as<decltype(type)>(in, out); });
    }

    template <class T>
    void forward_as(const Inputs& in, const Destination& out) const {
        const Shape space = summed ? Map::space(in) : out.tensor.shape();
        std::array<const T*, N> base;
        bool plain = !summed && is_run(out.tensor, space);
        for (int k = 0; k < N; ++k) {
            base[k] = static_cast<const T*>(in[k].raw());
            plain &= is_run(in[k], space);
        }
        T* const to = static_cast<T*>(out.tensor.raw());
        if (plain) {
            std::array<std::int64_t, N + 1> strides;
            strides.fill(1);
            return run(space.numel(), strides, forward_rows(base, to, out.accumulate));
        }
        Nest<N + 1> nest{space, {}};
        nest.strides[0] = result_strides(out.tensor, space);
        for (int k = 0; k < N; ++k) nest.strides[k + 1] = strides_in(in[k], space);
        arrange(nest);
        if constexpr (summed) {
            if (!out.accumulate) fill(out.tensor, 0);
            if (const int axis = longest_sum(nest); axis >= 0) {
                if (out.tensor.is_contiguous()) return forward_in_blocks<T>(nest, base, out, axis);
                const Tensor dense = Tensor::empty(out.tensor.shape(), out.tensor.dtype());
                forward(in, {dense});
                return write(dense, {out.tensor, true});
            }
        }
        run(nest, 1, forward_rows(base, to, out.accumulate || summed));
    }

    void vjp(Backward& back) const requires differentiable {
        if (back.is_recorded())
            compose_vjp(back);
        else
            visit_floating(back.cotangent().dtype(), [&](auto type) { this->kernel_vjp<decltype(type)>(back); });
    }

    static std::vector<Sample> samples() requires requires { F::samples(); }
    { return F::samples(); }

  private:
    /// The kernel for run(): operand 0 is the result, which `to` points at.
    template <class T>
    auto forward_rows(const std::array<const T*, N>& base, T* to, bool accumulate) const {
        using Rows = MapRows<F, T, N>;
        using Numbers = std::array<std::int64_t, N + 1>;
        return [=, this](const Numbers& offset, const Numbers& strides, std::int64_t n) {
            std::array<RowBuffer<T>, N> buffers;
            RowBuffer<T> result;
            typename Rows::Pointers in_row;
            typename Rows::Steps step;
            const std::int64_t out_stride = strides[0];
            // Adding to a row that is no sum is rare, and not worth a kernel.
            const bool through_buffer = RowBuffer<T>::gathers(out_stride) || (accumulate && !summed);
            bool gathers = through_buffer;
            for (int k = 0; k < N; ++k) gathers |= RowBuffer<T>::gathers(strides[k + 1]);
            const std::int64_t piece = gathers ? RowBuffer<T>::piece : n;
            for (std::int64_t i = 0; i < n; i += piece) {
                const std::int64_t length = std::min(piece, n - i);
                for (int k = 0; k < N; ++k) {
                    const std::int64_t stride = strides[k + 1];
                    in_row[k] = buffers[k].read(base[k] + offset[k + 1] + i * stride, stride, length);
                    step[k] = stride == 0 ? 0 : 1;
                }
                T* const out_row = to + offset[0] + i * out_stride;
                if (!through_buffer) {
                    if constexpr (summed) {
                        if (out_stride == 0)
                            *out_row += static_cast<T>(Rows::sum(f, in_row, step, length));
                        else
                            Rows::template forward<true>(f, in_row, step, out_row, length);
                    } else {
                        Rows::template forward<false>(f, in_row, step, out_row, length);
                    }
                } else {
                    Rows::template forward<false>(f, in_row, step, result.data(), length);
                    for (std::int64_t j = 0; j < length; ++j) {
                        T& element = out_row[j * out_stride];
                        element = accumulate ? element + result.data()[j] : result.data()[j];
                    }
                }
            }
        };
    }

    static constexpr std::int64_t block = 128;

    /// The longest axis that rows are added along, if it is longer than two blocks; -1 if there is none.
    static int longest_sum(const Nest<N + 1>& nest) {
        int longest = -1;
        for (int axis = 0; axis < nest.shape.rank() - 1; ++axis)
            if (nest.strides[0][axis] == 0 && nest.shape[axis] > 2 * block &&
                (longest < 0 || nest.shape[axis] > nest.shape[longest]))
                longest = axis;
        return longest;
    }

    /// Rows are summed in blocks, and the blocks' sums are added, so that long sums stay exact.
    template <class T>
    void forward_in_blocks(const Nest<N + 1>& nest, std::array<const T*, N> base, const Destination& out,
                           int axis) const {
        const Tensor partial = Tensor::empty(out.tensor.shape(), out.tensor.dtype());
        Nest<N + 1> part = nest;
        // Blocks grow with the length, so that neither they nor their sums are many.
        const auto rows = std::max(block, static_cast<std::int64_t>(std::sqrt(static_cast<double>(nest.shape[axis]))));
        for (std::int64_t begin = 0; begin < nest.shape[axis]; begin += rows) {
            part.shape[axis] = std::min(rows, nest.shape[axis] - begin);
            fill(partial, 0);
            run(part, 1, forward_rows(base, static_cast<T*>(partial.raw()), true));
            write(partial, {out.tensor, true});
            for (int k = 0; k < N; ++k) base[k] += part.shape[axis] * nest.strides[k + 1][axis];
        }
    }

    /// The strides of the result, or of its cotangent, in a loop nest over the formula's space.
    Shape result_strides(const Tensor& result, const Shape& space) const {
        if constexpr (summed)
            return sums.strides_in(result, space);
        else
            return strides_in(result, space);
    }

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
        using Pass = MapBackward<F, T, N>;
        static constexpr T none = 0;
        const Tensor& cotangent = back.cotangent();
        const Shape space = Map::space(back);
        typename Pass::Operands operands{.cotangent = static_cast<const T*>(cotangent.raw())};
        bool plain = !summed && is_run(cotangent, space);
        for (int k = 0; k < N; ++k) {
            operands.in[k] = &none;
            if constexpr (!linear) {
                const Tensor& x = back.saved(k);
                operands.in[k] = static_cast<const T*>(x.raw());
                plain &= is_run(x, space);
            }
            if (!wanted[k]) continue;
            operands.to[k] = static_cast<T*>(targets[k].tensor.raw());
            operands.accumulate[k] = targets[k].accumulate;
            plain &= is_run(targets[k].tensor, space);
        }
        if (plain) {
            typename Pass::Numbers strides;
            strides.fill(1);
            if constexpr (linear) std::fill_n(&strides[1], N, 0);
            return Pass::run(f, space.numel(), strides, operands);
        }
        Nest<1 + 2 * N> nest;
        nest.shape = space;
        nest.strides[0] = result_strides(cotangent, space);
        for (int k = 0; k < N; ++k) {
            Shape& in_strides = nest.strides[1 + k];
            if constexpr (!linear)
                in_strides = strides_in(back.saved(k), space);
            else
                in_strides = nest.strides[0];
            nest.strides[1 + N + k] = wanted[k] ? strides_in(targets[k].tensor, space) : in_strides;
        }
        arrange(nest);
        if constexpr (linear)  // the formula's derivatives are constants: what it reads does not matter
            for (int k = 0; k < N; ++k) std::ranges::fill(nest.strides[1 + k], 0);
        for (int k = 0; k < N; ++k) {
            const Shape& strides = nest.strides[1 + N + k];
            if (!wanted[k] || targets[k].accumulate || std::ranges::find(strides, 0) == strides.end()) continue;
            fill(targets[k].tensor, 0);  // sums over broadcast axes
            operands.accumulate[k] = true;
        }
        Pass::run(f, nest, operands, targets);
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
        const Shape space = Map::space(back);
        Tensor cotangent = back.cotangent();
        if constexpr (summed) cotangent = reshape(cotangent, sums.kept(space));
        for (int k = 0; k < N; ++k) {
            if (!back.needs(k) || !(y.present >> k & 1)) continue;
            const Term part = Term(cotangent) * y.partials[k];
            back.add(k, sum_to(expand(part.tensor(), space), back.input_shape(k)));
        }
    }
};

/// The op of a formula and its operands, numbers made scalars of the tensors' dtype.
template <class F, int N, bool summed>
Tensor apply_map(const Map<F, N, summed>& op, const std::type_identity_t<std::array<Input, N>>& operands) {
    for (int k = 0; k < N; ++k)
        if (operands[k].is_undefined())
            located(Map<F, N, summed>::name, {}, operands[0].where(),
                    [k] { throw ValueError("operand " + std::to_string(k) + " is an undefined tensor"); });
    const auto tensor = std::ranges::find_if_not(operands, &Input::is_number);
    if (tensor == operands.end())
        located(Map<F, N, summed>::name, {}, operands[0].where(), [] { throw ValueError("all operands are numbers"); });
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
/// not branch on its operands (where() chooses) and may capture numbers only. Derivatives of second and higher order
/// are taken of both branches of a where(): each must be finite there, so write where(x > 0, sqrt(where(x > 0, x, 1)),
/// 0) if one is not. Operands broadcast as in NumPy and have one dtype, float32 or float64. The derivative needs no
/// definition: backward evaluates f with dual numbers in one fused pass, and higher orders evaluate it with tensors.
/// Throws ShapeError, DtypeError.
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
    return apply_map(Map<F, 1 + sizeof...(Rest), true>{f, axes},
                     std::array<Input, 1 + sizeof...(Rest)>{first, Input(rest)...});
}

}  // namespace wengert
