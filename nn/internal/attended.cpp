#include <fmt/format.h>

#include <limits>
#include <wengert/nn/internal/attended.hpp>

namespace wengert::attended {

Tensor padding(std::string_view layer, const Input& input, const Tensor& lengths) {
    const Tensor& states = input.tensor();
    return located(layer, {&states}, input.where(), [&] {
        if (states.rank() != 3) throw ShapeError("states must be [B, S, M], not " + to_string(states.shape()));
        if (!lengths.defined()) return Tensor();
        if (lengths.dtype() == Dtype::boolean) {
            if (lengths.shape() != Shape{states.dim(0), states.dim(1)})
                throw ShapeError("the padding mask " + to_string(lengths.shape()) +
                                 " is not one element for each position of states " + to_string(states.shape()));
            return cast(lengths, states.dtype());
        }
        if (lengths.shape() != Shape{states.dim(0)})
            throw ShapeError("lengths " + to_string(lengths.shape()) + " are not one for each row of states " +
                             to_string(states.shape()));
        return 1 - length_mask({lengths, input.where()}, states.dim(1), states.dtype());
    });
}

void require_padding_behind(std::string_view layer, const Input& states, const Tensor& lengths) {
    if (!lengths.defined() || lengths.dtype() != Dtype::boolean || lengths.numel() == 0) return;
    const Tensor later = slice(lengths, 1, 1, lengths.dim(1)), earlier = slice(lengths, 1, 0, lengths.dim(1) - 1);
    located(layer, {&states.tensor()}, states.where(), [&] {
        if (any(earlier > later).item() != 0)
            throw ValueError("the padding mask has padding before a token, and a window is counted from the first");
    });
}

void require_fitting(std::string_view layer, const Input& input, const Tensor& keys, std::int64_t features) {
    const Tensor& state = input.tensor();
    located(layer, {&state}, input.where(), [&] {
        if (!keys.defined()) throw ValueError("the memory is empty; remember() makes one");
        if (state.rank() != 2 || (state.dim(0) != keys.dim(0) && state.dim(0) != 1 && keys.dim(0) != 1))
            throw ShapeError(fmt::format("the state {} is not one row for each of the memory's {}",
                                         to_string(state.shape()), keys.dim(0)));
        if (keys.dim(2) != features)
            throw ShapeError(fmt::format("the memory's keys {} are of another layer, not of {} features",
                                         to_string(keys.shape()), features));
    });
}

Tensor additive_scores(const Tensor& v, const Tensor& keys, const Tensor& queries) {
    return map_sum([](auto v, auto k, auto q) { return v * tanh(k + q); }, -1, v, keys, unsqueeze(queries, 1));
}

Tensor weigh(const Tensor& scores, const Tensor& mask) {
    return softmax(mask.defined() ? masked_fill(scores, mask, -std::numeric_limits<double>::infinity()) : scores);
}

Tensor context(const Tensor& weights, const Tensor& states) {
    return squeeze(matmul(unsqueeze(weights, 1), states), 1);
}

}  // namespace wengert::attended
