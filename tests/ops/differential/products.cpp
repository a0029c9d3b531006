// Mirrors no file: matrix products against references, for random operands.
#include <wengert/ops/ops.hpp>

#include "ops/differential/draws.hpp"

namespace differential {
namespace {

/// Sums of products, each with how far a rounded one may be from it.
class Sums {
  public:
    explicit Sums(Dtype dtype) : dtype_(dtype) {}

    /// The sum of f(i) g(i).
    template <class F, class G>
    long double of(std::int64_t n, const F& f, const G& g) {
        Sum sum;
        for (std::int64_t i = 0; i < n; ++i) sum.add(f(i) * g(i));
        tolerances_.push_back(2 * sum.tolerance(dtype_));
        return sum.value;
    }
    const Numbers& tolerances() const { return tolerances_; }

  private:
    Dtype dtype_;
    Numbers tolerances_;
};

std::string matrices(Draws& draw) {
    const Dtype dtype = draw.floating();
    const auto length = [&] { return draw.one_of(std::vector<std::int64_t>{0, 1, 2, 3, 5, 8, 16, 17, 33}); };
    const std::int64_t m = length(), k = length(), n = length();
    Shape batch = draw.shape(0, 2);
    if (batch.numel() * m * n * k > 10'000) batch = {};
    Shape left = batch, right = draw.below_shape(batch);
    if (draw.one_in(2)) std::swap(left, right);
    const bool is_row = draw.one_in(6), is_column = draw.one_in(6);
    if (is_row) left = {};
    if (is_column) right = {};
    Shape result = left.rank() > right.rank() ? left : right;
    for (int i = 1; i <= std::min(left.rank(), right.rank()); ++i)
        result[result.rank() - i] = left[left.rank() - i] == 1 ? right[right.rank() - i] : left[left.rank() - i];
    if (!is_row) left.push_back(m);
    left.push_back(k);
    right.push_back(k);
    if (!is_column) right.push_back(n);
    const Kind kind = draw.kind();
    const Drawn a = draw.operand(left, dtype, kind), b = draw.operand_beside(a, right, dtype, kind);
    if (!is_row) result.push_back(m);
    if (!is_column) result.push_back(n);
    Sums sums(dtype);
    const Plain want = made(result, dtype, [&](Shape index) {
        const std::int64_t column = is_column ? 0 : index.back();
        if (!is_column) index.erase(index.rank() - 1);
        const std::int64_t row = is_row ? 0 : index.back();
        if (!is_row) index.erase(index.rank() - 1);
        return sums.of(
            k,
            [&](std::int64_t i) {
                Shape at = index;
                at.push_back(row);
                at.push_back(i);
                return is_row ? a.plain.at({i}) : a.plain.broadcast_at(at);
            },
            [&](std::int64_t i) {
                Shape at = index;
                at.push_back(i);
                at.push_back(column);
                return is_column ? b.plain.at({i}) : b.plain.broadcast_at(at);
            });
    });
    return difference(matmul(a.tensor, b.tensor), want, sums.tolerances());
}

/// The product of a matrix and itself, transposed or not: both operands are one storage.
std::string squares(Draws& draw) {
    const Dtype dtype = draw.floating();
    const std::int64_t n = draw.below(20), m = draw.one_in(2) ? n : draw.below(20);
    const Drawn a = draw.operand({n, m}, dtype);
    const bool left = draw.one_in(2);
    draw.say("a matrix and its transpose, which is {}", left ? "left" : "right");
    const Tensor t = transpose(a.tensor);
    Sums sums(dtype);
    const std::int64_t size = left ? m : n, inner = left ? n : m;
    const Plain want = made({size, size}, dtype, [&](const Shape& index) {
        const auto row = [&](std::int64_t of) {
            return [&, of](std::int64_t i) { return left ? a.plain.at({i, of}) : a.plain.at({of, i}); };
        };
        return sums.of(inner, row(index[0]), row(index[1]));
    });
    return difference(left ? matmul(t, a.tensor) : matmul(a.tensor, t), want, sums.tolerances());
}

std::string layers(Draws& draw) {
    const Dtype dtype = draw.floating();
    Shape shape = draw.shape(0, 3);
    const std::int64_t features = draw.below(40), outputs = draw.below(20);
    if (shape.numel() * features * outputs > 10'000) shape = {};
    Shape result = shape;
    shape.push_back(features);
    result.push_back(outputs);
    const Kind kind = draw.kind();
    const Drawn x = draw.operand(shape, dtype, kind), weight = draw.operand({outputs, features}, dtype, kind),
                bias = draw.operand({outputs}, dtype, kind);
    const bool has_bias = draw.one_in(2);
    draw.say("linear, bias {}", has_bias);
    Sums sums(dtype);
    const Plain want = made(result, dtype, [&](Shape index) {
        const std::int64_t output = index.back();
        return sums.of(
            features + (has_bias ? 1 : 0),
            [&](std::int64_t i) {
                if (i == features) return bias.plain.at({output});
                index[index.rank() - 1] = i;
                return x.plain.at(index);
            },
            [&](std::int64_t i) {
                return i == features ? 1 : weight.plain.at({output, i});
            });
    });
    return difference(has_bias ? linear(x.tensor, weight.tensor, bias.tensor) : linear(x.tensor, weight.tensor), want,
                      sums.tolerances());
}

/// Sums over an index that stands in the middle of one operand and in front of the other.
std::string contractions(Draws& draw) {
    const Dtype dtype = draw.floating();
    const std::int64_t a = draw.below(6), b = draw.below(6), c = draw.below(20), d = draw.below(6);
    const Drawn x = draw.operand({a, c, b}, dtype, Kind::ordinary), y = draw.operand({c, d, a}, dtype, Kind::ordinary);
    Sums sums(dtype);
    const Plain want = made({d, a, b}, dtype, [&](const Shape& i) {
        return sums.of(
            c,
            [&](std::int64_t k) {
                return x.plain.at({i[1], k, i[2]});
            },
            [&](std::int64_t k) {
                return y.plain.at({k, i[0], i[1]});
            });
    });
    return difference(einsum("acb,cda->dab", {x.tensor, y.tensor}), want, sums.tolerances());
}

}  // namespace

TEST_CASE("differential: matrix products") {
    check_calls({{"matmul", matrices},
                 {"matmul", matrices},
                 {"square", squares},
                 {"linear", layers},
                 {"einsum", contractions}});
}

TEST_CASE("differential: what differs is seen") {
    const Tensor x = tensor({1, 2, 3, 4}, {2, 2});
    const Plain same = plain(x);
    CHECK(difference(x, same).empty());
    CHECK(difference(transpose(x), same) == "element 1 is 3, not 2 within 0");
    CHECK(difference(transpose(x), same, Numbers(4, 1)).empty());
    CHECK(difference(transpose(x), same, Numbers(4, 0.5)) == "element 1 is 3, not 2 within 0.5");
    CHECK(difference(reshape(x, {4}), same) == "the result is float32 [4], not float32 [2, 2]");
    CHECK(difference(cast(x, Dtype::float64), same) == "the result is float64 [2, 2], not float32 [2, 2]");
    const Plain beyond{{1}, Dtype::float32, {-1e300L}};
    CHECK(difference(tensor({-infinity}), beyond).empty());
    CHECK(difference(tensor({infinity}), beyond) != "");
    CHECK(difference(tensor({-3e38}), beyond) != "");
    CHECK(difference(x / 0, same, Numbers(4, 1)) == "element 0 is inf, not 1 within 1");
    CHECK(difference(x * not_a_number, same, Numbers(4, 1)) == "element 0 is nan, not 1 within 1");
    CHECK(refused<ShapeError>([&] { return reshape(x, {3}); }).empty());
    CHECK(refused<ShapeError>([&] { return reshape(x, {4}); }) == "nothing was thrown");
    Draws draw(1);
    Drawn written = draw.operand({3}, Dtype::float32, Kind::ordinary);
    CHECK_FALSE(draw.has_written_operand());
    written.tensor.fill(9);
    CHECK(draw.has_written_operand());
}

}  // namespace differential
