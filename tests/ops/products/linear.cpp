#include <wengert/ops/products/linear.hpp>

#include "ops/brute_force.hpp"

#include <wengert/autograd/observe/memory.hpp>
#include <wengert/ops/products/matmul.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/shape/views.hpp>

using namespace brute_force;

TEST_CASE("linear: every shape of bias") {
    const Tensor x = laid_out({2, 3, 4}, 2, 1), w = laid_out({5, 4}, 1, 2);
    const Values without = elements(matmul(x, transpose(w)));
    check_close(linear(x, w), without, 8, 1);
    for (const Shape& shape :
         {Shape{5}, Shape{}, Shape{1}, Shape{3, 1}, Shape{2, 1, 1}, Shape{1, 3, 5}, Shape{2, 3, 5}, Shape{1, 1, 5}}) {
        for (int layout = 0; layout < layouts; ++layout) {
            CAPTURE(to_string(shape));
            CAPTURE(layout);
            const Tensor bias = laid_out(shape, layout, 3);
            Values want = without;
            std::size_t i = 0;
            for_each_index({2, 3, 5}, [&](const Shape& index) { want[i++] += element(bias, index); });
            check_close(linear(x, w, bias), want, 8, 1);
            check_close(linear(cast(x, Dtype::float32), cast(w, Dtype::float32), cast(bias, Dtype::float32)), want, 16,
                        1);
            const Tensor ct = sample_values({2, 3, 5}, -1, 1, 4);
            const auto g = gradients([](const auto& in) { return linear(in[0], in[1], in[2]); }, {x, w, bias}, ct);
            check_close(g[2], elements(sum_to(ct, shape)), 16, 1);
        }
    }
    CHECK(elements(linear(zeros({2, 0}), zeros({3, 0}), tensor({1, 2, 3}))) == Values{1, 2, 3, 1, 2, 3});
}

TEST_CASE("linear: a bias as large as the product is not kept") {
    const Tensor x = ones({8, 4}), weight = ones({1000, 4}).set_parameter();
    const auto saved = [&](const Tensor& bias) {
        Tape tape;
        tape.watch(bias);
        const Tensor y = linear(x, weight, bias);
        return saved_bytes(tape);
    };
    CHECK(saved(ones({8, 1000})) == saved(ones({1000})));
}
