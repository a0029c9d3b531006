#include <wengert/ops/products/precision.hpp>

#include "ops/brute_force.hpp"

#include <bit>
#include <thread>
#include <wengert/ops/network/cross_entropy.hpp>
#include <wengert/ops/network/linear_cross_entropy.hpp>
#include <wengert/ops/products/internal/gemm.hpp>
#include <wengert/ops/products/linear.hpp>
#include <wengert/ops/products/matmul.hpp>
#include <wengert/ops/reduce/reductions.hpp>

using namespace brute_force;

namespace {

Tensor sample(const Shape& shape, std::uint64_t seed) {
    return cast(sample_values(shape, -1, 1, seed), Dtype::float32);
}
Tensor exact(const Tensor& x) { return cast(x, Dtype::float64); }

/// To the nearest number with 8 bits of mantissa, of two the even one.
float rounded(float x) {
    auto bits = std::bit_cast<std::uint32_t>(x);
    bits += 0x7fff + (bits >> 16 & 1);
    return std::bit_cast<float>(bits & 0xffff0000);
}
/// In float64, as a product reads it.
Tensor rounded(const Tensor& x) {
    Values values = elements(x);
    if (bfloat16_is_idle().empty())
        for (double& value : values) value = rounded(static_cast<float>(value));
    return tensor(values, x.shape());
}

/// Sums are float32's: only the operands are rounded.
void check_rounded(const Tensor& product, const Tensor& a, const Tensor& b) {
    check_close(product, elements(matmul(rounded(a), rounded(b))), 4, static_cast<double>(a.shape().back()));
}

}  // namespace

TEST_CASE("precision: a product is that of the rounded operands, whatever their layout") {
    const ProductPrecision precision(Precision::bfloat16);
    for (const auto& [m, k, n] : std::vector<std::array<std::int64_t, 3>>{
             {64, 128, 128}, {128, 128, 64}, {33, 257, 131}, {2, 1024, 513}, {1025, 17, 67}, {200, 1031, 7}}) {
        CAPTURE(m);
        CAPTURE(k);
        CAPTURE(n);
        const Tensor a = sample({m, k}, 1), b = sample({k, n}, 2), wide_a = sample({m, k + 3}, 3),
                     wide_b = sample({k, n + 5}, 4);
        check_rounded(matmul(a, b), a, b);
        const Tensor ta = transpose(transpose(a).clone()), tb = transpose(transpose(b).clone()),
                     sa = slice(wide_a, 1, 2, k + 2), sb = slice(wide_b, 1, 1, n + 1);
        check_rounded(matmul(ta, b), a, b);
        check_rounded(matmul(a, tb), a, b);
        check_rounded(matmul(ta, tb), a, b);
        check_rounded(matmul(sa, sb), sa, sb);
        check_rounded(linear(a, tb.clone().view({n, k}, {1, n}, 0)), a, b);
    }
}

TEST_CASE("precision: a weight's products are the same whether it is packed or not") {
    const ProductPrecision precision(Precision::bfloat16);
    Tensor weight = sample({512, 256}, 1).set_parameter();
    for (const std::int64_t rows : {1, 2, 9, 64, 256, 257}) {
        CAPTURE(rows);
        const Tensor x = sample({rows, 256}, 2), ct = sample({rows, 512}, 3);
        weight.copy_from(sample({512, 256}, 4));
        const Values first = elements(linear(x, weight)), first_ct = elements(matmul(ct, weight));
        for (int use = 0; use < 3; ++use) {
            CHECK(elements(linear(x, weight)) == first);
            CHECK(elements(matmul(ct, weight)) == first_ct);
        }
        if (rows * 512 * 256 >= 1 << 20) check_rounded(linear(x, weight), x, transpose(weight));
    }
}

TEST_CASE("precision: a weight's packed elements are of one precision") {
    Tensor weight = sample({256, 128}, 1).set_parameter();
    const Tensor x = sample({64, 128}, 2);
    Values in_float32, in_bfloat16;
    for (int use = 0; use < 3; ++use) {
        in_float32 = elements(linear(x, weight));
        check_close(linear(x, weight), elements(linear(exact(x), exact(weight))), 4, 128);
        const ProductPrecision precision(Precision::bfloat16);
        in_bfloat16 = elements(linear(x, weight));
        check_rounded(linear(x, weight), x, transpose(weight));
    }
    CHECK((in_float32 == in_bfloat16) == !bfloat16_is_idle().empty());
}

TEST_CASE("precision: where bfloat16 is idle, nothing changes") {
    if (bfloat16_is_idle().empty()) {
        MESSAGE("skipped: bfloat16 is not idle here");
        return;
    }
    const Tensor a = sample({64, 256}, 1), b = sample({256, 300}, 2);
    const Values in_float32 = elements(matmul(a, b));
    const ProductPrecision precision(Precision::bfloat16);
    CHECK(elements(matmul(a, b)) == in_float32);
}

TEST_CASE("precision: the scope ends, nests and is its thread's") {
    CHECK(ProductPrecision::current() == Precision::float32);
    {
        const ProductPrecision outer(Precision::bfloat16);
        {
            const ProductPrecision inner(Precision::float32);
            CHECK(ProductPrecision::current() == Precision::float32);
        }
        CHECK(ProductPrecision::current() == Precision::bfloat16);
        std::thread([] { CHECK(ProductPrecision::current() == Precision::float32); }).join();
    }
    CHECK(ProductPrecision::current() == Precision::float32);
}

TEST_CASE("precision: what gains nothing by rounding stays as it is") {
    const auto values = [](Precision p, const Tensor& a, const Tensor& b) {
        const ProductPrecision precision(p);
        return elements(matmul(a, b));
    };
    const auto check_same = [&](const Tensor& a, const Tensor& b) {
        CHECK(values(Precision::bfloat16, a, b) == values(Precision::float32, a, b));
    };
    check_same(sample({16, 64}, 1), sample({64, 64}, 2));
    check_same(sample({1, 1024}, 1), sample({1024, 1024}, 2));
    check_same(sample({1024, 1024}, 1), sample({1024, 1}, 2));
    check_same(sample({8, 128, 128}, 1), sample({8, 128, 128}, 2));
    check_same(sample_values({64, 256}, -1, 1, 1), sample_values({256, 128}, -1, 1, 2));
}

TEST_CASE("precision: derivatives are taken in the precision of their product") {
    const Tensor x = sample({64, 256}, 1), ct = sample({64, 128}, 3);
    Tensor weight = sample({128, 256}, 2).set_parameter();
    const auto with = [&](Precision forward, Precision backward) {
        Tape tape;
        tape.watch(x);
        Tensor loss;
        {
            const ProductPrecision precision(forward);
            loss = sum(ct * linear(x, weight));
        }
        const ProductPrecision precision(backward);
        return tape.gradient(loss, {x, weight});
    };
    const auto gradients = with(Precision::bfloat16, Precision::float32);
    check_rounded(gradients[0], ct, weight);
    check_rounded(gradients[1], transpose(ct), x);
    const auto plain = with(Precision::float32, Precision::bfloat16);
    check_close(plain[0], elements(matmul(exact(ct), exact(weight))), 4, 128);
    check_close(plain[1], elements(matmul(exact(transpose(ct)), exact(x))), 4, 64);
}

TEST_CASE("precision: products of a weight that is used at every step are added up in their precision") {
    Tensor weight = sample({128, 128}, 1).set_parameter();
    const auto step = [](int t) { return sample({64, 128}, 10 + static_cast<std::uint64_t>(t)); };
    const auto gradient = [&](const std::vector<Precision>& precisions) {
        Tape tape;
        Tensor loss = scalar(0);
        for (std::size_t t = 0; t < precisions.size(); ++t) {
            const ProductPrecision precision(precisions[t]);
            loss = loss + sum(step(static_cast<int>(t) + 20) * linear(step(static_cast<int>(t)), weight));
        }
        return tape.gradient(loss, weight);
    };
    for (const auto& precisions :
         {std::vector(5, Precision::bfloat16), std::vector(5, Precision::float32),
          std::vector{Precision::bfloat16, Precision::float32, Precision::bfloat16, Precision::float32}}) {
        Tensor want = zeros({128, 128}, Dtype::float64);
        for (std::size_t t = 0; t < precisions.size(); ++t) {
            const Tensor ct = step(static_cast<int>(t) + 20), x = step(static_cast<int>(t));
            const bool is_rounded = precisions[t] == Precision::bfloat16;
            want = want + matmul(transpose(is_rounded ? rounded(ct) : exact(ct)), is_rounded ? rounded(x) : exact(x));
        }
        check_close(gradient(precisions), elements(want), 4, 64 * static_cast<double>(precisions.size()));
    }
}

TEST_CASE("precision: joined products of every kind") {
    struct Kind {
        std::int64_t out, in, begin, end;
        std::vector<std::int64_t> rows;
    };
    for (const auto& [out, in, begin, end, rows] :
         {Kind{128, 128, 0, 128, {64, 0, 64}}, Kind{1100, 40, 0, 40, {17, 30, 1}},
          Kind{130, 200, 30, 170, {33, 33, 32}}, Kind{1, 300, 0, 300, {9, 8}}, Kind{2000, 200, 1, 200, {5, 3}}}) {
        CAPTURE(out);
        CAPTURE(in);
        const Tensor weight = sample({out, in}, 1).set_parameter();
        const ProductPrecision precision(Precision::bfloat16);
        std::vector<Tensor> xs, cts;
        std::uint64_t seed = 10;
        for (const std::int64_t n : rows) {
            xs.push_back(sample({n, end - begin}, ++seed));
            cts.push_back(transpose(sample({out, n}, ++seed)));
        }
        Tensor gradient;
        {
            Tape tape;
            const Tensor part = slice(weight, 1, begin, end);
            Tensor loss = scalar(0);
            for (std::size_t t = 0; t < rows.size(); ++t) loss = loss + sum(cts[t] * linear(xs[t], part));
            gradient = slice(tape.gradient(loss, weight), 1, begin, end);
        }
        const Tensor x = concat(xs, 0), ct = transpose(concat(cts, 0));
        if (out > 1)
            check_rounded(gradient, ct, x);
        else
            check_close(gradient, elements(matmul(exact(ct), exact(x))), 4, 32);
    }
}

TEST_CASE("precision: small products that are added up stay as they are") {
    for (const auto& [out, in, rows] : std::vector<std::array<std::int64_t, 3>>{{1, 1, 4}, {4, 4, 2}, {64, 64, 8}}) {
        const auto gradient = [&, out = out, in = in, rows = rows](Precision p) {
            const ProductPrecision precision(p);
            const Tensor weight = sample({out, in}, 1).set_parameter();
            Tape tape;
            Tensor loss = scalar(0);
            for (std::uint64_t t = 0; t < 3; ++t)
                loss = loss + sum(sample({rows, out}, 20 + t) * linear(sample({rows, in}, 10 + t), weight));
            return elements(tape.gradient(loss, weight));
        };
        CHECK(gradient(Precision::bfloat16) == gradient(Precision::float32));
    }
}

TEST_CASE("precision: gradients go into slices, transposes and sums of what is there") {
    const ProductPrecision precision(Precision::bfloat16);
    const Tensor x = sample({64, 300}, 1), b = sample({150, 200}, 2);
    const auto f = [](const Tensor& in, const Tensor& right) {
        const Tensor left = slice(in, 1, 0, 150), rest = slice(in, 1, 150, 300);
        return sum(matmul(left, right) * matmul(rest, right)) + sum(matmul(transpose(transpose(left)), right));
    };
    const auto gradients_of = [&](const Tensor& in, const Tensor& right) {
        Tape tape;
        tape.watch(in);
        tape.watch(right);
        return tape.gradient(f(in, right), {in, right});
    };
    const auto is = gradients_of(x, b), should = gradients_of(exact(x), exact(b));
    for (std::size_t i = 0; i < 2; ++i) {
        const Tensor error = exact(is[i]) - should[i];
        const double relative = std::sqrt(sum(error * error).item() / sum(should[i] * should[i]).item());
        CHECK(relative < 0x1p-7);
        if (bfloat16_is_idle().empty()) CHECK(relative > 0x1p-12);
    }
}

TEST_CASE("precision: second derivatives") {
    const Tensor weight = (sample({128, 128}, 1) * 0.1f).set_parameter(), x = sample({64, 128}, 2);
    const auto second = [](const Tensor& in, const Tensor& w, Precision p) {
        Tape tape;
        tape.watch(in);
        tape.watch(w);
        Tensor g;
        {
            const ProductPrecision precision(p);
            const Tensor loss = sum(tanh(linear(in, w)));
            g = tape.gradient(loss, in, {.create_graph = true});
        }
        return exact(tape.gradient(sum(g * g), w));
    };
    const Tensor should = second(exact(x), exact(weight), Precision::float32),
                 error = second(x, weight, Precision::bfloat16) - should;
    const double relative = std::sqrt(sum(error * error).item() / sum(should * should).item());
    CHECK(relative < 2 * 0x1p-8);  // of four products, one after another
    if (bfloat16_is_idle().empty()) CHECK(relative > 0x1p-12);
}

TEST_CASE("precision: linear_cross_entropy takes its logits and gradients in it") {
    const Tensor x = sample({96, 64}, 1), bias = sample({300}, 3);
    const Tensor weight = sample({300, 64}, 2);
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < 96; ++i) labels.push_back(i * 7 % 300);
    const auto run = [&](const Tensor& in, const Tensor& w, const Tensor& b, Precision p) {
        Tape tape;
        for (const Tensor& t : {in, w, b}) tape.watch(t);
        const ProductPrecision precision(p);
        const Tensor loss = linear_cross_entropy(in, w, b, ids(labels));
        auto result = tape.gradient(loss, {in, w, b});
        result.push_back(loss);
        return result;
    };
    const auto is = run(x, weight, bias, Precision::bfloat16),
               should = run(exact(x), exact(weight), exact(bias), Precision::float32);
    for (std::size_t i = 0; i < is.size(); ++i) {
        const Tensor error = exact(is[i]) - should[i];
        CHECK(std::sqrt(sum(error * error).item() / sum(should[i] * should[i]).item()) < 2 * 0x1p-7);
    }
}

TEST_CASE("precision: NaN, infinities and overflow behave as in float32, but for the ends of the range") {
    const float largest = std::numeric_limits<float>::max();
    const auto first_of = [](float left, float right, Precision p) {
        Tensor a = full({64, 256}, 0), b = full({256, 128}, 0);
        a.mutable_data<float>()[0] = left;
        b.mutable_data<float>()[0] = right;
        const ProductPrecision precision(p);
        const Tensor product = matmul(a, b);
        CHECK(product.data<float>()[129] == 0);
        return product.data<float>()[0];
    };
    const auto infinite = static_cast<float>(infinity), nan = static_cast<float>(not_a_number);
    for (const Precision p : {Precision::float32, Precision::bfloat16}) {
        CHECK(std::isnan(first_of(nan, 1, p)));
        CHECK(std::isnan(first_of(1, -nan, p)));
        CHECK(std::isnan(first_of(infinite, 0, p)));
        CHECK(first_of(infinite, -2, p) == -infinite);
        CHECK(first_of(-infinite, -infinite, p) == infinite);
        CHECK(first_of(0x1p100f, 0x1p100f, p) == infinite);
        CHECK(first_of(0x1p100f, 0x1p-100f, p) == 1);
        CHECK(first_of(0x1p-80f, 0x1p-80f, p) == 0);
        const bool is_rounded = p == Precision::bfloat16 && bfloat16_is_idle().empty();
        CHECK(first_of(largest, 0.5f, p) == (is_rounded ? infinite : 0.5f * largest));
        CHECK(first_of(0x1p-130f, 0x1p20f, p) == (is_rounded ? 0 : 0x1p-110f));
    }
    // Sums are float32's too.
    const ProductPrecision precision(Precision::bfloat16);
    CHECK(matmul(full({64, 256}, 0x1p63), full({256, 128}, 0x1p63)).data<float>()[0] == infinite);
    CHECK(matmul(full({64, 256}, 1), full({256, 128}, 1)).data<float>()[0] == 256);
}

TEST_CASE("precision: the same products give the same bits") {
    const ProductPrecision precision(Precision::bfloat16);
    const Tensor a = sample({200, 300}, 1), b = sample({300, 100}, 2);
    const Values first = elements(matmul(a, b));
    for (int run = 0; run < 10; ++run) CHECK(elements(matmul(a, b)) == first);
}
