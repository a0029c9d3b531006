// Mirrors no file: every op of the list, in forward mode.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
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
    for (const OpEntry& op : all_ops()) {
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
    for (const OpEntry& op : all_ops()) {
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
