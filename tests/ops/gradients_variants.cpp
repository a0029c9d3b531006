// Mirrors no file: the samples of every op in another dtype and with other strides.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/ops/all_ops.hpp>
#include <wengert/ops/ops.hpp>

using namespace wengert;

namespace {

using Tensors = std::vector<Tensor>;

void for_each_differentiable_sample(const std::function<void(const Sample&)>& visit) {
    for (const OpEntry& op : all_sampled()) {
        if (!op.differentiable) continue;
        CAPTURE(op.name);
        for (const Sample& sample : op.samples()) {
            CAPTURE(sample.label);
            visit(sample);
        }
    }
}

/// The result, and the gradients of the floating inputs after `change`.
Tensors result_and_gradients(const Sample& sample, const std::function<Tensor(const Tensor&)>& change) {
    Tape tape;
    Tensors inputs, moving;
    for (const Tensor& x : sample.inputs) {
        inputs.push_back(change(x));
        if (!is_floating(x.dtype())) continue;
        tape.watch(inputs.back());
        moving.push_back(inputs.back());
    }
    const Tensor result = sample.f(inputs);
    const Tensor cotangent = convert(sample_values(result.shape(), -1, 1, 7), result.dtype());
    Tensors all = tape.gradient(result, moving, {.cotangent = cotangent});
    all.insert(all.begin(), result);
    return all;
}

/// Compared with the largest number of the tensor: one that cancels is as exact as its terms.
void check_close(const Tensor& a, const Tensor& expected, double tolerance) {
    const std::vector<double> p = a.to_vector<double>(), q = expected.to_vector<double>();
    REQUIRE(p.size() == q.size());
    double scale = 1e-30;
    for (const double v : q)
        if (std::isfinite(v)) scale = std::max(scale, std::abs(v));
    for (std::size_t i = 0; i < p.size(); ++i)
        CHECK((std::abs(p[i] - q[i]) <= tolerance * scale || p[i] == q[i] || (std::isnan(p[i]) && std::isnan(q[i]))));
}

void compare_variant(const std::function<Tensor(const Tensor&)>& change, double tolerance, bool with_extremes) {
    for_each_differentiable_sample([&](const Sample& sample) {
        if (sample.label == "extremes" && !with_extremes) return;
        const Tensors expected = result_and_gradients(sample, [](const Tensor& x) { return x.clone(); });
        const Tensors found = result_and_gradients(sample, change);
        for (std::size_t k = 0; k < expected.size(); ++k) {
            CAPTURE(k);
            CHECK(found[k].shape() == expected[k].shape());
            check_close(found[k], expected[k], tolerance);
        }
    });
}

}  // namespace

TEST_CASE("gradients_variants: every op has in float32 the result and the gradients of float64") {
    const auto narrow = [](const Tensor& x) { return is_floating(x.dtype()) ? convert(x, Dtype::float32) : x; };
    compare_variant(narrow, 1e-5, false);  // numbers at the ends of float64's range are none of float32
}

TEST_CASE("gradients_variants: every op reads inputs with gaps") {
    const auto with_gaps = [](const Tensor& x) {
        if (x.rank() == 0 || x.numel() == 0) return x.clone();
        const Tensor wide = stack({x, zeros(x.shape(), x.dtype())}, -1);
        return select(wide, -1, 0);
    };
    compare_variant(with_gaps, 1e-12, true);
}
