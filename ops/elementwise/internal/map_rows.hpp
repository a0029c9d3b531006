#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <wengert/ops/elementwise/internal/formula.hpp>

#ifdef __AVX512BW__
#include <immintrin.h>
#endif

namespace wengert {

/// A register has no more than this.
inline constexpr std::size_t most_register_bytes = 64;
template <class T>
inline constexpr std::int64_t most_lanes = static_cast<std::int64_t>(most_register_bytes / sizeof(T));

/// Copies fewer elements than a register has. One that is put together from elements in memory has to wait for them to
/// be written, so that hardware which can copy a part does.
template <class T>
void copy_part(const T* from, T* to, std::int64_t n) {
#ifdef __AVX512BW__
    const __mmask64 first = (std::uint64_t{1} << (static_cast<std::size_t>(n) * sizeof(T))) - 1;
    _mm512_mask_storeu_epi8(to, first, _mm512_maskz_loadu_epi8(first, from));
#else
    std::copy_n(from, n, to);
#endif
}

/// A register of which fewer elements than it has are set to those in memory, the others to zero.
template <class T>
void load_part(const T* from, T* to, std::int64_t n) {
#ifdef __AVX512BW__
    const __mmask64 first = (std::uint64_t{1} << (static_cast<std::size_t>(n) * sizeof(T))) - 1;
    _mm512_store_si512(to, _mm512_maskz_loadu_epi8(first, from));
#else
    std::fill_n(std::copy_n(from, n, to), most_lanes<T> - n, T{0});
#endif
}

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
            std::fill_n(buffer_, most_lanes<T>, *from);
        else
            for (std::int64_t i = 0; i < n; ++i) buffer_[i] = from[i * stride];
        return buffer_;
    }
    T* data() { return buffer_; }

  private:
    alignas(64) T buffer_[piece];
};

/// How many operands and results the loops over a formula's rows make room for: most have few, and room takes time.
struct FewOperands {
    static constexpr int operands = 3, results = 1;
};
struct MostOperands {
    static constexpr int operands = most_operands, results = most_results;
};
/// Calls f with the room that a formula needs.
template <class F>
decltype(auto) with_room_for(const Formula& formula, const F& f) {
    if (formula.operands <= FewOperands::operands && formula.results <= FewOperands::results) return f(FewOperands{});
    return f(MostOperands{});
}

/// The operands' last elements, fewer than a register has, each in a register of its own.
template <class T, class Room>
class RowRest {
  public:
    const T* const* read(int operands, const T* const* rows, const std::int64_t* step, std::int64_t begin,
                         std::int64_t n) {
        for (int k = 0; k < operands; ++k) {
            rows_[k] = rows[k];
            if (step[k] == 0) continue;
            load_part(rows[k] + begin, registers_[k], n);
            rows_[k] = registers_[k];
        }
        return rows_;
    }

  private:
    const T* rows_[Room::operands];
    alignas(64) T registers_[Room::operands][most_lanes<T>];
};

}  // namespace wengert
