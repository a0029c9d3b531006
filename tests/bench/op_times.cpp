/// The time of single ops, forward alone and forward with backward: one JSON line each, in the words of torch_ops.py.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>
#include <wengert/wengert.hpp>

using namespace wengert;

namespace {

using Clock = std::chrono::steady_clock;
using Values = std::vector<Tensor>;

/// `n` numbers in rows of 100.
Shape rows(std::int64_t n) { return n < 100 ? Shape{1, n} : Shape{n / 100, 100}; }

struct Case {
    std::string_view name;
    std::vector<std::int64_t> sizes;
    std::vector<Shape> (*operands)(std::int64_t n);
    Tensor (*f)(const Values& in);
};

const std::vector<std::int64_t> any_size{10, 1'000, 100'000, 10'000'000};

const std::vector<Case>& cases() {
    static const auto one = [](std::int64_t n) { return std::vector{rows(n)}; };
    static const auto two = [](std::int64_t n) { return std::vector{rows(n), rows(n)}; };
    static const std::vector<Case> all{
        {"add", any_size, two, [](const Values& in) { return in[0] + in[1]; }},
        {"exp", any_size, one, [](const Values& in) { return exp(in[0]); }},
        {"tanh", any_size, one, [](const Values& in) { return tanh(in[0]); }},
        {"gelu", any_size, one, [](const Values& in) { return gelu(in[0]); }},
        {"sum", any_size, one, [](const Values& in) { return sum(in[0]); }},
        {"sum, axis 0", any_size, one, [](const Values& in) { return sum(in[0], 0); }},
        {"sum, axis 1", any_size, one, [](const Values& in) { return sum(in[0], 1); }},
        {"max, axis 1", any_size, one, [](const Values& in) { return max(in[0], 1); }},
        {"var, axis 1", any_size, one, [](const Values& in) { return var(in[0], 1); }},
        {"cumsum, axis 1", any_size, one, [](const Values& in) { return cumsum(in[0], 1); }},
        {"sort, axis 1", any_size, one, [](const Values& in) { return sort(in[0], 1); }},
        {"softmax", any_size, one, [](const Values& in) { return softmax(in[0]); }},
        {"layer_norm", any_size,
         [](std::int64_t n) {
             return std::vector{rows(n), Shape{rows(n)[1]}, Shape{rows(n)[1]}};
         },
         [](const Values& in) { return layer_norm(in[0], in[1], in[2]); }},
        {"gather rows", any_size, one,
         [](const Values& in) {
             static Tensor places;
             const std::int64_t n = in[0].dim(0);
             if (!places.defined() || places.dim(0) != n) {
                 Generator generator(1);
                 places = permutation(n, generator);
             }
             return embedding(in[0], places);
         }},
        {"conv2d, 3 to 32 channels of 32 x 32",
         {32},
         [](std::int64_t n) {
             return std::vector<Shape>{{n, 3, 32, 32}, {32, 3, 3, 3}};
         },
         [](const Values& in) { return conv2d(in[0], in[1], {.padding = 1}); }},
        {"conv2d, 64 to 64 channels of 16 x 16",
         {32},
         [](std::int64_t n) {
             return std::vector<Shape>{{n, 64, 16, 16}, {64, 64, 3, 3}};
         },
         [](const Values& in) { return conv2d(in[0], in[1], {.padding = 1}); }},
        {"attention, 4 heads of 64",
         {64, 512},
         [](std::int64_t n) {
             return std::vector<Shape>(3, Shape{4, 4, n, 64});
         },
         [](const Values& in) { return scaled_dot_product_attention(in[0], in[1], in[2]); }},
    };
    return all;
}

/// Seconds of one call: the least of several runs, each long enough for the clock.
template <class F>
double seconds(const F& f) {
    double best = 1e300;
    std::int64_t calls = 1;
    for (int run = 0; run < 7;) {
        const auto begin = Clock::now();
        for (std::int64_t i = 0; i < calls; ++i) f();
        const double time = std::chrono::duration<double>(Clock::now() - begin).count();
        if (time < 0.01) {
            calls =
                time < 0.001 ? calls * 10 : static_cast<std::int64_t>(static_cast<double>(calls) * 0.012 / time) + 1;
            continue;
        }
        best = std::min(best, time / static_cast<double>(calls));
        ++run;
    }
    return best;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string only = argc > 1 ? argv[1] : "";
    set_thread_count(argc > 2 ? std::atoi(argv[2]) : 1);
    for (const Case& c : cases())
        for (const Dtype dtype : {Dtype::float32, Dtype::float64})
            for (const std::int64_t n : c.sizes) {
                if (c.name.find(only) == std::string_view::npos) continue;
                Generator generator(1);
                Values in;
                for (const Shape& shape : c.operands(n)) in.push_back(uniform(shape, -1, 1, generator, dtype));
                const Tensor cotangent = ones(c.f(in).shape(), dtype);
                const double forward = seconds([&] { c.f(in); });
                const double both = seconds([&] {
                    Tape tape;
                    for (const Tensor& x : in) tape.watch(x);
                    tape.gradient(c.f(in), in, {.cotangent = cotangent});
                });
                fmt::print("{{\"op\": \"{}\", \"dtype\": \"{}\", \"n\": {}, \"forward\": {:.4g}, \"both\": {:.4g}}}\n",
                           c.name, to_string(dtype), n, forward, both);
            }
}
