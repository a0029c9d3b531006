#include <wengert/ops/elementwise/elementwise_op.hpp>

namespace wengert {

template <class P>
std::vector<Sample> Function<P>::samples() {
    const auto f = [](const std::vector<Tensor>& in) { return elementwise<P>(in[0]); };
    const auto [low, high] = P::domain;
    std::vector<Sample> cases{
        {"[3, 5]", {sample_values({3, 5}, low, high, 1)}, f},
        {"[37], more than a register", {sample_values({37}, low, high, 2)}, f},
        {"[]", {sample_values({}, low, high, 3)}, f},
        {"[2, 0]", {sample_values({2, 0}, low, high, 4)}, f},
        {"transposed",
         {sample_values({4, 3}, low, high, 5)},
         [](const auto& in) { return elementwise<P>(transpose(in[0])); }},
    };
    cases.push_back({"extremes",
                     {tensor(std::span<const double>(P::extremes), {static_cast<std::int64_t>(P::extremes.size())})},
                     f});
    return cases;
}

template <class P>
Tensor elementwise(const Input& x) {
    static_assert(is_listed<Map<Function<P>, 1>>, "the op is missing in AllOps (listed.hpp)");
    return apply_map(Map<Function<P>, 1>{}, std::array{x});
}

template Tensor elementwise<calculus::Neg>(const Input&);
template Tensor elementwise<calculus::Exp>(const Input&);
template Tensor elementwise<calculus::Log>(const Input&);
template Tensor elementwise<calculus::Log1p>(const Input&);
template Tensor elementwise<calculus::Expm1>(const Input&);
template Tensor elementwise<calculus::Sqrt>(const Input&);
template Tensor elementwise<calculus::Sin>(const Input&);
template Tensor elementwise<calculus::Cos>(const Input&);
template Tensor elementwise<calculus::Tanh>(const Input&);
template Tensor elementwise<calculus::Sigmoid>(const Input&);
template Tensor elementwise<calculus::Relu>(const Input&);
template Tensor elementwise<calculus::Softplus>(const Input&);
template Tensor elementwise<calculus::Erf>(const Input&);
template Tensor elementwise<calculus::Abs>(const Input&);

template struct Function<calculus::Neg>;
template struct Function<calculus::Exp>;
template struct Function<calculus::Log>;
template struct Function<calculus::Log1p>;
template struct Function<calculus::Expm1>;
template struct Function<calculus::Sqrt>;
template struct Function<calculus::Sin>;
template struct Function<calculus::Cos>;
template struct Function<calculus::Tanh>;
template struct Function<calculus::Sigmoid>;
template struct Function<calculus::Relu>;
template struct Function<calculus::Softplus>;
template struct Function<calculus::Erf>;
template struct Function<calculus::Abs>;

}  // namespace wengert
