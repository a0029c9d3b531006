#include <fmt/format.h>

#include <vector>
#include <wengert/ops/elementwise/map.hpp>
#include <wengert/ops/index/gather.hpp>
#include <wengert/ops/network/losses.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/reduce/statistics.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {
namespace {

/// f(x, target) of each element, or its sum or mean, which stores none of them.
template <class F>
Tensor loss_of(std::string_view name, const Input& x, const Input& target, Reduction reduction, const F& f) {
    return located(name, {x, target}, [&]() -> Tensor {
        const Shape &shape = x.tensor().shape(), &other = target.tensor().shape();
        if (shape != other)
            throw ShapeError(fmt::format("x {} and the target {} differ in shape", to_string(shape), to_string(other)));
        require_common(reduction);
        if (reduction == Reduction::none) return map(f, x, target);
        const Tensor total = map_sum(f, all_axes, x, target);
        if (reduction == Reduction::sum) return total;
        return Input(total, x.where()) / static_cast<double>(shape.numel());
    });
}

}  // namespace

void require_common(Reduction reduction) {
    if (reduction == Reduction::batchmean) throw ValueError("batchmean is a reduction of kl_div() alone");
}

Tensor mse_loss(const Input& x, const Input& target, Reduction reduction) {
    return loss_of("mse_loss", x, target, reduction, [](auto x, auto t) { return square(x - t); });
}

Tensor l1_loss(const Input& x, const Input& target, Reduction reduction) {
    return loss_of("l1_loss", x, target, reduction, [](auto x, auto t) { return abs(x - t); });
}

Tensor huber_loss(const Input& x, const Input& target, double delta, Reduction reduction) {
    if (!(delta > 0))
        located("huber_loss", {x, target}, [&] { throw ValueError(fmt::format("delta is {}, not above 0", delta)); });
    return loss_of("huber_loss", x, target, reduction, [delta](auto x, auto t) {
        const auto distance = abs(x - t);
        return where(distance <= delta, 0.5 * square(x - t), delta * (distance - 0.5 * delta));
    });
}

Tensor binary_cross_entropy_with_logits(const Input& x, const Input& target, double positive_weight,
                                        Reduction reduction) {
    return loss_of("binary_cross_entropy_with_logits", x, target, reduction, [positive_weight](auto x, auto t) {
        return (1.0 - t) * x + (1.0 + (positive_weight - 1.0) * t) * softplus(-x);
    });
}

Tensor kl_div(const Input& x, const Input& target, Reduction reduction) {
    const auto f = [](auto x, auto t) { return xlogy(t, t) - t * x; };
    if (reduction != Reduction::batchmean) return loss_of("kl_div", x, target, reduction, f);
    return located("kl_div", {x, target}, [&] {
        const Shape& shape = x.tensor().shape();
        const Tensor total = loss_of("kl_div", x, target, Reduction::sum, f);
        return Input(total, x.where()) / static_cast<double>(shape.rank() > 0 ? shape[0] : 1);
    });
}

Tensor hinge_loss(const Input& x, const Input& target, double margin, Reduction reduction) {
    return loss_of("hinge_loss", x, target, reduction, [margin](auto x, auto t) { return relu(margin - t * x); });
}

Tensor nll_loss(const Input& x, const Tensor& labels, const NllOptions& options) {
    return located("nll_loss", {x, {labels, x.where()}, {options.weight, x.where()}}, [&]() -> Tensor {
        require_common(options.reduction);
        const SourceLine& line = x.where();
        Shape rows = x.tensor().shape();
        if (rows.rank() == 0 || (rows.erase(rows.rank() - 1), labels.shape() != rows))
            throw ShapeError(fmt::format("labels {} are not one for each row of x {}", to_string(labels.shape()),
                                         to_string(x.tensor().shape())));
        if (labels.dtype() != Dtype::int64 && labels.dtype() != Dtype::int32)
            throw DtypeError(fmt::format("labels must be int64 or int32, not {}", to_string(labels.dtype())));
        require_floating(x.tensor(), "x");
        // Ignored labels look up class 0, and what they find is left out.
        std::vector<std::int64_t> classes = labels.to_vector<std::int64_t>();
        std::vector<double> counts(classes.size(), 1);
        const std::int64_t all = x.tensor().dim(-1);
        for (std::size_t i = 0; i < classes.size(); ++i) {
            if (classes[i] == options.ignore_index)
                classes[i] = 0, counts[i] = 0;
            else if (classes[i] < 0 || classes[i] >= all)
                throw ValueError(fmt::format("label {} of row {} is outside [0, {})", classes[i], i, all));
        }
        const Tensor index = tensor(classes, rows), found = gather(x, -1, unsqueeze({index, line}, -1));
        Tensor each = -Input(squeeze({found, line}, -1), line);
        Tensor weights = cast(tensor(counts, rows), x.tensor().dtype());
        const Tensor count = weights;
        each = where(Input(count, line), each, 0.0);
        if (options.weight.defined()) {
            if (options.weight.shape() != Shape{x.tensor().dim(-1)})
                throw ShapeError(fmt::format("the weights {} are not one for each class of x {}",
                                             to_string(options.weight.shape()), to_string(x.tensor().shape())));
            const Tensor of_labels = gather({options.weight, line}, 0, reshape({index, line}, {-1}));
            weights = Input(reshape({of_labels, line}, rows), line) * count;
            each = Input(each, line) * weights;
        }
        if (options.reduction == Reduction::none) return each;
        const Tensor total = sum({each, line}), weight = sum({weights, line});
        if (options.reduction == Reduction::sum || weight.item() == 0) return total;
        return Input(total, line) / weight;
    });
}

Tensor nll_loss(const Input& x, const Tensor& labels, Reduction reduction) {
    return nll_loss(x, labels, NllOptions{.reduction = reduction});
}

Tensor cosine_similarity(const Input& x, const Input& y, int axis, double epsilon) {
    return located("cosine_similarity", {x, y}, [&] {
        // Along the axis both need all elements before their norms are taken.
        const Shape shape = broadcast(x.tensor().shape(), y.tensor().shape());
        const Tensor a = expand(x, shape), b = expand(y, shape);
        const Input left(a, x.where()), right(b, y.where());
        const Tensor inner = map_sum([](auto x, auto y) { return x * y; }, axis, left, right);
        const Tensor length_x = norm(left, 2, axis), length_y = norm(right, 2, axis);
        return map(
            [epsilon](auto inner, auto a, auto b) { return inner / (maximum(a, epsilon) * maximum(b, epsilon)); },
            inner, length_x, length_y);
    });
}

}  // namespace wengert
