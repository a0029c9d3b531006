#pragma once

#include <algorithm>
#include <string>
#include <wengert/autograd/tape/operation.hpp>

/// Ops for tapes of which only the structure matters.
namespace sketch {

using namespace wengert;

/// A string literal as a template argument.
template <std::size_t N>
struct Literal {
    char text[N];
    constexpr Literal(const char (&literal)[N]) { std::copy_n(literal, N, text); }
};

/// An op of any name, which makes zeros of any shape from anything.
template <Literal Name>
struct NamedOp {
    static constexpr std::string_view name{Name.text};
    static constexpr Saves saves = Saves::inputs;
    Shape out;

    Shape shape(const Inputs&) const { return out; }
    void forward(const Inputs&, const Destination& to) const { fill(to.tensor, 0); }
    void vjp(Backward&) const {}
};

/// A view op of any name, which shows the first elements under any shape.
template <Literal Name>
struct NamedView {
    static constexpr std::string_view name{Name.text};
    Shape out;

    Tensor view(const Tensor& x) const { return x.view(out, contiguous_strides(out), x.offset()); }
    Tensor adjoint(const Tensor& cotangent, const Shape&) const { return cotangent; }
};

template <Literal Name>
Tensor compute(const Shape& out, std::initializer_list<const Tensor*> in,
               std::source_location where = std::source_location::current()) {
    return apply(NamedOp<Name>{out}, Inputs(in), where);
}

template <Literal Name>
Tensor compute(const Shape& out, const std::vector<Tensor>& in,
               std::source_location where = std::source_location::current()) {
    std::vector<const Tensor*> operands;
    for (const Tensor& x : in) operands.push_back(&x);
    return apply(NamedOp<Name>{out}, Inputs(operands), where);
}

template <Literal Name>
Tensor look(const Shape& out, const Tensor& x, std::source_location where = std::source_location::current()) {
    return apply(NamedView<Name>{out}, {&x}, where);
}

inline Tensor parameter(const std::string& name, const Shape& shape, Dtype dtype = Dtype::float32) {
    Tensor x = zeros(shape, dtype);
    x.set_parameter().set_name(name);
    return x;
}

}  // namespace sketch
