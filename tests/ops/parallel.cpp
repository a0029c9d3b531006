#include "brute_force.hpp"

#include <omp.h>

#include <atomic>
#include <cstring>
#include <wengert/ops/cross_entropy.hpp>
#include <wengert/ops/map.hpp>
#include <wengert/ops/matmul.hpp>
#include <wengert/ops/parallel.hpp>
#include <wengert/ops/softmax.hpp>

using namespace brute_force;

namespace {

/// Restores OpenMP's settings.
struct Settings {
    const int threads = omp_get_max_threads(), levels = omp_get_max_active_levels();
    ~Settings() {
        set_thread_count(threads);
        omp_set_max_active_levels(levels);
    }
};

/// What a training step is made of, with operands large enough to be shared among threads.
std::vector<Tensor> step(Dtype dtype) {
    const auto values = [&](const Shape& shape, std::uint64_t seed) {
        return cast(sample_values(shape, -1, 1, seed), dtype);
    };
    const std::vector<Tensor> in{values({8, 40, 96}, 1), values({96, 130}, 2), values({130}, 3), values({8, 1, 130}, 4),
                                 values({8, 40, 40}, 5)};
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < 320; ++i) labels.push_back(i % 130);
    Tape tape;
    for (const Tensor& x : in) tape.watch(x);
    const Tensor projected = linear(in[0], transpose(in[1]), in[2]);
    const Tensor mixed = map([](auto x, auto q) { return x * tanh(x + q); }, projected, in[3]);
    const Tensor scores = map_sum([](auto v, auto k, auto q) { return v * tanh(k + q); }, -1, in[2], mixed, in[3]);
    const Tensor context = matmul(softmax(in[4] + unsqueeze(scores, 1)), transpose(transpose(mixed)));
    const Tensor columns = slice(context, 2, 1, 129) * slice(context, 2, 0, 128);
    const Tensor loss =
        cross_entropy(context, tensor(labels, {8, 40})) + sum(columns, 0) * 0.01 + sum(transpose(mixed)) * 1e-3;
    const Tensor total = sum(loss);
    std::vector<Tensor> results = tape.gradient(total, in);
    results.push_back(total);
    results.push_back(context);
    return results;
}

bool identical(const Tensor& a, const Tensor& b) {
    return a.shape() == b.shape() &&
           std::memcmp(a.raw(), b.raw(), static_cast<std::size_t>(a.numel()) * size_of(a.dtype())) == 0;
}

}  // namespace

TEST_CASE("parallel: ranges cover everything once, cut where they may be") {
    const Settings settings;
    for (const int threads : {1, 2, 3, 5}) {
        set_thread_count(threads);
        CHECK(thread_count() == threads);
        for (const std::int64_t n : {0, 1, 2, 63, 64, 65, 1000}) {
            for (const std::int64_t alignment : {1, 64}) {
                for (const std::int64_t work : {10, 1 << 20}) {
                    std::vector<std::atomic<int>> visits(static_cast<std::size_t>(n));
                    std::atomic<int> calls{0};
                    parallel_ranges(n, alignment, work, [&](std::int64_t begin, std::int64_t end) {
                        ++calls;
                        if (begin % alignment != 0 || begin >= end) calls = 1000;
                        for (std::int64_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
                    });
                    for (const auto& v : visits) CHECK(v == 1);
                    CHECK(calls <= threads);
                    if (work == 10)
                        CHECK(calls == (n > 0));
                    else
                        CHECK(calls == std::min<std::int64_t>(threads, (n + alignment - 1) / alignment));
                }
            }
        }
    }
    CHECK_THROWS_WITH_AS(set_thread_count(0), "set_thread_count: there must be at least one thread, not 0", ValueError);
}

TEST_CASE("parallel: nothing is left out if OpenMP gives fewer threads than asked for") {
    const Settings settings;
    set_thread_count(4);
    omp_set_max_active_levels(0);
    std::atomic<std::int64_t> covered{0};
    parallel_ranges(1000, 1, 1 << 20, [&](std::int64_t begin, std::int64_t end) { covered += end - begin; });
    CHECK(covered == 1000);
    CHECK(elements(exp(zeros({100000}))) == Values(100000, 1));
}

TEST_CASE("parallel: results are the same from run to run, and but for rounding with any number of threads") {
    const Settings settings;
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        set_thread_count(1);
        const std::vector<Tensor> alone = step(dtype);
        for (const int threads : {1, 2, 3}) {
            set_thread_count(threads);
            const std::vector<Tensor> first = step(dtype);
            for (std::size_t k = 0; k < first.size(); ++k) {
                CAPTURE(threads);
                CAPTURE(k);
                double largest = 0;
                for (const double v : elements(alone[k])) largest = std::max(largest, std::abs(v));
                check_close(first[k], elements(alone[k]), 64, largest);
            }
            for (int run = 0; run < 3; ++run) {
                const std::vector<Tensor> again = step(dtype);
                for (std::size_t k = 0; k < first.size(); ++k) CHECK(identical(again[k], first[k]));
            }
        }
    }
}
