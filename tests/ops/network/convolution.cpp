// Covers ops/network/size2d.hpp
#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/ops/network/convolution.hpp>

#include "ops/brute_force.hpp"

using namespace brute_force;

namespace {

/// One convolution, by its shapes: images x [B, C, H, W], filters [O, C / groups, kh, kw].
struct Case {
    Shape x, weight;
    Conv2dOptions options;
};

const std::vector<Case> cases{
    {{2, 3, 5, 4}, {4, 3, 3, 2}, {}},
    {{1, 2, 7, 9}, {3, 2, 2, 3}, {.stride = {2, 3}, .padding = {1, 2}, .dilation = {2, 1}}},
    {{2, 4, 4, 4}, {6, 2, 3, 3}, {.padding = 1, .groups = 2}},
    {{2, 3, 6, 5}, {3, 1, 3, 3}, {.stride = 2, .padding = 1, .groups = 3}},
    {{1, 3, 5, 5}, {6, 1, 2, 2}, {.dilation = 2, .groups = 3}},
    {{2, 3, 4, 5}, {5, 3, 1, 1}, {}},
    {{2, 4, 4, 5}, {2, 2, 1, 1}, {.groups = 2}},
    {{2, 3, 5, 5}, {2, 3, 1, 1}, {.stride = 2}},
    {{1, 2, 3, 3}, {2, 2, 3, 3}, {.padding = 3}},                           // windows that see padding alone
    {{1, 1, 1, 1}, {1, 1, 2, 3}, {.padding = {1, 5}, .dilation = {1, 4}}},  // a kernel that jumps over the image
    {{1, 2, 1, 1}, {3, 2, 1, 1}, {}},
    {{1, 70, 40, 33}, {3, 70, 3, 3}, {.padding = 1}},  // several blocks, which end within rows
    {{3, 9, 17, 16}, {33, 9, 3, 3}, {.stride = 2, .padding = 1}},
    {{1, 2, 5, 6}, {2, 2, 3, 3}, {.padding = 2, .dilation = 2}},  // results with rows as long as the images'
    {{2, 2, 5, 4}, {3, 2, 3, 3}, {.padding = {0, 1}}},
    {{2, 2, 2, 3}, {3, 2, 2, 5}, {.padding = {3, 2}}},
    {{1, 1, 2, 2}, {1, 1, 1, 7}, {.padding = {0, 3}}},
    {{0, 2, 3, 3}, {2, 2, 2, 2}, {}},
    {{2, 0, 3, 3}, {2, 0, 2, 2}, {}},
    {{2, 2, 3, 3}, {0, 2, 2, 2}, {}},
    {{1, 2, 0, 3}, {2, 2, 2, 2}, {.padding = 1}},  // nothing but padding
};

Shape result_shape(const Case& c) {
    const auto length = [](std::int64_t n, std::int64_t k, std::int64_t stride, std::int64_t padding,
                           std::int64_t dilation) {
        std::int64_t count = 0;
        for (std::int64_t begin = -padding; begin + dilation * (k - 1) < n + padding; begin += stride) ++count;
        return count;
    };
    const Conv2dOptions& o = c.options;
    return {c.x[0], c.weight[0], length(c.x[2], c.weight[2], o.stride.height, o.padding.height, o.dilation.height),
            length(c.x[3], c.weight[3], o.stride.width, o.padding.width, o.dilation.width)};
}

/// Calls f(x's index, the weight's, the result's) for each product of a convolution.
template <class F>
void for_each_product(const Case& c, const F& f) {
    const Conv2dOptions& o = c.options;
    const std::int64_t filters = c.weight[0] / o.groups;
    for_each_index(result_shape(c), [&](const Shape& y) {
        for_each_index({c.weight[1], c.weight[2], c.weight[3]}, [&](const Shape& k) {
            const Shape x{y[0], y[1] / filters * c.weight[1] + k[0],
                          y[2] * o.stride.height + k[1] * o.dilation.height - o.padding.height,
                          y[3] * o.stride.width + k[2] * o.dilation.width - o.padding.width};
            if (x[2] >= 0 && x[2] < c.x[2] && x[3] >= 0 && x[3] < c.x[3]) f(x, Shape{y[1], k[0], k[1], k[2]}, y);
        });
    });
}

/// Sums of products by their places in a tensor of that shape.
class Sums {
  public:
    explicit Sums(const Shape& shape)
        : strides_(contiguous_strides(shape)), values(static_cast<std::size_t>(shape.numel())) {}
    double& operator[](const Shape& index) {
        std::int64_t place = 0;
        for (int axis = 0; axis < index.rank(); ++axis) place += index[axis] * strides_[axis];
        return values[static_cast<std::size_t>(place)];
    }

  private:
    Shape strides_;

  public:
    Values values;
};

/// Sums of so many products of numbers up to 1 differ by rounding.
double rounding(Dtype dtype) { return dtype == Dtype::float64 ? 1e-12 : 2e-4; }

void check_sums(const Tensor& got, const Values& want) {
    const Values is = elements(got);
    REQUIRE(is.size() == want.size());
    for (std::size_t i = 0; i < is.size(); ++i)
        if (is[i] != doctest::Approx(want[i]).epsilon(rounding(got.dtype())).scale(1))
            FAIL_CHECK("element " << i << " of " << to_string(got.shape()) << " is " << is[i] << ", not " << want[i]);
}

/// Calls f(case, layout, dtype) for all of them.
template <class F>
void for_each_case(const F& f) {
    for (const Case& c : cases)
        for (const Dtype dtype : {Dtype::float32, Dtype::float64})
            for (int layout = 0; layout < layouts; ++layout) {
                CAPTURE(to_string(c.x));
                CAPTURE(to_string(c.weight));
                CAPTURE(to_string(dtype));
                CAPTURE(layout);
                f(c, layout, dtype);
            }
}

}  // namespace

TEST_CASE("convolution: is the sum of products, however the operands lie") {
    for_each_case([](const Case& c, int layout, Dtype dtype) {
        const Tensor x = laid_out(c.x, layout, 1, dtype), weight = laid_out(c.weight, layout, 2, dtype),
                     bias = laid_out({c.weight[0]}, layout, 3, dtype);
        Sums want(result_shape(c));
        for_each_product(
            c, [&](const Shape& i, const Shape& k, const Shape& y) { want[y] += element(x, i) * element(weight, k); });
        const Tensor plain = conv2d(x, weight, c.options);
        CHECK(plain.shape() == result_shape(c));
        CHECK(plain.dtype() == dtype);
        check_sums(plain, want.values);
        for_each_index(result_shape(c), [&](const Shape& y) { want[y] += element(bias, {y[1]}); });
        check_sums(conv2d(x, weight, bias, c.options), want.values);
    });
}

TEST_CASE("convolution: the transposed one adds what each element gives") {
    for_each_case([](const Case& c, int layout, Dtype dtype) {
        const Shape from = result_shape(c);
        const Tensor x = laid_out(from, layout, 1, dtype), weight = laid_out(c.weight, layout, 2, dtype),
                     bias = laid_out({c.x[1]}, layout, 3, dtype);
        const Conv2dOptions& o = c.options;
        // The rows and columns at the end that no kernel reaches.
        const auto left = [](std::int64_t n, std::int64_t k, std::int64_t stride, std::int64_t padding,
                             std::int64_t dilation) { return (n + 2 * padding - dilation * (k - 1) - 1) % stride; };
        const ConvTranspose2dOptions options{
            o.stride,
            o.padding,
            {left(c.x[2], c.weight[2], o.stride.height, o.padding.height, o.dilation.height),
             left(c.x[3], c.weight[3], o.stride.width, o.padding.width, o.dilation.width)},
            o.dilation,
            o.groups};
        if (c.x[2] == 0) return;  // no image comes from nothing
        Sums want(c.x);
        for_each_product(
            c, [&](const Shape& i, const Shape& k, const Shape& y) { want[i] += element(x, y) * element(weight, k); });
        const Tensor plain = conv_transpose2d(x, weight, options);
        CHECK(plain.shape() == c.x);
        check_sums(plain, want.values);
        for_each_index(c.x, [&](const Shape& i) { want[i] += element(bias, {i[1]}); });
        check_sums(conv_transpose2d(x, weight, bias, options), want.values);
    });
}

TEST_CASE("convolution: the derivative by the weight sums over images and positions") {
    for_each_case([](const Case& c, int layout, Dtype dtype) {
        const Tensor x = laid_out(c.x, layout, 1, dtype), ct = laid_out(result_shape(c), layout, 2, dtype);
        Sums want(c.weight);
        for_each_product(
            c, [&](const Shape& i, const Shape& k, const Shape& y) { want[k] += element(x, i) * element(ct, y); });
        const Tensor weight = conv2d_weight(x, ct, {c.weight[2], c.weight[3]}, c.options);
        CHECK(weight.shape() == c.weight);
        check_sums(weight, want.values);
    });
}

TEST_CASE("convolution: gradients are those sums too, and that of the bias is the cotangent's") {
    for (const Case& c : cases) {
        CAPTURE(to_string(c.x));
        CAPTURE(to_string(c.weight));
        const Tensor x = laid_out(c.x, 1, 1), weight = laid_out(c.weight, 0, 2), bias = laid_out({c.weight[0]}, 0, 3);
        const Tensor ct = laid_out(result_shape(c), 2, 4);
        const std::vector<Tensor> got =
            gradients([&](const auto& in) { return conv2d(in[0], in[1], in[2], c.options); }, {x, weight, bias}, ct);
        Sums of_x(c.x), of_weight(c.weight), of_bias({c.weight[0]});
        for_each_product(c, [&](const Shape& i, const Shape& k, const Shape& y) {
            of_x[i] += element(ct, y) * element(weight, k);
            of_weight[k] += element(ct, y) * element(x, i);
        });
        for_each_index(result_shape(c), [&](const Shape& y) { of_bias[{y[1]}] += element(ct, y); });
        check_sums(got[0], of_x.values);
        check_sums(got[1], of_weight.values);
        check_sums(got[2], of_bias.values);
    }
}

TEST_CASE("convolution: along one axis it is that of images of height 1") {
    const Tensor x = laid_out({2, 4, 11}, 3, 1), weight = laid_out({6, 2, 3}, 1, 2), bias = laid_out({6}, 0, 3);
    const auto as_image = [](const Tensor& t) { return unsqueeze(t, 2); };
    const Tensor y = conv1d(x, weight, bias, {.stride = 2, .padding = 3, .dilation = 2, .groups = 2});
    const Tensor want = conv2d(as_image(x), as_image(weight), bias,
                               {.stride = {1, 2}, .padding = {0, 3}, .dilation = {1, 2}, .groups = 2});
    CHECK(y.shape() == Shape{2, 6, 7});
    CHECK(elements(y) == elements(want));
    const Tensor back =
        conv_transpose1d(y, weight, {.stride = 2, .padding = 3, .output_padding = 0, .dilation = 2, .groups = 2});
    CHECK(back.shape() == Shape{2, 4, 11});
    CHECK(elements(back) ==
          elements(conv_transpose2d(as_image(y), as_image(weight),
                                    {.stride = {1, 2}, .padding = {0, 3}, .dilation = {1, 2}, .groups = 2})));
    CHECK(elements(conv1d(x, weight, {.groups = 2})) == elements(conv2d(as_image(x), as_image(weight), {.groups = 2})));
    CHECK(conv_transpose1d(y, weight, slice(bias, 0, 0, 4), {.groups = 2}).shape() == Shape{2, 4, 9});
}

TEST_CASE("convolution: any number of threads gives the same sums") {
    struct Shapes {
        Shape x, weight;
        std::int64_t groups;
    };
    for (const auto& [shape, filters, groups] : {Shapes{{3, 8, 20, 20}, {12, 4, 3, 3}, 2},
                                                 {{3, 16, 24, 24}, {32, 16, 3, 3}, 1},
                                                 {{2, 40, 20, 20}, {40, 40, 1, 1}, 1}})
        for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
            const Tensor x = laid_out(shape, 0, 1, dtype), weight = laid_out(filters, 0, 2, dtype),
                         bias = laid_out({filters[0]}, 0, 3, dtype);
            const auto all = [&, groups = groups](const Tensor& images) {
                const auto f = [groups](const auto& in) {
                    return conv2d(in[0], in[1], in[2], {.padding = 1, .groups = groups});
                };
                const Tensor y = f(std::vector{images, weight, bias});
                std::vector<Tensor> results = gradients(f, {images, weight, bias}, cotangent_of(y));
                results.push_back(y);
                return results;
            };
            for (const Tensor& images : {x, Tensor(slice(x, 0, 0, 1))}) {
                std::vector<Tensor> one;
                {
                    const Threads threads(1);
                    one = all(images);
                }
                for (const int count : {2, 3, 7}) {
                    const Threads threads(count);
                    const std::vector<Tensor> several = all(images);
                    for (std::size_t i = 0; i < one.size(); ++i) check_sums(several[i], elements(one[i]));
                }
            }
        }
}

TEST_CASE("convolution: large ones in float32, whose kernels are a library's, are those in float64") {
    for (const Case& c :
         {Case{{2, 8, 12, 13}, {16, 8, 3, 3}, {.padding = 1}}, Case{{3, 5, 17, 9}, {7, 5, 4, 2}, {.padding = {2, 0}}},
          Case{{2, 16, 15, 16}, {24, 16, 3, 3}, {.stride = {2, 3}, .padding = 1}},
          Case{{2, 32, 16, 16}, {32, 1, 5, 5}, {.padding = 2, .groups = 32}},
          Case{{2, 9, 16, 16}, {12, 3, 3, 3}, {.stride = 2, .groups = 3}},
          Case{{1, 6, 20, 20}, {20, 6, 3, 3}, {.padding = 2, .dilation = {2, 3}}},
          Case{{4, 12, 1, 60}, {8, 12, 1, 5}, {.padding = {0, 4}, .dilation = {1, 2}}}}) {
        CAPTURE(to_string(c.x));
        const Tensor x = laid_out(c.x, 2, 1, Dtype::float32), weight = laid_out(c.weight, 1, 2, Dtype::float32),
                     bias = laid_out({c.weight[0]}, 0, 3, Dtype::float32),
                     ct = laid_out(result_shape(c), 0, 4, Dtype::float32),
                     back_bias = laid_out({c.x[1]}, 0, 5, Dtype::float32);
        const Conv2dOptions& o = c.options;
        const auto results = [&](Dtype dtype) {
            const auto in = [&](const Tensor& t) { return cast(t, dtype); };
            const auto forth = [&](const auto& operands) { return conv2d(operands[0], operands[1], operands[2], o); };
            std::vector<Tensor> all = gradients(forth, {in(x), in(weight), in(bias)}, in(ct));
            all.push_back(conv2d(in(x), in(weight), in(bias), o));
            all.push_back(conv_transpose2d(
                in(ct), in(weight), in(back_bias),
                {.stride = o.stride, .padding = o.padding, .dilation = o.dilation, .groups = o.groups}));
            return all;
        };
        const std::vector<Tensor> got = results(Dtype::float32), want = results(Dtype::float64);
        for (std::size_t i = 0; i < want.size(); ++i) {
            CAPTURE(i);
            check_sums(got[i], elements(want[i]));
        }
    }
}

TEST_CASE("convolution: a NaN of a large one shows where a filter sees it, and nowhere else") {
    Tensor x = ones({2, 5, 16, 16}), weight = ones({9, 5, 3, 3});
    x.mutable_data<float>()[(5 + 2) * 256 + 3 * 16 + 4] = static_cast<float>(infinity);  // image 1, row 3, column 4
    weight.mutable_data<float>()[8 * 45] = static_cast<float>(not_a_number);             // of the last filter
    const Tensor y = conv2d(x, weight, {.padding = 1});
    for_each_index(y.shape(), [&](const Shape& at) {
        const bool sees = at[0] == 1 && std::abs(at[2] - 3) <= 1 && std::abs(at[3] - 4) <= 1;
        CHECK(std::isinf(element(y, at)) == (sees && at[1] < 8));
        // The padding is zeros, which NaN makes NaN, too, if it is multiplied; the reference leaves it out.
        if (at[2] > 0 && at[3] > 0) CHECK(std::isnan(element(y, at)) == (at[1] == 8));
        if (at[1] < 8) CHECK_FALSE(std::isnan(element(y, at)));
    });
}

TEST_CASE("convolution: a NaN shows where a filter sees it, and nowhere else") {
    Tensor x = zeros({1, 2, 4, 4});
    x.mutable_data<float>()[16 + 5] = static_cast<float>(not_a_number);  // channel 1, row 1, column 1
    const Tensor all = conv2d(x, ones({3, 2, 2, 2})), own = conv2d(x, ones({2, 1, 2, 2}), {.groups = 2});
    for_each_index(all.shape(),
                   [&](const Shape& y) { CHECK(std::isnan(element(all, y)) == (y[2] <= 1 && y[3] <= 1)); });
    for_each_index(own.shape(), [&](const Shape& y) {
        CHECK(std::isnan(element(own, y)) == (y[1] == 1 && y[2] <= 1 && y[3] <= 1));
    });
}

TEST_CASE("convolution: operands that are one tensor, and a weight that is used twice") {
    const Tensor x = laid_out({2, 2, 3, 3}, 0, 1);
    for (const int order : {1, 2}) {
        const GradcheckResult same =
            gradcheck([](const auto& in) { return conv2d(in[0], in[0], {.padding = 2}); }, {x}, {.order = order});
        CHECK_MESSAGE(same.passed, same.message);
        const GradcheckResult twice = gradcheck(
            [](const auto& in) { return conv2d(tanh(conv2d(in[0], in[1], {.padding = 1})), in[1], {.padding = 1}); },
            {x, laid_out({2, 2, 3, 3}, 0, 2)}, {.order = order});
        CHECK_MESSAGE(twice.passed, twice.message);
    }
}

TEST_CASE("convolution: what does not fit is refused with the caller's line") {
    const Tensor x = ones({2, 4, 5, 6}), weight = ones({6, 4, 3, 3});
    check_refused<ShapeError>("conv2d: x must be [B, C, H, W], not [4, 5, 6]", [&] {
        conv2d(ones({4, 5, 6}), weight);
    });
    check_refused<ShapeError>("conv2d: the weight must be [O, C / groups, kh, kw], not [6, 4, 3]", [&] {
        conv2d(x, ones({6, 4, 3}));
    });
    check_refused<ShapeError>("conv1d: x must be [B, C, L], not [2, 4, 5, 6]", [&] { conv1d(x, ones({6, 4, 3})); });
    check_refused<ShapeError>("conv_transpose1d: the weight must be [C, O / groups, k], not [6, 4, 3, 3]", [&] {
        conv_transpose1d(ones({2, 6, 5}), weight);
    });
    check_refused<ShapeError>(
        "conv2d: the channels of x [2, 4, 5, 6] and the weight [6, 3, 3, 3] do not fit in 1 groups", [&] {
            conv2d(x, ones({6, 3, 3, 3}));
        });
    check_refused<ShapeError>(
        "conv2d: the channels of x [2, 4, 5, 6] and the weight [5, 2, 3, 3] do not fit in 2 groups", [&] {
            conv2d(x, ones({5, 2, 3, 3}), {.groups = 2});
        });
    check_refused<ShapeError>("conv2d: the bias must be [6], not [4]", [&] { conv2d(x, weight, ones({4})); });
    check_refused<ShapeError>(
        "conv2d: a kernel of 3 x 3 with dilation 3 x 1 does not fit images of 5 x 6 with their padding", [&] {
            conv2d(x, weight, {.dilation = {3, 1}});
        });
    check_refused<ShapeError>("conv2d: a kernel of 0 x 1 is empty", [&] { conv2d(x, ones({6, 4, 0, 1})); });
    check_refused<ShapeError>(
        "conv2d: x [0, 1, 65536, 65536], the weight [1, 1, 1, 1] or the result [0, 1, 65536, 65536] has images or "
        "filters of more elements than BLAS can count",
        [&] {
            conv2d(ones({0, 1, 65536, 65536}), ones({1, 1, 1, 1}));
        });
    check_refused<ValueError>("conv2d: stride is 0, outside [1, 2147483647]", [&] {
        conv2d(x, weight, {.stride = {1, 0}});
    });
    check_refused<ValueError>("conv2d: padding is -1, outside [0, 2147483647]",
                              [&] { conv2d(x, weight, {.padding = -1}); });
    check_refused<ValueError>("conv1d: dilation is 0, outside [1, 2147483647]", [&] {
        conv1d(ones({1, 1, 4}), ones({1, 1, 2}), {.dilation = 0});
    });
    check_refused<ValueError>("conv2d: groups is 0, outside [1, 2147483647]",
                              [&] { conv2d(x, weight, {.groups = 0}); });
    check_refused<DtypeError>("conv2d: operands must be float32 or float64 and alike: x float32, weight float64", [&] {
        conv2d(x, ones({6, 4, 3, 3}, Dtype::float64));
    });
    check_refused<ValueError>("conv2d: operand 1 is an undefined tensor", [&] { conv2d(x, Tensor()); });
    const Tensor one = ones({1, 1, 1, 1});
    check_refused<ShapeError>("conv2d: an axis of [1, 1, 4294967295, 4294967295] is longer than BLAS can count",
                              [&] { conv2d(one, one, {.padding = 2147483647}); });
    check_refused<ShapeError>(
        "conv_transpose2d: an axis of [1, 1, 8589934589, 8589934589] is longer than BLAS can count", [&] {
            conv_transpose2d(ones({1, 1, 5, 5}), one, {.stride = 2147483647});
        });
    check_refused<ShapeError>("conv1d: weight [0, 1, 1099511627776] has an axis that is longer than BLAS can count",
                              [&] {
                                  conv1d(ones({1, 1, 4}), zeros({0, 1, std::int64_t{1} << 40}), {.dilation = 1 << 30});
                              });
    check_refused<ShapeError>(
        "conv_transpose2d: the channels of x [2, 4, 5, 6] and the weight [6, 4, 3, 3] do not fit in 1 groups",
        [&] { conv_transpose2d(x, weight); });
    check_refused<ShapeError>("conv_transpose2d: the bias must be [3], not [4]", [&] {
        conv_transpose2d(x, ones({4, 3, 2, 2}), ones({4}));
    });
    check_refused<ValueError>("conv_transpose2d: output_padding is 2, outside [0, 1]", [&] {
        conv_transpose2d(x, ones({4, 3, 2, 2}), {.stride = 2, .output_padding = 2});
    });
    check_refused<ShapeError>(
        "conv_transpose2d: x [1, 1, 1, 1], the weight [1, 1, 1, 1] and the options give images of -1 x -1", [&] {
            conv_transpose2d(ones({1, 1, 1, 1}), ones({1, 1, 1, 1}), {.padding = 1});
        });
    check_refused<ValueError>("conv_transpose1d: stride is 0, outside [1, 2147483647]", [&] {
        conv_transpose1d(ones({1, 1, 4}), ones({1, 1, 2}), {.stride = 0});
    });
    check_refused<ShapeError>("conv2d_weight: ct must be [2, 6, 3, 4] for x [2, 4, 5, 6], not [2, 6, 4, 4]", [&] {
        conv2d_weight(x, ones({2, 6, 4, 4}), 3);
    });
    check_refused<ShapeError>(
        "conv2d_weight: the channels of x [2, 4, 5, 6] and ct [2, 5, 3, 4] do not fit in 2 groups", [&] {
            conv2d_weight(x, ones({2, 5, 3, 4}), 3, {.groups = 2});
        });
    check_refused<ValueError>("conv2d_weight: a kernel's length is 0, outside [1, 2147483647]",
                              [&] { conv2d_weight(x, x, 0); });
    check_refused<ShapeError>("conv2d_weight: ct must be [B, O, H', W'], not [3]",
                              [&] { conv2d_weight(x, ones({3}), 2); });
}
