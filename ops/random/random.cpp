#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <wengert/autograd/tape/operation.hpp>
#include <wengert/autograd/tensor/parallel.hpp>
#include <wengert/autograd/tensor/unit_interval.hpp>
#include <wengert/autograd/transform/draws.hpp>
#include <wengert/ops/elementwise/internal/xsimd.hpp>
#include <wengert/ops/random/internal/philox.hpp>
#include <wengert/ops/random/random.hpp>

namespace wengert {
namespace {

constexpr std::uint64_t join(std::uint32_t high, std::uint32_t low) { return std::uint64_t{high} << 32 | low; }

PhiloxCounter block(std::uint64_t seed, std::uint64_t stream, std::uint64_t position) {
    return philox4x32({static_cast<std::uint32_t>(position), static_cast<std::uint32_t>(position >> 32),
                       static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32)},
                      {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
}

/// So many blocks are drawn together, lane by lane of the widest registers.
constexpr std::size_t lanes = 16;
/// The numbers that they make, one for each 32 or 64 bits: of neighbouring blocks one behind another, because that is
/// how vector instructions leave them.
template <class T>
constexpr std::size_t chunk = lanes * 16 / sizeof(T);

template <class T>
void draw_uniform(const Generator& from, std::uint64_t position, T* __restrict out) {
    const std::uint64_t seed = from.seed(), stream = from.stream();
    for (std::size_t lane = 0; lane < lanes; ++lane) {
        const PhiloxCounter words = block(seed, stream, position + lane);
        if constexpr (sizeof(T) == 4) {
            for (std::size_t word = 0; word < 4; ++word) out[word * lanes + lane] = unit_interval(words[word]);
        } else {
            out[lane] = unit_interval(join(words[0], words[1]));
            out[lanes + lane] = unit_interval(join(words[2], words[3]));
        }
    }
}

/// Standard normal numbers in place of uniform ones: of u in the first half of a chunk and v in the second.
template <class T>
void box_muller(T* numbers) {
    using Batch = xsimd::batch<T>;
    constexpr std::size_t half = chunk<T> / 2;
    static_assert(half % Batch::size == 0);
    for (std::size_t i = 0; i < half; i += Batch::size) {
        const Batch u = Batch::load_unaligned(numbers + i), v = Batch::load_unaligned(numbers + half + i);
        const Batch radius = xsimd::sqrt(T(-2) * xsimd::log(T(1) - u));  // u may be 0, but not 1
        const auto [sine, cosine] = xsimd::sincos(T(2 * std::numbers::pi) * v);
        (radius * cosine).store_unaligned(numbers + i);
        (radius * sine).store_unaligned(numbers + half + i);
    }
}

/// A tensor of what draw(position, numbers) writes, a chunk at a time; moves the generator on.
template <class T, class Draw>
Tensor filled(const Shape& shape, Dtype dtype, Generator& generator, const Draw& draw) {
    Tensor result = Tensor::empty(shape, dtype);
    const auto n = static_cast<std::size_t>(result.numel());
    T* const out = result.mutable_data<T>();
    const std::uint64_t start = generator.take((n + chunk<T> - 1) / chunk<T> * lanes);
    parallel_ranges(result.numel(), chunk<T>, result.numel(), [&](std::int64_t begin, std::int64_t end) {
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); i += chunk<T>) {
            const std::uint64_t position = start + i / chunk<T> * lanes;
            if (i + chunk<T> <= n) {
                draw(position, out + i);
            } else {
                std::array<T, chunk<T>> last;
                draw(position, last.data());
                std::copy_n(last.begin(), n - i, out + i);
            }
        }
    });
    return result;
}

void require_floating(Dtype dtype) {
    if (!is_floating(dtype))
        throw DtypeError(fmt::format("random values are float32 or float64, not {}", to_string(dtype)));
}

}  // namespace

std::uint64_t Generator::take(std::uint64_t blocks) { return Draws::take(position_, blocks); }

std::uint64_t Generator::bits() {
    const PhiloxCounter words = block(seed_, stream_, take(1));
    return join(words[0], words[1]);
}

double Generator::uniform() { return unit_interval(bits()); }

std::uint64_t Generator::below(std::uint64_t bound) {
    if (bound == 0) throw ValueError("Generator: there is no number below 0");
    const std::uint64_t most = std::numeric_limits<std::uint64_t>::max(), limit = most - most % bound;
    std::uint64_t value = bits();
    while (value >= limit) value = bits();
    return value % bound;
}

double Generator::normal() {
    const PhiloxCounter words = block(seed_, stream_, take(1));
    const double u = unit_interval(join(words[0], words[1])), v = unit_interval(join(words[2], words[3]));
    return std::sqrt(-2 * std::log(1 - u)) * std::cos(2 * std::numbers::pi * v);
}

Tensor uniform(const Shape& shape, double low, double high, Generator& generator, Dtype dtype,
               const SourceLine& where) {
    return located("uniform", {}, where, [&] {
        if (!(low <= high)) throw ValueError(fmt::format("low {} is above high {}", low, high));
        require_floating(dtype);
        return visit_floating(dtype, [&](auto type) {
            using T = decltype(type);
            const T least = static_cast<T>(low), range = static_cast<T>(high - low);
            if (!std::isfinite(range)) throw ValueError(fmt::format("{} and {} are too far apart", low, high));
            // Rounding may lead to `high` itself.
            const T most = std::nextafter(static_cast<T>(high), least);
            return filled<T>(shape, dtype, generator, [&](std::uint64_t position, T* numbers) {
                draw_uniform(generator, position, numbers);
                for (std::size_t i = 0; i < chunk<T>; ++i) numbers[i] = std::min(least + range * numbers[i], most);
            });
        });
    });
}

Tensor normal(const Shape& shape, double mean, double deviation, Generator& generator, Dtype dtype,
              const SourceLine& where) {
    return located("normal", {}, where, [&] {
        if (!std::isfinite(mean)) throw ValueError(fmt::format("the mean is {}", mean));
        if (!(deviation >= 0 && std::isfinite(deviation)))
            throw ValueError(fmt::format("the deviation is {}, not a finite number of 0 or more", deviation));
        require_floating(dtype);
        return visit_floating(dtype, [&](auto type) {
            using T = decltype(type);
            return filled<T>(shape, dtype, generator, [&](std::uint64_t position, T* numbers) {
                draw_uniform(generator, position, numbers);
                box_muller(numbers);
                const T centre = static_cast<T>(mean), scale = static_cast<T>(deviation);
                for (std::size_t i = 0; i < chunk<T>; ++i) numbers[i] = centre + scale * numbers[i];
            });
        });
    });
}

Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, Generator& generator, const SourceLine& where) {
    return located("randint", {}, where, [&] {
        if (!(low < high)) throw ValueError(fmt::format("low {} is not below high {}", low, high));
        const std::uint64_t first = static_cast<std::uint64_t>(low), range = static_cast<std::uint64_t>(high) - first;
        Tensor result = Tensor::empty(shape, Dtype::int64);
        auto* const out = result.mutable_data<std::int64_t>();
        const std::uint64_t start = generator.take(static_cast<std::uint64_t>(result.numel()));
        parallel_ranges(result.numel(), 1, result.numel(), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                const PhiloxCounter words =
                    block(generator.seed(), generator.stream(), start + static_cast<std::uint64_t>(i));
                __extension__ using Wide = unsigned __int128;
                const Wide share = Wide{join(words[0], words[1])} * range;
                out[i] = static_cast<std::int64_t>(first + static_cast<std::uint64_t>(share >> 64));
            }
        });
        return result;
    });
}

}  // namespace wengert
