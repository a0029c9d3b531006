// Mirrors no file: ops in any order.
#include <doctest/doctest.h>

#include <random>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/ops/all_ops.hpp>
#include <wengert/ops/ops.hpp>

using namespace wengert;

namespace {

/// Makes values by ops that are chosen at random from values made before, and a loss of some of them.
class RandomProgram {
  public:
    explicit RandomProgram(std::uint32_t seed) : random_(seed) {
        for (const Shape& shape : {Shape{2, 3, 4}, Shape{6, 4}}) {
            pool_.push_back(sample_values(shape, -1, 1, seed + pool_.size()));
            tape_.watch(pool_.back());
        }
        for (int step = 0; step < 10; ++step) {
            const Tensor y = next(any());
            if (y.defined() && y.numel() <= 400 && y.rank() <= 5) pool_.push_back(y);
        }
    }

    /// The gradients of a loss by the first values and some others, without and with a record of the pass.
    std::pair<std::vector<Tensor>, std::vector<Tensor>> gradients() {
        Tensor loss = scalar(0, Dtype::float64);
        for (int i = 0; i < 4; ++i) {
            const Tensor x = sin(any());
            loss = loss + sum(x * x);
        }
        std::vector<Tensor> wanted{pool_[0], pool_[1], any(), any()};
        return {tape_.gradient(loss, wanted, {.retain_graph = true}),
                tape_.gradient(loss, wanted, {.create_graph = true})};
    }

  private:
    std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(random_() % static_cast<std::uint32_t>(n)); }
    const Tensor& any() { return pool_[static_cast<std::size_t>(below(std::ssize(pool_)))]; }
    int axis_of(const Tensor& x) { return static_cast<int>(below(x.rank())); }

    /// Undefined if the op that was drawn cannot take x.
    Tensor next(const Tensor& x) {
        const std::int64_t op = below(11);
        if (op == 0) return function_of(x);
        if (op == 1) return reshape(x, factors(x.numel()));
        if (op == 2 || op == 3) return with_any(x, op == 2);
        if (x.rank() == 0) return {};
        const int axis = axis_of(x);
        const std::int64_t n = x.dim(axis);
        if (op == 4) return select(x, axis, below(n));
        if (op == 5 || op == 6) {
            const std::int64_t begin = below(n);
            return slice(x, axis, begin, begin + 1 + below(n - begin));
        }
        if (op == 7) return below(2) == 0 ? concat({x, tanh(x)}, axis) : stack({x, x}, axis);
        if (op == 8) return transpose(x, axis, axis_of(x));
        if (x.rank() > 4) return {};
        if (op == 9) {
            Shape twice = x.shape();
            twice.insert(0, 2);
            return expand(x, twice);
        }
        return x.rank() >= 2 ? matmul(x, transpose(x)) : Tensor();
    }

    /// A function of the lists, of x and perhaps of another value, squeezed into its domain.
    Tensor function_of(const Tensor& x) {
        const std::vector<FunctionEntry>& all = all_functions();
        const FunctionEntry& f = all[static_cast<std::size_t>(below(std::ssize(all)))];
        if (!f.differentiable) return {};
        const auto into = [](const Range& range, const Tensor& value) {
            return range.low + (range.high - range.low) * sigmoid(value);
        };
        try {
            return f.apply(into(f.domain, x), into(f.domain_y, f.operands == 2 ? any() : x));
        } catch (const ShapeError&) {
            return {};
        }
    }

    /// x with another value, if their shapes broadcast.
    Tensor with_any(const Tensor& x, bool times) {
        const Tensor& y = any();
        try {
            return times ? x * y : x + y;
        } catch (const ShapeError&) {
            return {};
        }
    }

    /// Lengths whose product is n.
    Shape factors(std::int64_t n) {
        Shape shape;
        for (const std::int64_t factor : {2, 3, 2, 2}) {
            if (n % factor != 0 || below(2) == 0) continue;
            shape.push_back(factor);
            n /= factor;
        }
        shape.insert(static_cast<int>(below(shape.rank() + 1)), n);
        return shape;
    }

    std::mt19937 random_;
    Tape tape_;
    std::vector<Tensor> pool_;
};

}  // namespace

TEST_CASE("random programs: kernels that accumulate in place agree with recorded passes, which add by ops") {
    for (std::uint32_t seed = 0; seed < 20'000; ++seed) {
        CAPTURE(seed);
        const auto [plain, recorded] = RandomProgram(seed).gradients();
        for (std::size_t i = 0; i < plain.size(); ++i) {
            const auto p = plain[i].to_vector<double>(), r = recorded[i].to_vector<double>();
            REQUIRE(p.size() == r.size());
            for (std::size_t k = 0; k < p.size(); ++k) REQUIRE(p[k] == doctest::Approx(r[k]).epsilon(1e-9));
        }
    }
}

TEST_CASE("random programs: a view of a view of a part leaves the rest of the part open") {
    const Tensor w = ones({3, 4}, Dtype::float64);
    Tape tape;
    tape.watch(w);
    const Tensor row = slice(w, 0, 2, 3), square = reshape(row, {2, 2}), all = w * w, column = select(square, 1, 1);
    const Tensor loss = sum(all) + sum(column * column);
    CHECK(tape.gradient(loss, w).to_vector<double>() == std::vector<double>{2, 2, 2, 2, 2, 2, 2, 2, 2, 4, 2, 4});
}

TEST_CASE("random programs: a reshaped value whose cotangent is a part of another") {
    const Tensor w = ones({4, 6}, Dtype::float64), y = ones({4, 2}, Dtype::float64);
    Tape tape;
    tape.watch(w);
    const Tensor x = w * 2, part = slice(reshape(x, {24}), 0, 0, 8);
    const Tensor loss = sum(concat({x, y}, 1)) + sum(part * part);
    const std::vector<double> g = tape.gradient(loss, w).to_vector<double>();
    for (std::size_t i = 0; i < g.size(); ++i) CHECK(g[i] == (i < 8 ? 10 : 2));
}

TEST_CASE("random programs: equal views of a leaf are values of their own") {
    const Tensor w = ones({2, 2}, Dtype::float64);
    Tape tape;
    tape.watch(w);
    const Tensor a = transpose(w), b = transpose(w);
    CHECK(tape.gradient(sum(a * 2 + b * 3), a).to_vector<double>() == std::vector<double>{2, 2, 2, 2});
}
