#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <wengert/ops/elementwise/internal/formula.hpp>

namespace wengert {

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
