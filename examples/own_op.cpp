/// Ops of one's own, checked. An elementwise formula needs no derivative: map() differentiates it. An op that is more
/// than that is a struct with a shape rule, a forward and a vjp.
#include <iostream>
#include <wengert/nn/nn.hpp>

using namespace wengert;

/// The smooth gate x sigmoid(a x), as one fused op.
static Tensor swish(const Tensor& x, const Tensor& a) {
    return map([](auto x, auto a) { return x * sigmoid(a * x); }, x, a);
}

/// Running sums along the last axis: y_i = x_0 + ... + x_i.  Derivative: the running sums of the cotangent from the
/// end.
struct RunningSum {
    static constexpr std::string_view name = "running_sum";
    static constexpr bool linear = true;  // for jvp()
    static constexpr Saves saves = Saves::nothing;
    bool from_end = false;

    Shape shape(const Inputs& in) const {
        if (in[0].rank() == 0) throw ShapeError("a scalar has no axis to sum along");
        if (!is_floating(in[0].dtype())) throw DtypeError("x is int64, not float32 or float64");
        return in[0].shape();
    }
    void forward(const Inputs& in, const Destination& out) const {
        // Operands may have any strides. A forward calls kernels such as packed(), not ops, which are for the tape.
        const Tensor x = packed(in[0]);
        visit_floating(x.dtype(), [&](auto type) {
            using T = decltype(type);
            const T* const from = x.data<T>();
            T* const to = static_cast<T*>(out.tensor.raw());
            const std::int64_t n = x.shape().back();
            for (std::int64_t row = 0; row < x.numel(); row += n) {
                T total = 0;
                for (std::int64_t i = 0; i < n; ++i) {
                    const std::int64_t at = row + (from_end ? n - 1 - i : i);
                    to[at] = total += from[at];
                }
            }
        });
    }
    // The contribution is an op's, so the rule is differentiable itself: second derivatives need nothing more.
    void vjp(Backward& back) const { back.add(0, RunningSum{!from_end}, back.cotangent()); }
};

static Tensor running_sum(const Input& x) { return apply(RunningSum{}, {&x.tensor()}, x.where()); }

int main() try {
    Generator generator(1);
    const auto random = [&](const Shape& shape) { return uniform(shape, -1, 1, generator, Dtype::float64); };

    const auto report = [](const char* what, const GradcheckResult& result) {
        std::cout << what << ": " << (result.passed ? "passed" : result.message) << ", worst error "
                  << result.worst_error << '\n';
        return result.passed;
    };
    const bool swish_is_fine = report("swish", gradcheck([](const auto& in) { return swish(in[0], in[1]); },
                                                         {random({3, 4}), random({4})}, {.order = 2}));
    const bool sum_is_fine = report(
        "running_sum", gradcheck([](const auto& in) { return running_sum(in[0]); }, {random({2, 5})}, {.order = 2}));

    const Tensor x = tensor({1, 2, 3, 4});
    std::cout << "running_sum([1 2 3 4]) = " << running_sum(x) << '\n';
    Tape tape;
    tape.watch(x);
    const Tensor result = sum(running_sum(swish(x, tensor({1.0}))));
    write_graph(tape, "own_op.svg");
    std::cout << "both are drawn on a tape in own_op.svg\n";
    return swish_is_fine && sum_is_fine ? 0 : 1;
} catch (const Error& error) {
    std::cerr << "own_op: " << error.what() << '\n';
    return 1;
}
