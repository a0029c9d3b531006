#include <wengert/ops/elementwise/elementwise_op.hpp>

namespace wengert {
namespace {

/// Pairs of shapes that broadcast, with values from two ranges.
template <class F>
std::vector<Sample> broadcasting_samples(const F& f, calculus::Range x, calculus::Range y) {
    const auto pair = [&](const Shape& a, const Shape& b, std::uint64_t seed) {
        return std::vector{sample_values(a, x.low, x.high, seed), sample_values(b, y.low, y.high, seed + 1)};
    };
    return {
        {"[3, 5], [3, 5]", pair({3, 5}, {3, 5}, 1), f},
        {"[4, 19], [19]", pair({4, 19}, {19}, 3), f},
        {"[4, 1], [19]", pair({4, 1}, {19}, 5), f},
        {"[], [2, 3]", pair({}, {2, 3}, 7), f},
        {"[2, 1, 3], [4, 1]", pair({2, 1, 3}, {4, 1}, 9), f},
        {"[0, 3], [3]", pair({0, 3}, {3}, 11), f},
        {"transposed, [3]", pair({3, 4}, {3}, 13),
         [f](const auto& in) {
             return f({transpose(in[0]), in[1]});
         }},
        {"twice the same", pair({5}, {1}, 15),
         [f](const auto& in) {
             return f({in[0], in[0] + 0.25 * in[1]});
         }},
    };
}

}  // namespace

template <class P>
std::vector<Sample> Function<P>::samples() {
    return broadcasting_samples([](const std::vector<Tensor>& in) { return elementwise<P>(in[0], in[1]); }, P::domain,
                                P::domain_y);
}

template <class P>
std::vector<Sample> Comparison<P>::samples() {
    return broadcasting_samples([](const std::vector<Tensor>& in) { return elementwise<P>(in[0], in[1]); }, {-1, 1},
                                {-1, 1});
}

std::vector<Sample> Where::samples() {
    const auto f = [](const std::vector<Tensor>& in) { return where(in[0] > 0, in[0] * in[1], in[2]); };
    const auto values = [](const Shape& a, const Shape& b, const Shape& c) {
        return std::vector{sample_values(a, -1, 1, 1), sample_values(b, -1, 1, 2), sample_values(c, -1, 1, 3)};
    };
    return {{"[3, 5], [3, 5], [3, 5]", values({3, 5}, {3, 5}, {3, 5}), f},
            {"[4, 1], [19], []", values({4, 1}, {19}, {}), f},
            {"[2, 0], [1], []", values({2, 0}, {1}, {}), f}};
}

template <class P>
Tensor elementwise(const Input& x, const Input& y) {
    if constexpr (requires { P::domain; }) {
        static_assert(is_listed<Map<Function<P>, 2>>, "the op is missing in AllOps (listed.hpp)");
        return apply_map(Map<Function<P>, 2>{}, std::array{x, y});
    } else {
        static_assert(is_listed<Map<Comparison<P>, 2>>, "the op is missing in AllOps (listed.hpp)");
        return apply_map(Map<Comparison<P>, 2>{}, std::array{x, y});
    }
}

Tensor where(const Input& condition, const Input& yes, const Input& no) {
    static_assert(is_listed<Map<Where, 3>>, "the op is missing in AllOps (listed.hpp)");
    return apply_map(Map<Where, 3>{}, std::array{condition, yes, no});
}

template Tensor elementwise<calculus::Add>(const Input&, const Input&);
template Tensor elementwise<calculus::Sub>(const Input&, const Input&);
template Tensor elementwise<calculus::Mul>(const Input&, const Input&);
template Tensor elementwise<calculus::Div>(const Input&, const Input&);
template Tensor elementwise<calculus::Pow>(const Input&, const Input&);
template Tensor elementwise<calculus::Minimum>(const Input&, const Input&);
template Tensor elementwise<calculus::Maximum>(const Input&, const Input&);
template Tensor elementwise<calculus::Greater>(const Input&, const Input&);
template Tensor elementwise<calculus::GreaterEqual>(const Input&, const Input&);
template Tensor elementwise<calculus::Less>(const Input&, const Input&);
template Tensor elementwise<calculus::LessEqual>(const Input&, const Input&);
template Tensor elementwise<calculus::Equal>(const Input&, const Input&);
template Tensor elementwise<calculus::NotEqual>(const Input&, const Input&);

template struct Function<calculus::Add>;
template struct Function<calculus::Sub>;
template struct Function<calculus::Mul>;
template struct Function<calculus::Div>;
template struct Function<calculus::Pow>;
template struct Function<calculus::Minimum>;
template struct Function<calculus::Maximum>;
template struct Comparison<calculus::Greater>;
template struct Comparison<calculus::GreaterEqual>;
template struct Comparison<calculus::Less>;
template struct Comparison<calculus::LessEqual>;
template struct Comparison<calculus::Equal>;
template struct Comparison<calculus::NotEqual>;

}  // namespace wengert
