#pragma once

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <random>

#include "ops/differential/plain.hpp"

/// Random calls of ops: shapes, layouts, dtypes and values.
namespace differential {

/// A tensor with its elements as the reference reads them, and the storage that it is a view of.
struct Drawn {
    Tensor tensor, storage;
    Plain plain;
};

/// The numbers of which values are drawn.
enum class Kind { ordinary, whole, special, any };

/// All that a case draws, from its seed, with a text of it for the report.
class Draws {
  public:
    explicit Draws(std::uint64_t seed) : random_(seed) {
        text_ = fmt::format("WENGERT_DIFFERENTIAL_SEED={} WENGERT_DIFFERENTIAL_CASES=1\n", seed);
        is_large_ = below(200) == 0;
    }

    /// In [0, n).
    std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n)); }
    bool one_in(std::int64_t n) { return below(n) == 0; }
    template <class T>
    const T& one_of(const std::vector<T>& all) {
        return all[static_cast<std::size_t>(below(std::ssize(all)))];
    }
    Dtype floating() { return one_in(2) ? Dtype::float32 : Dtype::float64; }
    Dtype any_dtype() {
        return one_of(std::vector{Dtype::float32, Dtype::float64, Dtype::int32, Dtype::int64, Dtype::boolean});
    }

    /// 0 to 5 axes, of which some have the length 0 or 1, or more than a register.
    Shape shape(int least_rank = 0, int most_rank = 5) {
        const std::int64_t most = is_large_ ? 80'000 : 600;
        Shape s;
        const std::int64_t rank = least_rank + below(most_rank - least_rank + 1);
        for (std::int64_t i = 0; i < rank; ++i) {
            std::int64_t n =
                one_in(40) ? 0 : one_of(std::vector<std::int64_t>{1, 1, 2, 2, 3, 4, 5, 7, 8, 9, 17, 33, 64, 67});
            if (is_large_ && one_in(2)) n = 100 + below(400);
            while (n > 1 && s.numel() * n > most) n /= 2;
            s.push_back(n);
        }
        return s;
    }
    /// One that broadcasts with `other`, not above its shape.
    Shape below_shape(const Shape& other) {
        Shape s = other;
        for (std::int64_t& n : s)
            if (one_in(4)) n = 1;
        while (!s.empty() && one_in(4)) s.erase(0);
        return s;
    }
    int axis(const Shape& s) { return static_cast<int>(below(s.rank())); }

    Kind kind() { return one_of(std::vector{Kind::ordinary, Kind::whole, Kind::special, Kind::any}); }

    /// A view of a storage of its own, in an order and with gaps, repetitions and overlaps that are drawn.
    Drawn operand(const Shape& shape, Dtype dtype, Kind kind) {
        const auto [strides, offset] = layout(shape);
        Tensor storage = Tensor::empty({span_of(shape, strides, offset) + below(3)}, dtype);
        fill(storage, kind);
        return note(storage, shape, strides, offset);
    }
    Drawn operand(const Shape& shape, Dtype dtype) { return operand(shape, dtype, kind()); }
    /// The same, or a view of the storage of another operand.
    Drawn operand_beside(const Drawn& other, const Shape& shape, Dtype dtype, Kind kind) {
        if (other.tensor.dtype() == dtype && one_in(3)) {
            if (other.tensor.shape() == shape && one_in(2)) {
                text_ += "  again\n";
                return other;
            }
            const auto [strides, offset] = layout(shape);
            if (span_of(shape, strides, offset) <= other.storage.numel())
                return note(other.storage, shape, strides, offset);
        }
        return operand(shape, dtype, kind);
    }
    /// int64 or int32 positions in [-from_end, n).
    Drawn positions(const Shape& shape, std::int64_t n, bool from_end = false) {
        const auto [strides, offset] = layout(shape);
        std::vector<std::int64_t> values(static_cast<std::size_t>(span_of(shape, strides, offset)));
        for (std::int64_t& v : values) v = n == 0 ? 0 : below(n) - (from_end && one_in(3) ? n : 0);
        Tensor storage = tensor(values, {std::ssize(values)});
        if (one_in(3)) storage = cast(storage, Dtype::int32);
        return note(storage, shape, strides, offset);
    }

    template <class... Args>
    void say(fmt::format_string<Args...> format, Args&&... args) {
        text_ += "  " + fmt::format(format, std::forward<Args>(args)...) + "\n";
    }
    const std::string& text() const { return text_; }

    /// Storages of which an operand has changed.
    bool has_written_operand() const {
        for (const auto& [storage, bytes] : kept_)
            if (std::memcmp(storage.raw(), bytes.data(), bytes.size()) != 0) return true;
        return false;
    }

  private:
    std::mt19937_64 random_;
    std::string text_;
    bool is_large_ = false;
    std::vector<std::pair<Tensor, std::vector<std::byte>>> kept_;

    static std::int64_t span_of(const Shape& shape, const Shape& strides, std::int64_t offset) {
        std::int64_t last = offset;
        for (int axis = 0; axis < shape.rank(); ++axis)
            last += std::max<std::int64_t>(shape[axis] - 1, 0) * strides[axis];
        return last + 1;
    }

    std::pair<Shape, std::int64_t> layout(const Shape& shape) {
        Shape strides = shape, order = shape;
        std::iota(order.begin(), order.end(), 0);
        const bool is_plain = one_in(3), overlaps = !is_plain && one_in(8);
        if (!is_plain && one_in(2)) std::shuffle(order.begin(), order.end(), random_);
        std::int64_t next = is_plain || one_in(2) ? 1 : 1 + below(3);
        for (int i = shape.rank() - 1; i >= 0; --i) {
            const int axis = static_cast<int>(order[i]);
            const std::int64_t n = shape[axis];
            strides[axis] = next;
            next *= std::max<std::int64_t>(n, 1);
            if (is_plain) continue;
            if (one_in(6)) next += below(4);                       // a gap
            if (one_in(8)) strides[axis] = 0;                      // repeats
            if (overlaps) strides[axis] = below(4);                // windows
            if (n == 1 && one_in(2)) strides[axis] = below(1000);  // never used
        }
        return {strides, is_plain && one_in(2) ? 0 : below(9)};
    }

    Drawn note(const Tensor& storage, const Shape& shape, const Shape& strides, std::int64_t offset) {
        Drawn operand{storage.view(shape, strides, offset), storage, {}};
        operand.plain = plain(operand.tensor);
        const auto* const bytes = static_cast<const std::byte*>(storage.raw());
        kept_.emplace_back(
            storage, std::vector(bytes, bytes + storage.numel() * static_cast<std::int64_t>(size_of(storage.dtype()))));
        text_ += fmt::format("  {} {}, strides {} from {} of {{", to_string(storage.dtype()), to_string(shape),
                             to_string(strides), offset);
        const Numbers all = numbers_of(storage);
        for (std::size_t i = 0; i < all.size() && i < 300; ++i)
            text_ += fmt::format("{}{:.20Lg}", i == 0 ? "" : ", ", all[i]);
        text_ += all.size() > 300 ? ", ..}\n" : "}\n";
        return operand;
    }

    void fill(Tensor& storage, Kind kind) {
        visit_dtype(storage.dtype(), [&](auto type) {
            using T = decltype(type);
            T* const to = storage.mutable_data<T>();
            for (std::int64_t i = 0; i < storage.numel(); ++i) to[i] = number<T>(kind);
        });
    }
    template <class T>
    T number(Kind kind) {
        using Limits = std::numeric_limits<T>;
        if constexpr (std::same_as<T, bool>) {
            return one_in(2);
        } else if constexpr (std::integral<T>) {
            if (kind == Kind::special && one_in(3))
                return one_of(std::vector<T>{Limits::min(), Limits::max(), T{0}, T{-1}, T{1}, Limits::max() / 2});
            return static_cast<T>(kind == Kind::whole ? below(5) - 2 : below(100'001) - 50'000);
        } else {
            if (kind == Kind::special && one_in(3)) {
                const T size =
                    one_of(std::vector<T>{Limits::quiet_NaN(), Limits::infinity(), T{0}, Limits::denorm_min(),
                                          Limits::min(), Limits::max(), T{1}, Limits::epsilon()});
                return one_in(2) ? -size : size;
            }
            if (kind == Kind::whole) return static_cast<T>(below(5) - 2) * (one_in(5) ? T{-0.0} : T{1});
            using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
            if (kind == Kind::any) {
                const T number = std::bit_cast<T>(static_cast<Bits>(random_()));
                // A signalling NaN is made quiet: what a power of it is differs from one C library to the next.
                return std::isnan(number) ? std::copysign(Limits::quiet_NaN(), number) : number;
            }
            return static_cast<T>(std::ldexp(static_cast<double>(random_() >> 11), -53) * 6 - 3);
        }
    }
};

/// A call of one op with operands that are drawn: what differs, or nothing.
struct Call {
    std::string_view name;
    std::string (*difference)(Draws& draw);
};

inline std::uint64_t asked(const char* variable, std::uint64_t otherwise) {
    const char* const text = std::getenv(variable);
    return text == nullptr ? otherwise : std::stoull(text);
}

/// Runs a share of the cases, each of which is one of the calls. WENGERT_DIFFERENTIAL_CASES says how many there are in
/// all files, WENGERT_DIFFERENTIAL_SEED the seed of the first.
inline void check_calls(const std::vector<Call>& calls) {
    constexpr std::uint64_t files = 4;
    const std::uint64_t count = std::max<std::uint64_t>(asked("WENGERT_DIFFERENTIAL_CASES", 10'000) / files, 1),
                        first = asked("WENGERT_DIFFERENTIAL_SEED", 1);
    int failures = 0;
    for (std::uint64_t seed = first; seed < first + count && failures < 20; ++seed) {
        Draws draw(seed);
        const Call& call = draw.one_of(calls);
        draw.say("{}", call.name);
        std::string text;
        try {
            text = call.difference(draw);
        } catch (const Error& error) {
            text = error.what();
        }
        if (text.empty() && draw.has_written_operand()) text = "an operand was overwritten";
        if (text.empty()) continue;
        ++failures;
        FAIL_CHECK(draw.text() << text);
    }
}

/// Whether f throws an E; other errors go on.
template <class E, class F>
std::string refused(const F& f) {
    try {
        f();
    } catch (const E&) {
        return "";
    }
    return "nothing was thrown";
}

}  // namespace differential
