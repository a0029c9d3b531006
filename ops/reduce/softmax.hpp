#pragma once

#include <wengert/autograd/check/sample.hpp>
#include <wengert/autograd/tape/operation.hpp>

namespace wengert {

/// e^x over its sum along an axis, computed without overflow. An element of minus infinity weighs exactly 0; if all
/// are, so do all. Derivative: y (ct - sum(ct y)).
Tensor softmax(const Input& x, int axis = -1);
/// x - logsumexp(x). Derivative: ct - e^y sum(ct).
Tensor log_softmax(const Input& x, int axis = -1);
/// ln of the sum of e^x along an axis, which goes; minus infinity over an axis of length 0. Derivative: softmax(x).
Tensor logsumexp(const Input& x, int axis = -1);

// The ops themselves work along the last axis.

struct Softmax {
    static constexpr std::string_view name = "softmax";
    static constexpr Saves saves = Saves::output;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();
};

struct LogSoftmax {
    static constexpr std::string_view name = "log_softmax";
    static constexpr Saves saves = Saves::output;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();
};

struct LogSumExp {
    static constexpr std::string_view name = "logsumexp";
    static constexpr Saves saves = Saves::inputs;
    Shape shape(const Inputs& in) const;
    void forward(const Inputs& in, const Destination& out) const;
    void vjp(Backward& back) const;
    static std::vector<Sample> samples();
};

}  // namespace wengert
