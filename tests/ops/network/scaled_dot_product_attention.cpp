#include <wengert/autograd/transform/checkpoint.hpp>
#include <wengert/ops/network/scaled_dot_product_attention.hpp>

#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/ops/products/matmul.hpp>
#include <wengert/ops/reduce/softmax.hpp>

#include "ops/brute_force.hpp"

using namespace brute_force;

namespace {

/// Attention by plain loops over queries, keys and features. q, k, v and the mask broadcast.
Values attended(const Tensor& q, const Tensor& k, const Tensor& v, const DotProductOptions& options) {
    const std::int64_t queries = q.dim(-2), keys = k.dim(-2), features = q.dim(-1), outputs = v.dim(-1);
    Shape space = q.rank() >= k.rank() ? q.shape() : k.shape();
    for (int axis = 0; axis < k.rank() - 2; ++axis)
        space[space.rank() - k.rank() + axis] = std::max(space[space.rank() - k.rank() + axis], k.dim(axis));
    space[space.rank() - 2] = queries, space[space.rank() - 1] = 1;
    const double scale = options.scale.value_or(1 / std::sqrt(static_cast<double>(features)));
    Values result;
    for_each_index(space, [&](Shape at) {
        const int row = at.rank() - 2, column = at.rank() - 1;
        const std::int64_t query = at[row];
        std::vector<double> scores;
        double highest = -infinity, total = 0;
        for (std::int64_t key = 0; key < keys; ++key) {
            Shape of_q = at, of_k = at, of_score = at;
            double score = 0;
            for (std::int64_t d = 0; d < features; ++d) {
                of_q[column] = of_k[column] = d;
                of_k[row] = key;
                score += element(q, of_q) * element(k, of_k);
            }
            score *= scale;
            of_score[column] = key;
            if (options.mask.defined()) score += element(options.mask, of_score);
            if (options.causal && key > keys - queries + query) score = -infinity;
            scores.push_back(score);
            highest = std::max(highest, score);
        }
        for (double& score : scores) total += score = highest == -infinity ? 0 : std::exp(score - highest);
        for (std::int64_t e = 0; e < outputs; ++e) {
            double sum = 0;
            for (std::int64_t key = 0; key < keys; ++key) {
                Shape of_v = at;
                of_v[row] = key, of_v[column] = e;
                sum += total == 0 ? 0 : scores[static_cast<std::size_t>(key)] / total * element(v, of_v);
            }
            result.push_back(sum);
        }
    });
    return result;
}

/// The same with the scores of all queries, of ops whose gradients are proven.
Tensor attention_of_ops(const std::vector<Tensor>& in, double scale, const Tensor& mask = {},
                        const Tensor& factors = {}) {
    Tensor scores = matmul(in[0], transpose(in[1])) * scale;
    if (mask.defined()) scores = scores + mask;
    const Tensor weights = softmax(scores);
    return matmul(factors.defined() ? weights * factors : weights, in[2]);
}

/// 0 where a query sees a key, else minus infinity: [queries, keys].
Tensor causal_mask(std::int64_t queries, std::int64_t keys, Dtype dtype) {
    Values values;
    for (std::int64_t t = 0; t < queries; ++t)
        for (std::int64_t s = 0; s < keys; ++s) values.push_back(s > keys - queries + t ? -infinity : 0);
    return cast(tensor(values, {queries, keys}), dtype);
}

}  // namespace

TEST_CASE("scaled_dot_product_attention: plain loops, for operands that stand in any way, masks, scales, both dtypes") {
    for (int layout = 0; layout < layouts; ++layout)
        for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
            CAPTURE(layout);
            const Tensor q = laid_out({2, 3, 5, 4}, layout, 1, dtype, -2, 2),
                         k = laid_out({2, 3, 7, 4}, layout, 2, dtype, -2, 2),
                         v = laid_out({2, 3, 7, 6}, layout, 3, dtype, -2, 2);
            for (const Shape& shape : {Shape{}, Shape{5, 7}, Shape{2, 1, 1, 7}, Shape{3, 5, 1}})
                for (const bool causal : {false, true}) {
                    DotProductOptions options{.causal = causal};
                    if (shape.rank() > 0) options.mask = laid_out(shape, layout, 4, dtype), options.scale = 0.7;
                    const Tensor got = scaled_dot_product_attention(q, k, v, options);
                    CHECK(got.shape() == Shape{2, 3, 5, 6});
                    CHECK(got.dtype() == dtype);
                    check_close(got, attended(q, k, v, options), 32, 2);
                }
        }
    const Tensor q = laid_out({3, 1, 2, 4}, 0, 1), k = laid_out({5, 3, 4}, 1, 2), v = laid_out({1, 5, 3, 2}, 2, 3);
    CHECK(scaled_dot_product_attention(q, k, v).shape() == Shape{3, 5, 2, 2});
    check_close(scaled_dot_product_attention(q, k, v), attended(q, k, v, {}), 32, 1);
    const Tensor one = laid_out({1, 4}, 0, 1), same = laid_out({1, 4}, 0, 2);
    check_close(scaled_dot_product_attention(one, same, same), elements(same), 1);
}

TEST_CASE("scaled_dot_product_attention: a mask of bool is true where a query may look") {
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        const Tensor q = laid_out({2, 3, 4}, 0, 1, dtype), k = laid_out({2, 5, 4}, 0, 2, dtype);
        const Tensor mask = laid_out({3, 5}, 0, 3, dtype) > 0;
        const Tensor got = scaled_dot_product_attention(q, k, k, {.mask = mask});
        CHECK(got.dtype() == dtype);
        CHECK(elements(got) ==
              elements(scaled_dot_product_attention(q, k, k, {.mask = cast(where(mask, 0.0, -infinity), dtype)})));
    }
    const Tensor x = ones({1, 2, 2});
    check_refused<ShapeError>("scaled_dot_product_attention: the mask [3] does not fit the scores [1, 2, 2]",
                              [&] { scaled_dot_product_attention(x, x, x, {.mask = zeros({3}, Dtype::boolean)}); });
}

TEST_CASE("scaled_dot_product_attention: blocks of rows are all rows, in values and gradients, on any threads") {
    // Three blocks of 46 rows and less, blocks of the least height, and such with features so many that weights are
    // kept.
    struct Case {
        std::int64_t queries, keys, features;
    };
    for (const auto& [queries, keys, features] : {Case{100, 700, 8}, Case{40, 4000, 8}, Case{40, 1500, 64}})
        for (const Dtype dtype : {Dtype::float32, Dtype::float64})
            for (const bool causal : {false, true}) {
                CAPTURE(keys);
                CAPTURE(causal);
                const std::vector<Tensor> in{laid_out({2, queries, features}, 0, 1, dtype),
                                             laid_out({2, keys, features}, 2, 2, dtype),
                                             laid_out({2, keys, 5}, 3, 3, dtype)};
                const Tensor mask = laid_out({2, 1, keys}, 0, 4, dtype);
                const DotProductOptions options{.mask = mask, .causal = causal, .scale = 0.5};
                const Tensor all = causal ? mask + causal_mask(queries, keys, dtype) : mask;
                const auto want = [&](const auto& x) { return attention_of_ops(x, 0.5, all); };
                const auto got = [&](const auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2], options); };
                const Tensor y = want(in), ct = cotangent_of(y);
                check_close(got(in), elements(y), 64, 0.1);
                const std::vector<Tensor> slopes = gradients(want, in, ct);
                for (const int count : {1, 2, 3}) {
                    const Threads threads(count);
                    const std::vector<Tensor> own = gradients(got, in, ct);
                    for (std::size_t i = 0; i < 3; ++i) check_close(own[i], elements(slopes[i]), 64, 0.5);
                }
            }
}

TEST_CASE("scaled_dot_product_attention: gradients of some operands, and of the mask") {
    const std::vector<Tensor> in{sample_values({2, 3, 4}, -1, 1, 1), sample_values({2, 5, 4}, -1, 1, 2),
                                 sample_values({2, 5, 2}, -1, 1, 3), sample_values({3, 5}, -1, 1, 4)};
    const DotProductOptions options{.mask = in[3], .causal = true};
    const auto f = [&] { return scaled_dot_product_attention(in[0], in[1], in[2], options); };
    const Tensor ct = cotangent_of(f());
    const std::vector<Tensor> all = gradients([&](const auto&) { return f(); }, in, ct);
    for (std::size_t i = 0; i < 4; ++i) {
        Tape tape;
        tape.watch(in[i]);
        check_close(tape.gradient(f(), in[i], {.cotangent = ct}), elements(all[i]), 8, 1);
    }
}

TEST_CASE("scaled_dot_product_attention: what must not be seen weighs exactly 0, and who sees nothing gets zeros") {
    const Tensor q = sample_values({3, 2}, -1, 1, 1), k = sample_values({3, 2}, -1, 1, 2),
                 v = sample_values({3, 2}, -1, 1, 3);
    const Tensor mask =
        tensor({0, -infinity, -infinity, -infinity, -infinity, -infinity, 0, 0, -infinity}, {3, 3}, Dtype::float64);
    const Tensor y = scaled_dot_product_attention(q, k, v, {.mask = mask});
    CHECK(elements(select(y, 0, 0)) == elements(select(v, 0, 0)));
    CHECK(elements(select(y, 0, 1)) == Values{0, 0});
    Tensor far = k.clone();
    far.mutable_data<double>()[4] = 1e6;
    CHECK(elements(scaled_dot_product_attention(q, far, v, {.mask = mask})) == elements(y));
    const auto f = [&](const auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.mask = mask}); };
    const std::vector<Tensor> slopes = gradients(f, {q, k, v}, ones({3, 2}, Dtype::float64));
    CHECK(elements(select(slopes[0], 0, 1)) == Values{0, 0});
    CHECK(elements(select(slopes[1], 0, 2)) == Values{0, 0});
    CHECK(elements(select(slopes[2], 0, 2)) == Values{0, 0});
    CHECK(elements(scaled_dot_product_attention(q, zeros({0, 2}, Dtype::float64), zeros({0, 4}, Dtype::float64))) ==
          Values(12));
    CHECK(scaled_dot_product_attention(zeros({0, 2}), zeros({3, 2}), zeros({3, 4})).shape() == Shape{0, 4});
    CHECK(scaled_dot_product_attention(zeros({0, 3, 2}), zeros({0, 3, 2}), zeros({0, 3, 4})).shape() == Shape{0, 3, 4});
    check_close(scaled_dot_product_attention(zeros({2, 0}), zeros({3, 0}), tensor({1, 2, 6}, {3, 1})), {3, 3}, 2);
}

TEST_CASE("scaled_dot_product_attention: large scores neither overflow nor become NaN, and NaN stays in its row") {
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        const Tensor q = tensor({1e4, -1e4}, {2, 1}, dtype), k = tensor({1e4, 0}, {2, 1}, dtype),
                     v = tensor({3, 5}, {2, 1}, dtype);
        CHECK(elements(scaled_dot_product_attention(q, k, v)) == Values{3, 5});
        const Tensor broken = tensor({1, not_a_number}, {2, 1}, dtype);
        const Values y = elements(scaled_dot_product_attention(broken, k, v));
        CHECK(y[0] == 3);
        CHECK(std::isnan(y[1]));
    }
}

TEST_CASE("scaled_dot_product_attention: dropout drops its share, the same in backward and on any threads") {
    const std::int64_t queries = 100, keys = 700;
    const double p = 0.3;
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        const std::vector<Tensor> in{cast(sample_values({2, queries, 4}, -1, 1, 1), dtype),
                                     cast(sample_values({2, keys, 4}, -1, 1, 2), dtype),
                                     cast(sample_values({2, keys, 3}, -1, 1, 3), dtype)};
        Values unit(static_cast<std::size_t>(keys * keys));
        for (std::int64_t i = 0; i < keys; ++i) unit[static_cast<std::size_t>(i * keys + i)] = 1;
        const Tensor identity = cast(tensor(unit, {keys, keys}), dtype);
        const auto attend = [&](const Tensor& q, const Tensor& k, const Tensor& v, bool drops) {
            Generator noise(5);
            return scaled_dot_product_attention(q, k, v,
                                                {.scale = 0.5, .dropout = p, .noise = drops ? &noise : nullptr});
        };
        // With the identity for values the results are the weights.
        const Values kept = elements(attend(in[0], in[1], identity, true)),
                     weights = elements(attend(in[0], in[1], identity, false));
        Values factors(kept.size());
        double dropped = 0;
        for (std::size_t i = 0; i < kept.size(); ++i) {
            factors[i] = kept[i] == 0 ? 0 : 1 / (1 - p);
            dropped += kept[i] == 0;
            CHECK(kept[i] == doctest::Approx(weights[i] * factors[i]).epsilon(1e-5));
        }
        const auto count = static_cast<double>(kept.size());
        CHECK(std::abs(dropped / count - p) < 5 * std::sqrt(p * (1 - p) / count));
        // No two of the blocks of both matrices draw the same numbers.
        const auto row = [&](std::int64_t i) {
            return Values(factors.begin() + i * keys, factors.begin() + (i + 1) * keys);
        };
        for (const std::int64_t i : {1, 46, 92, 100, 146, 192}) CHECK(row(0) != row(i));

        const Tensor mask = cast(tensor(factors, {2, queries, keys}), dtype);
        const auto want = [&](const auto& x) { return attention_of_ops(x, 0.5, {}, mask); };
        const auto got = [&](const auto& x) { return attend(x[0], x[1], x[2], true); };
        const Tensor y = want(in), ct = cotangent_of(y);
        const std::vector<Tensor> slopes = gradients(want, in, ct);
        for (const int threads : {1, 3}) {
            const Threads several(threads);
            check_close(got(in), elements(y), 64, 0.1);
            const std::vector<Tensor> own = gradients(got, in, ct);
            for (std::size_t i = 0; i < 3; ++i) check_close(own[i], elements(slopes[i]), 64, 0.5);
        }
        // A recorded pass draws them anew as well.
        Tape tape;
        for (const Tensor& x : in) tape.watch(x);
        const std::vector<Tensor> recorded = tape.gradient(got(in), in, {.create_graph = true, .cotangent = ct});
        for (std::size_t i = 0; i < 3; ++i) check_close(recorded[i], elements(slopes[i]), 64, 0.5);
    }
    Generator noise(5);
    const Tensor x = ones({2, 3, 4});
    const auto draw = [&] {
        return elements(scaled_dot_product_attention(x, x, x, {.dropout = 0.5, .noise = &noise}));
    };
    const Values first = draw();
    CHECK(noise.position() > 0);
    CHECK(draw() != first);
    CHECK(elements(scaled_dot_product_attention(x, x, x, {.dropout = 0.5})) == Values(24, 1));
}

TEST_CASE("scaled_dot_product_attention: in a checkpoint it drops the same weights again, on other threads too") {
    const Tensor x = cast(sample_values({3, 90, 8}, -1, 1, 4), Dtype::float32);
    const auto run = [&](bool checkpoints, int forward_threads, int backward_threads) {
        Generator noise(1);
        const auto f = [&](const Tensor& z) {
            return scaled_dot_product_attention(z, z, z, {.dropout = 0.4, .noise = &noise});
        };
        const Threads forward(forward_threads);
        Tape tape;
        tape.watch(x);
        const Tensor y = checkpoints ? checkpoint(f, x) : f(x);
        const Threads backward(backward_threads);
        const Tensor gradient = tape.gradient(y, x, {.cotangent = cotangent_of(x)});
        return std::pair{elements(gradient), noise.position()};
    };
    const auto [plain, position] = run(false, 1, 1);
    for (const auto& [forward, backward] : {std::pair{1, 1}, {2, 1}, {1, 3}, {3, 2}}) {
        const auto [gradient, end] = run(true, forward, backward);
        CHECK(end == position);
        check_close(tensor(gradient, x.shape()), plain, 1e6, 1e-2);  // float32's digits
    }
}

TEST_CASE("scaled_dot_product_attention: the scores of all queries are never held") {
    constexpr std::int64_t length = 1500, features = 8, element = 8;
    const std::vector<Tensor> in{sample_values({length, features}, -1, 1, 1),
                                 sample_values({length, features}, -1, 1, 2),
                                 sample_values({length, features}, -1, 1, 3)};
    const auto held = [](const auto& f) {
        reset_peak_live_bytes();
        const std::int64_t before = allocator_statistics().live_bytes;
        f();
        return allocator_statistics().peak_live_bytes - before;
    };
    const Threads threads(1);
    Tape tape;
    for (const Tensor& x : in) tape.watch(x);
    Tensor y;
    CHECK(held([&] { y = scaled_dot_product_attention(in[0], in[1], in[2], {.causal = true}); }) <
          length * length * element / 16);
    const Tensor ct = cotangent_of(y);
    CHECK(held([&] { tape.gradient(y, in, {.cotangent = ct}); }) < length * length * element / 16);
}

TEST_CASE("scaled_dot_product_attention: what does not fit is refused, with the caller's line") {
    const Tensor q = zeros({2, 3, 4}), k = zeros({2, 5, 4}), v = zeros({2, 5, 6});
    check_refused<ShapeError>(
        "scaled_dot_product_attention: q, k and v must have two axes or more, not be [4], [2, 5, 4] and [2, 5, 6]",
        [&] { scaled_dot_product_attention(zeros({4}), k, v); });
    check_refused<ShapeError>("scaled_dot_product_attention: q [2, 3, 4] and k [2, 5, 3] differ in features (4 != 3)",
                              [&] {
                                  scaled_dot_product_attention(q, zeros({2, 5, 3}), v);
                              });
    check_refused<ShapeError>(
        "scaled_dot_product_attention: v [2, 4, 6] has not a row for each of k [2, 5, 4] (4 != 5)", [&] {
            scaled_dot_product_attention(q, k, zeros({2, 4, 6}));
        });
    check_refused<ShapeError>(
        "scaled_dot_product_attention: the leading axes of q [2, 3, 4] and v [3, 5, 6] do not broadcast", [&] {
            scaled_dot_product_attention(q, k, zeros({3, 5, 6}));
        });
    check_refused<ShapeError>("scaled_dot_product_attention: causal: q [2, 3, 4] has more rows than k [1, 4]", [&] {
        scaled_dot_product_attention(q, zeros({1, 4}), zeros({1, 6}), {.causal = true});
    });
    check_refused<ShapeError>("scaled_dot_product_attention: the mask [2, 4] does not fit the scores [2, 3, 5]", [&] {
        scaled_dot_product_attention(q, k, v, {.mask = zeros({2, 4})});
    });
    check_refused<DtypeError>(
        "scaled_dot_product_attention: operands must be float32 or float64 and alike: q float32, mask float64", [&] {
            scaled_dot_product_attention(q, k, v, {.mask = zeros({3, 5}, Dtype::float64)});
        });
    check_refused<DtypeError>(
        "scaled_dot_product_attention: operands must be float32 or float64 and alike: q int64, k int64", [&] {
            scaled_dot_product_attention(zeros({1, 1}, Dtype::int64), zeros({1, 1}, Dtype::int64), v);
        });
    check_refused<ValueError>("scaled_dot_product_attention: dropout is 1, outside [0, 1)",
                              [&] { scaled_dot_product_attention(q, k, v, {.dropout = 1}); });
    check_refused<ValueError>("scaled_dot_product_attention: operand 1 is an undefined tensor",
                              [&] { scaled_dot_product_attention(q, Tensor(), v); });
}
