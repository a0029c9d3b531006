#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <wengert/ops/elementwise/internal/dual.hpp>
#include <wengert/ops/elementwise/internal/lanes.hpp>
#include <wengert/ops/elementwise/reading.hpp>

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
///
/// Each kernel has f once, in a loop over full registers; what is left of a row is copied into full registers first.
template <class F, class T, int N>
struct MapRows {
    using V = Lanes<T>;
    static constexpr std::int64_t width = V::size;
    using Pointers = std::array<const T*, N>;
    using Steps = std::array<std::int64_t, N>;

    /// out[i] = f(in...[i]), or added to what is there.
    template <bool accumulate>
    static void forward(const F& f, const Pointers& in, const Steps& step, T* out, std::int64_t n) {
        const std::int64_t full = n / width * width;
        registers<accumulate>(f, in, step, out, full);
        if (full == n) return;
        const Rest rest(in, step, full, n - full);
        alignas(64) T buffer[width];
        registers<false>(f, rest.in, step, buffer, width);
        const V y = V::load(buffer);
        (accumulate ? V::load(out + full, n - full) + y : y).store(out + full, n - full);
    }

    /// The sum of f over a row. Runs of registers are summed in T, the runs in double, so that long rows stay exact.
    static double sum(const F& f, const Pointers& in, const Steps& step, std::int64_t n) {
        const std::int64_t full = n / width * width;
        double total = sum_registers(f, in, step, full);
        if (full == n) return total;
        const Rest rest(in, step, full, n - full);
        alignas(64) T buffer[width];
        registers<false>(f, rest.in, step, buffer, width);
        for (std::int64_t j = 0; j < n - full; ++j) total += static_cast<double>(buffer[j]);
        return total;
    }

    /// Where the contributions to the operands' cotangents go. A step of 0 means one register that collects the row.
    struct Targets {
        std::array<T*, N> to{};  // null: nothing waits for this one
        Steps step{};
        std::array<bool, N> accumulate{};
    };

    /// Adds cotangent * df/dx_k to each target, in one pass, recomputing f in registers.
    static void backward(const F& f, const Pointers& in, const Steps& step, const T* cotangent,
                         std::int64_t cotangent_step, const Targets& targets, std::int64_t n) {
        const std::int64_t full = n / width * width;
        backward_registers(f, in, step, cotangent, cotangent_step, targets, full);
        if (full == n) return;
        const Rest rest(in, step, full, n - full);
        alignas(64) T last_cotangents[width];
        (cotangent_step == 0 ? V::load(cotangent) : V::load(cotangent + full, n - full)).store(last_cotangents);
        alignas(64) T buffers[N][width];
        Targets into;
        for (int k = 0; k < N; ++k)
            if (targets.to[k] != nullptr) into.to[k] = buffers[k];
        backward_registers(f, rest.in, step, last_cotangents, 0, into, width);
        for (int k = 0; k < N; ++k) {
            if (targets.to[k] == nullptr) continue;
            T* const to = targets.to[k] + full * targets.step[k];
            const V part = V::load(buffers[k]);
            (targets.accumulate[k] ? V::load(to, n - full) + part : part).store(to, n - full);
        }
    }

  private:
    /// The operands' last elements, fewer than a register has, each in a register of its own.
    struct Rest {
        Pointers in;
        alignas(64) T buffers[N][width];

        Rest(const Pointers& from, const Steps& step, std::int64_t begin, std::int64_t n) : in(from) {
            for (int k = 0; k < N; ++k) {
                if (step[k] == 0) continue;
                V::load(from[k] + begin, n).store(buffers[k]);
                in[k] = buffers[k];
            }
        }
    };

    template <int... k>
    static V value(const F& f, const Pointers& in, const Steps& step, std::int64_t i,
                   std::integer_sequence<int, k...>) {
        return V(f(V::load(in[k] + i * step[k])...));
    }
    template <int... k>
    static Dual<V, N> dual(const F& f, const Pointers& in, const Steps& step, std::int64_t i,
                           std::integer_sequence<int, k...>) {
        return Dual<V, N>(f(Dual<V, N>::template operand<k>(V::load(in[k] + i * step[k]))...));
    }
    static constexpr std::make_integer_sequence<int, N> all{};

    template <bool accumulate>
    WENGERT_FLATTEN static void registers(const F& f, const Pointers& in, const Steps& step, T* out, std::int64_t n) {
        for (std::int64_t i = 0; i < n; i += width) {
            const V y = value(f, in, step, i, all);
            (accumulate ? V::load(out + i) + y : y).store(out + i);
        }
    }

    WENGERT_FLATTEN static double sum_registers(const F& f, const Pointers& in, const Steps& step, std::int64_t n) {
        constexpr std::int64_t run = 64 * width;
        double total = 0;
        for (std::int64_t begin = 0; begin < n; begin += run) {
            V lanes(0.0);
            const std::int64_t end = std::min(n, begin + run);
            for (std::int64_t i = begin; i < end; i += width) lanes = lanes + value(f, in, step, i, all);
            total += static_cast<double>(lanes.total());
        }
        return total;
    }

    WENGERT_FLATTEN static void backward_registers(const F& f, const Pointers& in, const Steps& step,
                                                   const T* cotangent, std::int64_t cotangent_step,
                                                   const Targets& targets, std::int64_t n) {
        for (std::int64_t i = 0; i < n; i += width) {
            const V ct = V::load(cotangent + i * cotangent_step);
            const Dual<V, N> y = dual(f, in, step, i, all);
            unrolled<N>([&](auto k) {
                if (!targets.to[k]) return;
                T* const to = targets.to[k] + i * targets.step[k];
                const V part = y.present >> k & 1 ? ct * y.partials[k] : V(0.0);
                (targets.accumulate[k] ? V::load(to) + part : part).store(to);
            });
        }
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

}  // namespace wengert

#undef WENGERT_FLATTEN
