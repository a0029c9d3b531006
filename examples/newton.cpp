/// Newton's method on a logistic regression, in float64: by the whole Hessian, and by its products with vectors alone.
/// Close to the minimum each step doubles the number of right digits, and one of gradient descent adds a part of a
/// digit.
#include <fmt/format.h>

#include <cmath>
#include <wengert/models/line_chart.hpp>
#include <wengert/nn/nn.hpp>

#include "flags.hpp"

using namespace wengert;

using Loss = std::function<Tensor(const Tensor&)>;

/// x with A x = b for a symmetric, positive definite A that is known by its products (Hestenes and Stiefel 1952,
/// Methods of conjugate gradients for solving linear systems), until |A x - b| is at most the tolerance.
static Tensor conjugate_gradients(const Loss& product, const Tensor& b, double tolerance) {
    Tensor x = zeros(b.shape(), b.dtype()), residual = b, direction = b;
    double square = dot(residual, residual).item();
    for (std::int64_t i = 0; i < b.numel() && std::sqrt(square) > tolerance; ++i) {
        const Tensor image = product(direction);
        const double length = square / dot(direction, image).item();
        x = x + length * direction;
        residual = residual - length * image;
        const double next = dot(residual, residual).item();
        direction = residual + (next / square) * direction;
        square = next;
    }
    return x;
}

/// Repeats w + step(w, gradient) from 0 and prints how the gradient's norm falls. The order of convergence, of the last
/// three norms a, b, c, is log(c / b) / log(b / a): 1 if each step has its digits, 2 if it doubles them.
static LineChart::Line descend(const std::string& name, const Loss& loss, std::int64_t features,
                               const std::function<Tensor(const Tensor&, const Tensor&)>& step) {
    fmt::print("{}\nstep  loss            |gradient|  order\n", name);
    LineChart::Line line{name, {}};
    Tensor w = zeros({features}, Dtype::float64);
    for (int i = 0; i <= 8; ++i) {
        const auto [value, gradient] = value_and_grad(loss, w);
        const double size = norm(gradient).item();
        std::string order;
        line.points.push_back({static_cast<double>(i), std::log10(size)});
        if (const auto& points = line.points; i > 1)
            order = fmt::format("  {:5.2f}", (points.back().y - points[points.size() - 2].y) /
                                                 (points[points.size() - 2].y - points[points.size() - 3].y));
        fmt::print("{:4}  {:.12f}  {:10.2e}{}\n", i, value.item(), size, order);
        if (size < 1e-12) break;  // rounding is all that is left
        w = w + step(w, gradient);
    }
    return line;
}

int main(int argc, char** argv) {
    read_flags(argc, argv, "Minimizes a logistic regression by Newton's method and by gradient descent.", {});
    constexpr std::int64_t examples = 400, features = 12;
    Generator generator(1);
    const Tensor x = normal({examples, features}, 0, 1, generator, Dtype::float64);
    const Tensor truth = normal({features}, 0, 1.5, generator, Dtype::float64);
    const Tensor labels = bernoulli(sigmoid(matmul(x, truth)), generator);
    const Loss loss = [&](const Tensor& w) {
        return binary_cross_entropy_with_logits(matmul(x, w), labels) + 5e-4 * dot(w, w);
    };

    const LineChart::Line newton =
        descend("Newton: hessian() and solve()", loss, features,
                [&](const Tensor& w, const Tensor& gradient) { return -solve(hessian(loss, w), gradient); });
    int products = 0;
    const LineChart::Line matrix_free =
        descend("Newton: hvp() and conjugate gradients", loss, features, [&](const Tensor& w, const Tensor& gradient) {
            // As exact as the gradient is small: no product is wasted far from the minimum, and the order stays 2.
            const double size = norm(gradient).item();
            const auto product = [&](const Tensor& v) {
                ++products;
                return hvp(loss, w, v);
            };
            return -conjugate_gradients(product, gradient, std::min(0.5, size) * size);
        });
    fmt::print("{} products with the Hessian\n", products);
    const LineChart::Line descent = descend("gradient descent, rate 4", loss, features,
                                            [](const Tensor&, const Tensor& gradient) { return -4 * gradient; });

    write_svg({.title = "Newton's method on a logistic regression",
               .x_label = "step",
               .y_label = "log10 of the gradient's norm",
               .lines = {newton, matrix_free, descent}},
              "newton.svg");
    fmt::print("the norms are drawn in newton.svg\n");
}
