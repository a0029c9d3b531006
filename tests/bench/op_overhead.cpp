/// The cost of one small op: chains of a million of them, forward and backward, and single ops by Google Benchmark.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <chrono>
#include <wengert/autograd/autograd.hpp>
#include <wengert/ops/ops.hpp>

using namespace wengert;

namespace {

using Clock = std::chrono::steady_clock;

double nanoseconds(Clock::duration d) { return std::chrono::duration<double, std::nano>(d).count(); }

/// One JSON line for chains of x = op(x) of `elements` elements: the best of three, nanoseconds for each op.
template <class Op>
void chain(const char* name, std::int64_t elements, const Op& op) {
    constexpr int length = 1'000'000;
    double forward = 1e300, backward = 1e300, end = 1e300;
    for (int run = 0; run < 3; ++run) {
        const Tensor start = full({elements}, 0.5);
        auto time = Clock::now();
        const auto lap = [&time] {
            const auto now = Clock::now();
            return nanoseconds(now - std::exchange(time, now)) / length;
        };
        {
            Tape tape;
            tape.watch(start);
            Tensor x = start;
            for (int i = 0; i < length; ++i) x = op(x);
            forward = std::min(forward, lap());
            tape.gradient(x, start, {.cotangent = full({elements}, 1)});
            backward = std::min(backward, lap());
        }
        end = std::min(end, lap());
    }
    fmt::print(
        "{{\"op\": \"{}\", \"elements\": {}, \"forward_ns\": {:.1f}, \"backward_ns\": {:.1f}, \"destruction_ns\": "
        "{:.1f}}}\n",
        name, elements, forward, backward, end);
}

void single_forward(benchmark::State& state) {
    const Tensor x = full({state.range(0)}, 0.5);
    for (auto _ : state) benchmark::DoNotOptimize(tanh(x));
}
BENCHMARK(single_forward)->Name("tanh, no tape")->Arg(1)->Arg(64)->Arg(1024);

void single_step(benchmark::State& state) {
    const Tensor x = full({state.range(0)}, 0.5), ct = full({state.range(0)}, 1);
    for (auto _ : state) {
        Tape tape;
        tape.watch(x);
        benchmark::DoNotOptimize(tape.gradient(tanh(x), x, {.cotangent = ct}));
    }
}
BENCHMARK(single_step)->Name("tape, tanh, gradient")->Arg(1)->Arg(64)->Arg(1024);

void single_add(benchmark::State& state) {
    const Tensor x = full({state.range(0)}, 0.5);
    for (auto _ : state) benchmark::DoNotOptimize(x + x);
}
BENCHMARK(single_add)->Name("add, no tape")->Arg(1)->Arg(64)->Arg(1024);

}  // namespace

int main(int argc, char** argv) {
    for (const std::int64_t elements : {1, 64, 1024}) {
        chain("tanh", elements, [](const Tensor& x) { return tanh(x); });
        chain("mul", elements, [](const Tensor& x) { return x * x; });
        chain("map", elements, [](const Tensor& x) { return map([](auto v) { return v * (1.5 - v); }, x); });
    }
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
}
