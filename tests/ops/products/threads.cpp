#include "ops/brute_force.hpp"

#include <cstring>
#include <wengert/ops/elementwise/map.hpp>
#include <wengert/ops/network/cross_entropy.hpp>
#include <wengert/ops/network/linear_cross_entropy.hpp>
#include <wengert/ops/products/linear.hpp>
#include <wengert/ops/products/matmul.hpp>
#include <wengert/ops/products/threads.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/reduce/softmax.hpp>

using namespace brute_force;

namespace {

/// Restores the number of threads.
struct Settings {
    const int threads = thread_count();
    ~Settings() { set_thread_count(threads); }
};

/// What a training step is made of, with operands large enough to be shared among threads.
std::vector<Tensor> step(Dtype dtype) {
    const auto values = [&](const Shape& shape, std::uint64_t seed) {
        return cast(sample_values(shape, -1, 1, seed), dtype);
    };
    const std::vector<Tensor> in{values({8, 40, 96}, 1), values({96, 130}, 2),   values({130}, 3),
                                 values({8, 1, 130}, 4), values({8, 40, 40}, 5), values({}, 6)};
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < 320; ++i) labels.push_back(i % 130);
    Tape tape;
    for (const Tensor& x : in) tape.watch(x);
    const Tensor projected = linear(in[0], transpose(in[1]), in[2]);
    const Tensor mixed = map([](auto x, auto q, auto s) { return x * tanh(s * x + q); }, projected, in[3], in[5]);
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

TEST_CASE("threads: results are the same from run to run, and but for rounding with any number of threads") {
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

TEST_CASE("threads: there is at least one") {
    CHECK_THROWS_WITH_AS(set_thread_count(0), "set_thread_count: there must be at least one thread, not 0", ValueError);
}
