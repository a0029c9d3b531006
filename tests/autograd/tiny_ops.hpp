#pragma once

#include <cmath>
#include <source_location>
#include <string>
#include <wengert/autograd/tape/internal/cotangents.hpp>
#include <wengert/autograd/tape/operation.hpp>

#include "../values.hpp"

/// The smallest ops that show each thing an op can ask of the engine, so that the engine is tested by itself.
/// All compute in float32 or float64, with plain loops.
namespace tiny {

using namespace wengert;

/// "\n  at tests/autograd/tape.cpp:12", as an error thrown `lines` lines below would end.
inline std::string at_line(int lines = 0, std::source_location where = std::source_location::current()) {
    SourceLine line(where);
    line.line = static_cast<std::uint32_t>(static_cast<int>(line.line) + lines);
    return "\n  at " + to_string(line);
}

inline Tensor vector(std::initializer_list<double> values) { return tensor(values, Dtype::float64); }
inline Tensor matrix(std::initializer_list<double> values, std::int64_t rows) {
    return tensor(values, {rows, static_cast<std::int64_t>(values.size()) / rows}, Dtype::float64);
}

/// Sets out[i] = f(in_0[i], in_1[i], ...), or adds it.
template <class F>
void for_each_element(const Inputs& in, const Destination& out, F f) {
    std::vector<std::vector<double>> values;
    for (std::size_t k = 0; k < in.size(); ++k) values.push_back(in[k].to_vector<double>());
    Tensor result = Tensor::empty(out.tensor.shape(), Dtype::float64);
    double* const r = result.mutable_data<double>();
    for (std::size_t i = 0; i < static_cast<std::size_t>(result.numel()); ++i) {
        if constexpr (requires { f(0.0, 0.0); })
            r[i] = f(values[0][i], values[1][i]);
        else
            r[i] = f(values[0][i]);
    }
    write(result, out);
}

inline Shape same_shape(const Inputs& in) {
    if (in[0].shape() != in[1].shape())
        throw ShapeError("shapes differ: " + to_string(in[0].shape()) + " and " + to_string(in[1].shape()));
    return in[0].shape();
}

struct Add {
    static constexpr std::string_view name = "add";
    static constexpr bool linear = true;
    static constexpr Saves saves = Saves::nothing;
    static constexpr std::array<std::string_view, 2> operands{"lhs", "rhs"};
    Shape shape(const Inputs& in) const { return same_shape(in); }
    void forward(const Inputs& in, const Destination& out) const {
        for_each_element(in, out, [](double a, double b) { return a + b; });
    }
    void vjp(Backward& back) const {
        back.add(0, back.cotangent());
        back.add(1, back.cotangent());
    }
};
inline Tensor add(const Input& a, const Input& b) { return apply(Add{}, {&a.tensor(), &b.tensor()}, a.where()); }

struct Scale {
    static constexpr std::string_view name = "scale";
    static constexpr bool linear = true;
    static constexpr Saves saves = Saves::nothing;
    static constexpr bool accumulates = true;
    double factor;
    Shape shape(const Inputs& in) const { return in[0].shape(); }
    void forward(const Inputs& in, const Destination& out) const {
        for_each_element(in, out, [this](double a) { return factor * a; });
    }
    void vjp(Backward& back) const { back.add(0, Scale{factor}, back.cotangent()); }
};
inline Tensor scale(const Input& x, double factor) { return apply(Scale{factor}, {&x.tensor()}, x.where()); }

struct Mul {
    static constexpr std::string_view name = "mul";
    static constexpr bool bilinear = true;
    static constexpr Saves saves = Saves::inputs;
    static constexpr bool accumulates = true;
    static constexpr std::array<std::string_view, 2> operands{"lhs", "rhs"};
    Shape shape(const Inputs& in) const { return same_shape(in); }
    void forward(const Inputs& in, const Destination& out) const {
        for_each_element(in, out, [](double a, double b) { return a * b; });
    }
    void vjp(Backward& back) const {
        back.add(0, Mul{}, back.cotangent(), back.saved(1));
        back.add(1, Mul{}, back.saved(0), back.cotangent());
    }
};
inline Tensor mul(const Input& a, const Input& b) { return apply(Mul{}, {&a.tensor(), &b.tensor()}, a.where()); }

/// Saves its output, and hands a new tensor over as its contribution.
struct Tanh {
    static constexpr std::string_view name = "tanh";
    static constexpr Saves saves = Saves::output;
    Shape shape(const Inputs& in) const { return in[0].shape(); }
    void forward(const Inputs& in, const Destination& out) const {
        for_each_element(in, out, [](double a) { return std::tanh(a); });
    }
    void vjp(Backward& back) const {
        const Tensor& y = back.saved(0);
        back.add(0, add(back.cotangent(), scale(mul(back.cotangent(), mul(y, y)), -1)));
    }
    Tensor jvp(const Forward& forward) const {
        const Tensor &y = forward.output(), &dx = forward.tangent(0);
        return add(dx, scale(mul(dx, mul(y, y)), -1));
    }
};
inline Tensor tanh(const Input& x) { return apply(Tanh{}, {&x.tensor()}, x.where()); }

/// Its backward kernel writes into the cotangent itself; at 0 the derivative is infinite. It has no forward rule.
struct Root {
    static constexpr std::string_view name = "root";
    static constexpr Saves saves = Saves::output;
    Shape shape(const Inputs& in) const { return in[0].shape(); }
    void forward(const Inputs& in, const Destination& out) const {
        for_each_element(in, out, [](double a) { return std::sqrt(a); });
    }
    void vjp(Backward& back) const {
        if (!back.needs(0)) return;
        for_each_element({&back.cotangent(), &back.saved(0)}, back.target(0),
                         [](double c, double y) { return 0.5 * c / y; });
    }
};
inline Tensor root(const Input& x) { return apply(Root{}, {&x.tensor()}, x.where()); }

/// Not differentiable.
struct Sign {
    static constexpr std::string_view name = "sign";
    Shape shape(const Inputs& in) const { return in[0].shape(); }
    void forward(const Inputs& in, const Destination& out) const {
        for_each_element(in, out, [](double a) { return static_cast<double>((a > 0) - (a < 0)); });
    }
};
inline Tensor sign(const Input& x) { return apply(Sign{}, {&x.tensor()}, x.where()); }

Tensor expand(const Input& x, const Shape& shape);

struct Sum {
    static constexpr std::string_view name = "sum";
    static constexpr bool linear = true;
    static constexpr Saves saves = Saves::nothing;
    Shape shape(const Inputs&) const { return {}; }
    void forward(const Inputs& in, const Destination& out) const {
        double total = 0;
        for (const double value : in[0].to_vector<double>()) total += value;
        write(full({}, total, in[0].dtype()), out);
    }
    void vjp(Backward& back) const { back.add(0, expand(back.cotangent(), back.input_shape(0))); }
};
inline Tensor sum(const Input& x) { return apply(Sum{}, {&x.tensor()}, x.where()); }

/// A view in which one element appears many times.
struct Expand {
    static constexpr std::string_view name = "expand";
    static constexpr bool overlapping = true;
    Shape to;
    Tensor view(const Tensor& x) const {
        Shape strides = to;
        for (std::int64_t& stride : strides) stride = 0;
        return x.view(to, strides, x.offset());
    }
    Tensor adjoint(const Tensor& cotangent, const Shape&) const { return sum(cotangent); }
};
inline Tensor expand(const Input& x, const Shape& shape) { return apply(Expand{shape}, {&x.tensor()}, x.where()); }

Tensor pad(const Input& x, int axis, std::int64_t begin, std::int64_t length);

/// Elements [begin, end) of an axis.
struct Slice {
    static constexpr std::string_view name = "slice";
    int axis;
    std::int64_t begin, end;
    Tensor view(const Tensor& x) const {
        Shape shape = x.shape();
        if (begin < 0 || end > shape[axis] || begin > end)
            throw ShapeError("[" + std::to_string(begin) + ", " + std::to_string(end) + ") is not within " +
                             to_string(shape));
        shape[axis] = end - begin;
        return x.view(shape, x.strides(), x.offset() + begin * x.strides()[axis]);
    }
    Tensor adjoint(const Tensor& cotangent, const Shape& shape) const {
        return pad(cotangent, axis, begin, shape[axis]);
    }
    std::optional<Interval> interval() const { return Interval{axis, begin, end}; }
};
inline Tensor slice(const Input& x, int axis, std::int64_t begin, std::int64_t end) {
    return apply(Slice{axis, begin, end}, {&x.tensor()}, x.where());
}

/// Zeros around x, which then stands at [begin, ..) of an axis of the given length.
struct Pad {
    static constexpr std::string_view name = "pad";
    static constexpr bool linear = true;
    static constexpr Saves saves = Saves::nothing;
    int axis;
    std::int64_t begin, length;
    Shape shape(const Inputs& in) const {
        Shape shape = in[0].shape();
        shape[axis] = length;
        return shape;
    }
    void forward(const Inputs& in, const Destination& out) const {
        if (!out.accumulate) fill(out.tensor, 0);
        const Slice part{axis, begin, begin + in[0].shape()[axis]};
        write(in[0], {part.view(out.tensor), out.accumulate});
    }
    void vjp(Backward& back) const {
        back.add(0, slice(back.cotangent(), axis, begin, begin + back.input_shape(0)[axis]));
    }
};
inline Tensor pad(const Input& x, int axis, std::int64_t begin, std::int64_t length) {
    return apply(Pad{axis, begin, length}, {&x.tensor()}, x.where());
}

/// A view of all elements.
struct Transpose {
    static constexpr std::string_view name = "transpose";
    Tensor view(const Tensor& x) const {
        return x.view({x.shape()[1], x.shape()[0]}, {x.strides()[1], x.strides()[0]}, x.offset());
    }
    Tensor adjoint(const Tensor& cotangent, const Shape&) const {
        return apply(Transpose{}, {&cotangent}, SourceLine{});
    }
};
inline Tensor transpose(const Input& x) { return apply(Transpose{}, {&x.tensor()}, x.where()); }

/// Every other element of a vector: a view of a part that is no interval.
struct EveryOther {
    static constexpr std::string_view name = "every_other";
    Tensor view(const Tensor& x) const { return x.view({(x.numel() + 1) / 2}, {2 * x.strides()[0]}, x.offset()); }
    Tensor adjoint(const Tensor&, const Shape&) const { throw ValueError("every_other is not recorded backward"); }
};
inline Tensor every_other(const Input& x) { return apply(EveryOther{}, {&x.tensor()}, x.where()); }

/// Joins two tensors along axis 0, and gives each its part of the cotangent back.
struct Concat {
    static constexpr std::string_view name = "concat";
    static constexpr bool linear = true;
    static constexpr Saves saves = Saves::nothing;
    std::int64_t middle;
    Shape shape(const Inputs& in) const {
        Shape shape = in[0].shape();
        shape[0] += in[1].shape()[0];
        return shape;
    }
    void forward(const Inputs& in, const Destination& out) const {
        write(in[0], {Slice{0, 0, middle}.view(out.tensor), out.accumulate});
        write(in[1], {Slice{0, middle, out.tensor.shape()[0]}.view(out.tensor), out.accumulate});
    }
    void vjp(Backward& back) const {
        back.add_part(0, slice(back.cotangent(), 0, 0, middle));
        back.add_part(1, slice(back.cotangent(), 0, middle, back.cotangent().shape()[0]));
    }
};
inline Tensor concat(const Input& a, const Input& b) {
    return apply(Concat{a.tensor().shape()[0]}, {&a.tensor(), &b.tensor()}, a.where());
}

/// The matrix product [m, k] x [k, n] -> [m, n], of which several are computed together.
struct Product {
    static constexpr std::string_view name = "product";
    static constexpr bool bilinear = true;
    static constexpr Saves saves = Saves::inputs;
    static constexpr bool accumulates = true;
    static inline int merged = 0;  // how many products merge() has been given in all
    Shape shape(const Inputs& in) const {
        if (in[0].shape()[1] != in[1].shape()[0])
            throw ShapeError("inner lengths differ: " + to_string(in[0].shape()) + " x " + to_string(in[1].shape()));
        return {in[0].shape()[0], in[1].shape()[1]};
    }
    void forward(const Inputs& in, const Destination& out) const {
        const std::int64_t m = in[0].shape()[0], inner = in[0].shape()[1], n = in[1].shape()[1];
        Tensor product = Tensor::empty({m, n}, Dtype::float64);
        double* next = product.mutable_data<double>();
        for (std::int64_t i = 0; i < m; ++i)
            for (std::int64_t j = 0; j < n; ++j, ++next) {
                *next = 0;
                for (std::int64_t k = 0; k < inner; ++k) *next += in[0].at({i, k}) * in[1].at({k, j});
            }
        write(product, out);
    }
    void vjp(Backward& back) const {
        back.add(0, Product{}, back.cotangent(), transpose(back.saved(1)));
        back.add(1, Product{}, transpose(back.saved(0)), back.cotangent());
    }
    bool operator==(const Product&) const = default;
    bool can_merge(const std::array<Tensor, 2>& first, const Tensor& a, const Tensor& b) const {
        return first[0].shape() == a.shape() && first[1].shape() == b.shape();
    }
    void merge(std::span<const std::array<Tensor, 2>> pairs, const Destination& out) const {
        merged += static_cast<int>(pairs.size());
        bool accumulate = out.accumulate;
        for (const auto& [a, b] : pairs) {
            forward({&a, &b}, {out.tensor, accumulate});
            accumulate = true;
        }
    }
};
inline Tensor product(const Input& a, const Input& b) {
    return apply(Product{}, {&a.tensor(), &b.tensor()}, a.where());
}

}  // namespace tiny
