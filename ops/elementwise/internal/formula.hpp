#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <wengert/ops/elementwise/reading.hpp>

// A formula is inlined to the last operator. With AddressSanitizer's checks in every operator that would take the
// compiler minutes, and speed does not matter there.
#ifdef __SANITIZE_ADDRESS__
#define WENGERT_FLATTEN
#else
#define WENGERT_FLATTEN [[gnu::flatten]]
#endif

namespace WENGERT_EXPORT wengert {

inline constexpr int most_operands = 32, most_results = 8;

/// Where a backward kernel puts its contributions to one operand's cotangent. A step of 0 means one register that
/// collects the row.
template <class T>
struct RowTarget {
    T* to = nullptr;  ///< null: nothing waits for this one
    std::int64_t step = 0;
    bool accumulate = false;
};

/// What forward kernels read: `rows` rows of n elements. Operand k's row r begins at in[k] + r * row_step[k]. Its
/// elements stand side by side if step[k] is 1, and are one if it is 0.
template <class T>
struct OperandRows {
    const T* const* in;
    const std::int64_t *row_step, *step;
    std::int64_t rows, n;
};
/// No more rows at once go into one sum.
inline constexpr std::int64_t most_summed_rows = 8;

/// The kernels of a formula for elements of type T: the only code that is compiled for each formula. `f` is the formula
/// with what it captures. The backward kernel sees a row of n elements, n a multiple of `width`; an operand whose step
/// is 0 then points to a full register.
template <class T>
struct RowKernels {
    std::int64_t width;
    /// Result q of row r's element i goes to out[q * result_step + r * row_step + i]. What map_sum() sums is added to
    /// what is there: that of all rows to out[i].
    void (*forward)(const void* f, const OperandRows<T>& x, T* out, std::int64_t row_step, std::int64_t result_step);
    /// The sum of each row; null but for map_sum(). Runs of registers are summed in T, the runs in double.
    void (*sum)(const void* f, const OperandRows<T>& x, double* totals);
    /// Writes or adds sum_r cotangent_r * d result_r / d operand_k for each target k, in one pass, recomputing f in
    /// registers; null if the formula has no derivative. A cotangent that is null has no part in the sum: a product of
    /// zero and an infinite derivative would be NaN.
    void (*backward)(const void* f, const T* const* in, const std::int64_t* step, const T* const* cotangents,
                     const std::int64_t* cotangent_steps, const RowTarget<T>* targets, std::int64_t n);
};

/// What the library knows of a formula: everything else about it is compiled once, for all formulas.
struct Formula {
    std::string_view name;
    int operands, results;
    bool linear;  ///< the derivatives are constants, so that nothing need be kept for them
    bool summed;
    RowKernels<float> float32;
    RowKernels<double> float64;
    /// The third reading: results and their derivatives as compositions of recorded ops; null if there are none.
    void (*compose)(const void* f, const TermDual* in, TermDual* out);
    /// Of a library function: its derivative by one operand.
    Term (*slope)(int operand, const Term* in, const Term& value);

    ConstantCause without_derivative;  ///< why the result is constant, if `compose` is null

    template <class T>
    const RowKernels<T>& kernels() const {
        if constexpr (std::same_as<T, float>)
            return float32;
        else
            return float64;
    }
};

template <class X>
concept TupleLike = requires {
    std::tuple_size<X>::value;
};

/// Calls g with each result of a formula, and its number as a compile-time constant.
template <class Results, class G>
[[gnu::always_inline]] inline void for_each_result(const Results& result, const G& g) {
    g(result, std::integral_constant<int, 0>{});
}
template <TupleLike Results, class G>
[[gnu::always_inline]] inline void for_each_result(const Results& results, const G& g) {
    const auto unpack = [&]<std::size_t... r>(std::index_sequence<r...>) {
        (g(std::get<r>(results), std::integral_constant<int, static_cast<int>(r)>{}), ...);
    };
    unpack(std::make_index_sequence<std::tuple_size_v<Results>>{});
}

template <class F, class Operands>
struct LaneResultsOf;
template <class F, int... k>
struct LaneResultsOf<F, std::integer_sequence<int, k...>> {
    template <int>
    using Operand = Lanes<float>;
    using type = std::remove_cvref_t<std::invoke_result_t<const F&, Operand<k>...>>;
};
/// What a formula of N operands returns when it is read with Lanes.
template <class F, int N>
using LaneResults = typename LaneResultsOf<F, std::make_integer_sequence<int, N>>::type;

template <class Results>
inline constexpr std::size_t count_of_results = 1;
template <TupleLike Results>
inline constexpr std::size_t count_of_results<Results> = std::tuple_size_v<Results>;

/// The kernels of formula F of N operands. Their names tell the instruction set, as those of Lanes do.
template <class F, int N, bool summed, class Operands = std::make_integer_sequence<int, N>,
          class InstructionSet = xsimd::default_arch>
struct FormulaRows;

template <class F, int N, bool summed, int... k, class InstructionSet>
struct FormulaRows<F, N, summed, std::integer_sequence<int, k...>, InstructionSet> {
    template <class T>
    WENGERT_FLATTEN static void forward(const void* formula, const OperandRows<T>& operands, T* out,
                                        [[maybe_unused]] std::int64_t row_step,
                                        [[maybe_unused]] std::int64_t result_step) {
        using V = Lanes<T>;
        const F& f = *static_cast<const F*>(formula);
        const std::int64_t n = operands.n, together = summed ? operands.rows : 1;
        alignas(64) Registers<T, summed ? most_summed_rows : 1> registers;
        for (std::int64_t row = 0; row < operands.rows; row += together) {
            const Rows<T> x(operands, row, together, registers);
            for (std::int64_t i = 0; i < n; i += V::size) {
                if constexpr (summed) {
                    V total = V::load(out + i, n - i);
                    for (std::int64_t r = 0; r < together; ++r) total = total.v + V(f(x.template at<k>(r, i, n)...)).v;
                    total.store(out + i, n - i);
                } else {
                    const auto y = f(x.template at<k>(0, i, n)...);
                    for_each_result(y, [&](const auto& result, auto q) {
                        V(result).store(out + q * result_step + row * row_step + i, n - i);
                    });
                }
            }
        }
    }

    template <class T>
    WENGERT_FLATTEN static void sum(const void* formula, const OperandRows<T>& operands, double* totals) {
        using V = Lanes<T>;
        constexpr std::int64_t run = 64 * V::size;
        const F& f = *static_cast<const F*>(formula);
        const std::int64_t n = operands.n;
        alignas(64) Registers<T, 1> registers;
        for (std::int64_t row = 0; row < operands.rows; ++row) {
            const Rows<T> x(operands, row, 1, registers);
            double total = 0;
            for (std::int64_t begin = 0; begin < n; begin += run) {
                V lanes(0.0);
                const std::int64_t end = begin + run < n ? begin + run : n;
                for (std::int64_t i = begin; i < end; i += V::size) {
                    const V y(f(x.template at<k>(0, i, n)...));
                    lanes = lanes.v + y.first(n - i).v;
                }
                total += static_cast<double>(lanes.total());
            }
            totals[row] = total;
        }
    }

    template <class T>
    WENGERT_FLATTEN static void backward(const void* formula, const T* const* in, const std::int64_t* step,
                                         const T* const* cotangents, const std::int64_t* cotangent_steps,
                                         const RowTarget<T>* targets, std::int64_t n) {
        using V = Lanes<T>;
        constexpr std::size_t results = count_of_results<LaneResults<F, N>>;
        const F& f = *static_cast<const F*>(formula);
        const std::array<const T*, N> x{in[k]...};
        const std::array<std::int64_t, N> by{step[k]...};
        const std::array<RowTarget<T>, N> to{targets[k]...};
        std::array<const T*, results> ct_rows;
        std::array<std::int64_t, results> ct_by;
        for (std::size_t r = 0; r < results; ++r) {
            ct_rows[r] = cotangents[r];
            ct_by[r] = cotangent_steps[r];
        }
        for (std::int64_t i = 0; i < n; i += V::size) {
            const auto y = f(dual_operand<k>(V::load(x[k] + i * by[k]))...);
            std::array<V, results> ct;
            for_each_result(y, [&](const auto&, auto r) {
                ct[r] = results == 1 || ct_rows[r] != nullptr ? V::load(ct_rows[r] + i * ct_by[r]) : V(0.0);
            });
            (contribute<k>(y, ct, ct_rows, to[k], i), ...);
        }
    }

    static void compose(const void* formula, const TermDual* in, TermDual* out) {
        const auto y = (*static_cast<const F*>(formula))(in[k]...);
        for_each_result(y, [&](const auto& result, auto r) { out[r] = TermDual(result); });
    }

  private:
    template <class T, std::int64_t most>
    using Registers = T[N][most][most_lanes<T>];

    /// Rows of the operands. One that is a single element is spread over a register, apart from these numbers, so that
    /// they stay in the processor's: the compiler knows that nobody has their address.
    template <class T>
    struct Rows {
        template <std::int64_t most>
        [[gnu::always_inline]] Rows(const OperandRows<T>& operands, std::int64_t first, std::int64_t count,
                                    Registers<T, most>& registers)
            : x{operands.in[k] + first * operands.row_step[k]...},
              row_by{operands.row_step[k]...},
              by{operands.step[k]...} {
            (spread<k>(count, registers[k]), ...);
        }
        template <int i, std::size_t most, std::size_t lanes>
        [[gnu::always_inline]] void spread(std::int64_t count, T (&registers)[most][lanes]) {
            if (by[i] != 0) return;
            for (std::int64_t r = 0; r < count; ++r)
                Lanes<T>(typename Lanes<T>::Batch(x[i][r * row_by[i]])).store(registers[r]);
            x[i] = registers[0];
            row_by[i] = most_lanes<T>;
        }
        /// The elements from i on of a row of n.
        template <int operand>
        [[gnu::always_inline]] Lanes<T> at(std::int64_t row, std::int64_t i, std::int64_t n) const {
            const T* const from = x[operand] + row * row_by[operand] + i * by[operand];
            return Lanes<T>::load(from, by[operand] == 0 ? Lanes<T>::size : n - i);
        }

        std::array<const T*, N> x;
        std::array<std::int64_t, N> row_by, by;
    };

    template <int i, class Y, class V, std::size_t results, class T>
    [[gnu::always_inline]] static void contribute(const Y& y, const std::array<V, results>& ct,
                                                  const std::array<const T*, results>& ct_rows,
                                                  const RowTarget<T>& target, std::int64_t at) {
        if (target.to == nullptr) return;
        T* const to = target.to + at * target.step;
        V part(0.0);
        if constexpr (results == 1 && !TupleLike<Y>) {
            if constexpr (contains(operand_set<Y>, i)) part = ct[0].v * y.template partial<i>().v;
        } else {
            for_each_result(y, [&]<class R>(const R& result, auto r) {
                if constexpr (contains(operand_set<R>, i))
                    if (ct_rows[r] != nullptr) part = xsimd::fma(ct[r].v, result.template partial<i>().v, part.v);
            });
        }
        if (target.accumulate) part = V::load(to).v + part.v;
        part.store(to);
    }
};

/// The table entry of formula F of N operands.
template <class F, int N, bool summed>
constexpr Formula make_formula() {
    using Rows = FormulaRows<F, N, summed>;
    Formula formula{};
    formula.name = summed ? "map_sum" : "map";
    if constexpr (requires { F::name; }) {
        formula.name = F::name;
    }
    if constexpr (requires { F::linear; }) {
        formula.linear = F::linear;
    }
    formula.operands = N;
    formula.results = static_cast<int>(count_of_results<LaneResults<F, N>>);
    formula.summed = summed;
    formula.float32.width = Lanes<float>::size;
    formula.float64.width = Lanes<double>::size;
    formula.float32.forward = Rows::template forward<float>;
    formula.float64.forward = Rows::template forward<double>;
    if constexpr (summed) {
        formula.float32.sum = Rows::template sum<float>;
        formula.float64.sum = Rows::template sum<double>;
    }
    if constexpr (!requires { F::not_differentiable; }) {
        formula.float32.backward = Rows::template backward<float>;
        formula.float64.backward = Rows::template backward<double>;
        formula.compose = Rows::compose;
    } else {
        formula.without_derivative = {formula.name, true, 6};
    }
    return formula;
}

template <class F, int N, bool summed, class InstructionSet = xsimd::default_arch>
inline constexpr Formula formula_table = make_formula<F, N, summed>();

}  // namespace wengert

#undef WENGERT_FLATTEN
