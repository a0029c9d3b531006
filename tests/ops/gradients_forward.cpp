// Mirrors no file: every op of the list, in forward mode.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <tuple>
#include <vector>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/autograd/transform/derivatives.hpp>
#include <wengert/ops/all_ops.hpp>
#include <wengert/ops/ops.hpp>

using namespace wengert;

namespace {

using Tensors = std::vector<Tensor>;

/// An op of a sample as a function of the floating inputs.
struct OfFloating {
    const Sample& sample;
    Tensors inputs;

    explicit OfFloating(const Sample& of) : sample(of) {
        for (const Tensor& x : sample.inputs)
            if (is_floating(x.dtype())) inputs.push_back(x);
    }
    Tensor operator()(const Tensors& in) const {
        Tensors all;
        std::size_t next = 0;
        for (const Tensor& x : sample.inputs) all.push_back(is_floating(x.dtype()) ? in[next++] : x);
        return sample.f(all);
    }
    Tensors directions(std::uint64_t seed) const {
        Tensors result;
        for (const Tensor& x : inputs) result.push_back(sample_values(x.shape(), -1, 1, seed++));
        return result;
    }
};

Tensor inner_product(const Tensors& a, const Tensors& b) {
    Tensor total = zeros({}, Dtype::float64);
    for (std::size_t i = 0; i < a.size(); ++i) total = total + sum(a[i] * b[i]);
    return total;
}

/// Equal, or both no numbers, as at the ends of a domain.
void check_equal(double a, double b, double tolerance) {
    CHECK((std::abs(a - b) <= tolerance * (1 + std::abs(a)) || (!std::isfinite(a) && !std::isfinite(b))));
}

bool is_missing(const NotDifferentiableError& error) {
    return std::string(error.what()).find("has no forward rule") != std::string::npos;
}

}  // namespace

TEST_CASE("gradients_forward: every op that has a forward rule is the transpose of its vjp") {
    std::set<std::string> without;
    for (const OpEntry& op : all_sampled()) {
        if (!op.differentiable) continue;
        CAPTURE(op.name);
        for (const Sample& sample : op.samples()) {
            CAPTURE(sample.label);
            const OfFloating f(sample);
            const Tensors directions = f.directions(41);
            try {
                const auto [value, tangent] = jvp(f, f.inputs, directions);
                CHECK(value.to_vector<double>().size() == tangent.to_vector<double>().size());
                const Tensor cotangent = sample_values(value.shape(), -1, 1, 77);
                const Tensors gradients = vjp(f, f.inputs, cotangent);
                check_equal(sum(cotangent * tangent).item(), inner_product(gradients, directions).item(), 1e-10);
            } catch (const NotDifferentiableError& error) {
                if (!is_missing(error)) throw;
                without.insert(std::string(op.name));
            }
        }
    }
    std::string names;
    for (const std::string& name : without) names += ' ' + name;
    MESSAGE(without.size() << " ops without a forward rule:" << names);
    CHECK(without.empty());  // may only shrink
}

TEST_CASE("gradients_forward: second derivatives are the same by either mode of either") {
    for (const OpEntry& op : all_sampled()) {
        if (!op.differentiable) continue;
        CAPTURE(op.name);
        for (const Sample& sample : op.samples()) {
            if (sample.label == "extremes") continue;
            CAPTURE(sample.label);
            const OfFloating f(sample);
            const Tensors v = f.directions(43), w = f.directions(53);
            const Tensor cotangent = sample_values(f(f.inputs).shape(), -1, 1, 77);
            const auto scalar = [&](const Tensors& in) { return sum(f(in) * cotangent); };
            const auto slope = [&](const Tensors& in) { return inner_product(grad(scalar, in), v); };
            try {
                const double expected = inner_product(grad(slope, f.inputs), w).item();
                check_equal(jvp(slope, f.inputs, w).tangent.item(), expected, 1e-8);
                const auto forward = [&](const Tensors& in) { return jvp(scalar, in, v).tangent; };
                check_equal(inner_product(grad(forward, f.inputs), w).item(), expected, 1e-8);
                check_equal(jvp(forward, f.inputs, w).tangent.item(), expected, 1e-8);
            } catch (const NotDifferentiableError& error) {
                if (!is_missing(error)) throw;
            }
        }
    }
}

TEST_CASE("gradients_forward: tangents with other strides than their operands, and of stretched ones") {
    const Tensor x = tensor({1, 2, 3, 4, 5, 6}, {2, 3}, Dtype::float64);
    const Tensor t = transpose(tensor({1, 2, 3, 4, 5, 6}, {3, 2}, Dtype::float64));
    const auto flat = [](const Tensor& z) { return reshape(z, {6}); };
    CHECK(jvp(flat, x, t).tangent.to_vector<double>() == std::vector<double>{1, 3, 5, 2, 4, 6});
    const Tensor row = tensor({1, 2, 3}, Dtype::float64), along = tensor({1, 0, -1}, Dtype::float64);
    CHECK(jvp([&](const Tensor& z) { return z + x; }, row, along).tangent.to_vector<double>() ==
          std::vector<double>{1, 0, -1, 1, 0, -1});
    CHECK(jvp([&](const Tensor& z) { return sum(z * x, 1); }, row, along).tangent.to_vector<double>() ==
          std::vector<double>{-2, -2});
    const auto both = [&](const Tensor& z) {
        const auto [a, b] = map([](auto p, auto q) { return std::tuple{p + q, 2.0 * q}; }, z, x);
        return a * b;
    };
    const std::vector<double> tangent = jvp(both, row, along).tangent.to_vector<double>();
    for (std::size_t i = 0; i < 6; ++i)
        CHECK(tangent[i] == (1.0 - static_cast<double>(i % 3)) * 2 * (1.0 + static_cast<double>(i)));
    const auto of_float = jvp([](const Tensor& z) { return exp(z) * 2.0; }, tensor({0, 0}), tensor({1, 3})).tangent;
    CHECK(of_float.dtype() == Dtype::float32);
    CHECK(of_float.to_vector<double>() == std::vector<double>{2, 6});
}

TEST_CASE("gradients_forward: infinities, ties and empty tensors") {
    const double infinity = std::numeric_limits<double>::infinity();
    const Tensor x = tensor({infinity, 1}, {1, 2}, Dtype::float64), w = ones({2, 2}, Dtype::float64);
    const Tensor bias = zeros({2}, Dtype::float64), along = tensor({3, 4}, Dtype::float64);
    CHECK(jvp([&](const Tensor& b) { return linear(x, w, b); }, bias, along).tangent.to_vector<double>() ==
          std::vector<double>{3, 4});
    const Tensor scores = tensor({0, -infinity, 0, -infinity, -infinity, -infinity}, {2, 3}, Dtype::float64);
    const Tensor t = tensor({1, 2, 3, 4, 5, 6}, {2, 3}, Dtype::float64);
    const auto probabilities = [](const Tensor& z) { return softmax(z); };
    CHECK(jvp(probabilities, scores, t).tangent.to_vector<double>() == std::vector<double>{-0.5, 0, 0.5, 0, 0, 0});
    const Tensor tied = tensor({2, 5, 5}, Dtype::float64), v = tensor({1, 2, 4}, Dtype::float64);
    CHECK(jvp([](const Tensor& z) { return max(z); }, tied, v).tangent.item() == 2);
    CHECK(jvp([](const Tensor& z) { return amax(z); }, tied, v).tangent.item() == 3);
    const Tensor none = Tensor::empty({0, 3, 3}, Dtype::float64);
    const auto shape_of = [&](const auto& f) { return jvp(f, none, none).tangent.shape(); };
    CHECK(shape_of([](const Tensor& z) { return qr(z).r; }) == Shape{0, 3, 3});
    CHECK(shape_of([](const Tensor& z) { return svd(z).s; }) == Shape{0, 3});
    CHECK(shape_of([](const Tensor& z) { return eigh(z).vectors; }) == Shape{0, 3, 3});
    CHECK(shape_of([](const Tensor& z) { return sum(z, 0); }) == Shape{3, 3});
    CHECK(shape_of([](const Tensor& z) { return matmul(z, z); }) == Shape{0, 3, 3});
}

TEST_CASE("gradients_forward: the weights of classes are constants") {
    const Tensor logits = ones({1, 2}, Dtype::float64), labels = arange(1), w = ones({2}, Dtype::float64);
    const auto f = [&](const Tensor& z) { return cross_entropy(logits, labels, {.weight = z}); };
    try {
        jvp(f, w, w);
        FAIL_CHECK("nothing was thrown");
    } catch (const NotDifferentiableError& error) {
        CHECK(std::string(error.what()).starts_with("cross_entropy: the weights of the classes are constants here"));
    }
}
