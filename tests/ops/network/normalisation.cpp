#include <wengert/ops/network/normalisation.hpp>

#include "ops/brute_force.hpp"

using namespace brute_force;

namespace {

/// Compares y with x normalised within parts: `part(index)` numbers the part of an element, `channel(index)` its
/// weight.
template <class Part, class Channel>
void check_normalised(const Tensor& y, const Tensor& x, const Tensor& weight, const Tensor& bias, double eps,
                      bool centered, const Part& part, const Channel& channel) {
    REQUIRE(y.shape() == x.shape());
    std::vector<Values> parts(static_cast<std::size_t>(x.numel() + 1));
    for_each_index(x.shape(),
                   [&](const Shape& i) { parts[static_cast<std::size_t>(part(i))].push_back(element(x, i)); });
    for_each_index(x.shape(), [&](const Shape& i) {
        const Values& all = parts[static_cast<std::size_t>(part(i))];
        double mean = 0, squares = 0;
        for (const double v : all) mean += centered ? v / static_cast<double>(all.size()) : 0;
        for (const double v : all) squares += (v - mean) * (v - mean);
        double want = (element(x, i) - mean) / std::sqrt(squares / static_cast<double>(all.size()) + eps);
        if (weight.defined()) want *= element(weight, {channel(i)});
        if (bias.defined()) want += element(bias, {channel(i)});
        CHECK(element(y, i) == doctest::Approx(want).epsilon(x.dtype() == Dtype::float64 ? 1e-12 : 1e-5).scale(1));
    });
}

/// Calls f(x, weight, bias) for shapes, layouts, dtypes, with and without weight and bias of the length of `axis`.
template <class F>
void for_each_operand(const std::vector<Shape>& shapes, int axis, const F& f) {
    for (const Shape& shape : shapes)
        for (const Dtype dtype : {Dtype::float32, Dtype::float64})
            for (int layout = 0; layout < layouts; ++layout)
                for (const bool is_affine : {true, false}) {
                    CAPTURE(to_string(shape));
                    CAPTURE(layout);
                    const Shape each{shape[axis]};
                    const Tensor x = laid_out(shape, layout, 1, dtype, -2, 3);
                    f(x, is_affine ? laid_out(each, layout, 2, dtype) : Tensor(),
                      is_affine ? laid_out(each, layout, 3, dtype) : Tensor());
                }
}

}  // namespace

TEST_CASE("normalisation: of rows") {
    for_each_operand({{2, 3, 5}, {1, 1, 17}, {2, 0, 4}}, 2,
                     [](const Tensor& x, const Tensor& weight, const Tensor& bias) {
                         const auto row = [&](const Shape& i) { return i[0] * x.dim(1) + i[1]; };
                         const auto feature = [](const Shape& i) { return i[2]; };
                         check_normalised(layer_norm(x, weight, bias, 0.1), x, weight, bias, 0.1, true, row, feature);
                         check_normalised(layer_norm(x, weight, {}), x, weight, {}, 1e-5, true, row, feature);
                         check_normalised(rms_norm(x, weight, 0.1), x, weight, {}, 0.1, false, row, feature);
                         check_normalised(rms_norm(x, weight), x, weight, {}, 0x1p-23, false, row, feature);
                     });
    CHECK(elements(layer_norm(full({2, 3}, 4), {}, {})) == Values(6));
    CHECK(elements(rms_norm(zeros({2, 3}), {})) == Values(6));
}

TEST_CASE("normalisation: of groups of channels") {
    for_each_operand({{2, 4, 3, 2}, {3, 4, 1, 2}, {0, 4, 2, 2}, {2, 4, 5, 1}}, 1,
                     [](const Tensor& x, const Tensor& weight, const Tensor& bias) {
                         for (const std::int64_t groups : {1, 2, 4})
                             check_normalised(
                                 group_norm(x, groups, weight, bias, 0.1), x, weight, bias, 0.1, true,
                                 [&](const Shape& i) { return i[0] * groups + i[1] / (4 / groups); },
                                 [](const Shape& i) { return i[1]; });
                     });
    const Tensor rows = laid_out({3, 6}, 0, 1);
    CHECK(elements(group_norm(rows, 1, {}, {})) == elements(layer_norm(rows, {}, {})));
}

TEST_CASE("normalisation: of channels over the batch, which gives their mean and variance") {
    const auto channel = [](const Shape& i) { return i[1]; };
    for_each_operand({{4, 3}, {2, 3, 5}, {2, 3, 2, 4}, {1, 2, 2, 1}}, 1,
                     [&](const Tensor& x, const Tensor& weight, const Tensor& bias) {
                         const auto [y, mean, variance] = batch_norm(x, weight, bias, 0.1);
                         check_normalised(y, x, weight, bias, 0.1, true, channel, channel);
                         for (std::int64_t c = 0; c < x.dim(1); ++c) {
                             double sum = 0, squares = 0, n = 0;
                             for_each_index(x.shape(), [&](const Shape& i) {
                                 sum += i[1] == c ? element(x, i) : 0, n += i[1] == c;
                             });
                             for_each_index(x.shape(), [&](const Shape& i) {
                                 squares += i[1] == c ? std::pow(element(x, i) - sum / n, 2) : 0;
                             });
                             CHECK(element(mean, {c}) == doctest::Approx(sum / n).epsilon(1e-5).scale(1));
                             CHECK(element(variance, {c}) == doctest::Approx(squares / n).epsilon(1e-5).scale(1));
                         }
                         CHECK(mean.shape() == Shape{x.dim(1)});
                         // By these statistics it is the same.
                         const Tensor again = batch_norm(x, mean, variance, weight, bias, 0.1);
                         for_each_index(x.shape(), [&](const Shape& i) {
                             CHECK(element(again, i) == doctest::Approx(element(y, i)).epsilon(1e-5).scale(1));
                         });
                     });
    CHECK(batch_norm(zeros({0, 2, 3}), zeros({2}), ones({2}), {}, {}).shape() == Shape{0, 2, 3});
}

TEST_CASE("normalisation: what is far from zero keeps its digits") {
    const Tensor near = tensor({-1, 1, 3, -3}, {1, 4}), far = near + 4096.0;
    const Values want = elements(layer_norm(near, {}, {}));
    check_close(layer_norm(far, {}, {}), want, 8);
    check_close(group_norm(reshape(far, {1, 1, 4}), 1, {}, {}), want, 8);
    check_close(batch_norm(reshape(far, {4, 1}), {}, {}).outputs, want, 8);
}

TEST_CASE("normalisation: a NaN is seen in its part alone") {
    const Tensor x = tensor({1, not_a_number, 3, 4, 5, 6, 7, 8}, {2, 4});
    for (const Tensor& y :
         {layer_norm(x, {}, {}), rms_norm(x, {}), reshape(group_norm(reshape(x, {1, 2, 4}), 2, {}, {}), {2, 4})})
        for_each_index(y.shape(), [&](const Shape& i) { CHECK(std::isnan(element(y, i)) == (i[0] == 0)); });
    const Tensor channels = batch_norm(x, {}, {}).outputs;
    for_each_index(x.shape(), [&](const Shape& i) { CHECK(std::isnan(element(channels, i)) == (i[1] == 1)); });
}

TEST_CASE("normalisation: gradients over many rows, on one thread and several") {
    constexpr std::int64_t rows = 301, n = 37;
    for (const Dtype dtype : {Dtype::float32, Dtype::float64})
        for (const bool centered : {true, false})
            for (const int threads : {1, 3}) {
                const Threads scope(threads);
                const Tensor x = laid_out({rows, n}, 2, 1, dtype, -2, 3), weight = laid_out({n}, 3, 2, dtype);
                const Tensor bias = laid_out({n}, 0, 3, dtype), ct = laid_out({rows, n}, 1, 4, dtype);
                Values dx, dweight(n), dbias(n);
                for (std::int64_t r = 0; r < rows; ++r) {
                    double mean = 0, squares = 0, shift = 0, slope = 0;
                    for (std::int64_t i = 0; i < n; ++i) mean += centered ? element(x, {r, i}) / n : 0;
                    for (std::int64_t i = 0; i < n; ++i) squares += std::pow(element(x, {r, i}) - mean, 2);
                    const double scale = 1 / std::sqrt(squares / n + 0.1);
                    const auto y = [&](std::int64_t i) { return (element(x, {r, i}) - mean) * scale; };
                    const auto g = [&](std::int64_t i) { return element(ct, {r, i}) * element(weight, {i}); };
                    for (std::int64_t i = 0; i < n; ++i) {
                        shift += centered ? g(i) / n : 0;
                        slope += g(i) * y(i) / n;
                        dweight[static_cast<std::size_t>(i)] += element(ct, {r, i}) * y(i);
                        dbias[static_cast<std::size_t>(i)] += element(ct, {r, i});
                    }
                    for (std::int64_t i = 0; i < n; ++i) dx.push_back((g(i) - shift - y(i) * slope) * scale);
                }
                const auto f = [&](const std::vector<Tensor>& in) {
                    return centered ? layer_norm(in[0], in[1], in[2], 0.1) : rms_norm(in[0], in[1], 0.1) + in[2];
                };
                const auto by_parts = gradients(f, {x, weight, bias}, ct);
                check_close(by_parts[0], dx, 16, 1);
                check_close(by_parts[1], dweight, 64, 8);
                check_close(by_parts[2], dbias, 64, 8);
                // Into a part of a larger cotangent, on top of what is there.
                const Tensor all = stack(std::vector<Tensor>{x, x}, 1);
                const Tensor added = gradients(
                    [&](const auto& in) {
                        const Tensor part = select(in[0], 1, 1);
                        return part + f({part, weight, bias});
                    },
                    {all}, ct)[0];
                Values total = elements(ct);
                for (std::size_t i = 0; i < total.size(); ++i) total[i] += dx[i];
                check_close(select(added, 1, 1), total, 16, 1);
                CHECK(elements(select(added, 1, 0)) == Values(rows * n));
            }
}

TEST_CASE("normalisation: without a weight the bias alone, and the operands that nobody asks for") {
    const Tensor x = laid_out({5, 3}, 1, 1), bias = laid_out({3}, 0, 2), ct = laid_out({5, 3}, 0, 3);
    Values columns(3);
    for_each_index(ct.shape(), [&](const Shape& i) { columns[static_cast<std::size_t>(i[1])] += element(ct, i); });
    check_close(gradients([&](const auto& in) { return layer_norm(x, {}, in[0]); }, {bias}, ct)[0], columns, 4, 1);
    const Tensor weight = ones({3}, Dtype::float64);
    const auto by_x = [&](const Tensor& w, const Tensor& b) {
        return elements(gradients([&](const auto& in) { return layer_norm(in[0], w, b); }, {x}, ct)[0]);
    };
    CHECK(by_x({}, {}) == by_x(weight, bias));
    CHECK(by_x({}, bias) == by_x(weight, {}));
}

TEST_CASE("normalisation: what does not fit is refused with the caller's line") {
    const Tensor x = ones({2, 4, 3}), three = ones({3}), none;
    check_refused<ShapeError>("layer_norm: x must be [.., n], not []", [&] { layer_norm(scalar(1), none, none); });
    check_refused<ShapeError>("layer_norm: the weight must be [3] for x [2, 4, 3], not [4]",
                              [&] { layer_norm(x, ones({4}), none); });
    check_refused<ShapeError>("layer_norm: the bias must be [3] for x [2, 4, 3], not [1, 3]", [&] {
        layer_norm(x, three, ones({1, 3}));
    });
    check_refused<ShapeError>("rms_norm: the weight must be [3] for x [2, 4, 3], not [4]",
                              [&] { rms_norm(x, ones({4})); });
    check_refused<ShapeError>("group_norm: the weight must be [4] for x [2, 4, 3], not [3]",
                              [&] { group_norm(x, 2, three, none); });
    check_refused<ShapeError>("group_norm: 3 groups do not divide the channels of x [2, 4, 3]",
                              [&] { group_norm(x, 3, none, none); });
    check_refused<ShapeError>("group_norm: x must be [B, C, ..], not [3]", [&] { group_norm(three, 1, none, none); });
    check_refused<ValueError>("group_norm: groups is 0, less than 1", [&] { group_norm(x, 0, none, none); });
    check_refused<ShapeError>("batch_norm: the bias must be [4] for x [2, 4, 3], not [3]",
                              [&] { batch_norm(x, none, three); });
    check_refused<ShapeError>("batch_norm: the variance must be [4] for x [2, 4, 3], not [3]",
                              [&] { batch_norm(x, ones({4}), three, none, none); });
    check_refused<ShapeError>("batch_norm: x [1, 4] has 1 elements of each channel; statistics need 2 or more", [&] {
        batch_norm(ones({1, 4}), none, none);
    });
    check_refused<ValueError>("batch_norm: eps is -1, not 0 or more", [&] { batch_norm(x, none, none, -1); });
    check_refused<ValueError>("rms_norm: eps is nan, not 0 or more", [&] { rms_norm(x, none, not_a_number); });
    check_refused<DtypeError>("rms_norm: the operand is int64; float32 or float64 is needed",
                              [&] { rms_norm(arange(3), none); });
    check_refused<DtypeError>("layer_norm: the weight is float64, but x float32",
                              [&] { layer_norm(x, ones({3}, Dtype::float64), none); });
    check_refused<ValueError>("batch_norm: operand 1 is an undefined tensor",
                              [&] { batch_norm(x, none, ones({4}), none, none); });
}
