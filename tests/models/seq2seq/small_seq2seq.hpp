#pragma once

#include <algorithm>
#include <wengert/models/seq2seq/decoding/search.hpp>
#include <wengert/models/seq2seq/systems/attention_decoder.hpp>

namespace wengert {

inline Tensor ids(const std::vector<std::int64_t>& values, const Shape& shape) { return tensor(values, shape); }

/// The sizes of the fixtures.
inline constexpr SystemOptions small{
    .source_vocabulary = 11, .target_vocabulary = 9, .embedding = 4, .hidden = 5, .attention = 6};

inline SystemOptions with(int layers, bool bidirectional, double dropout = 0) {
    SystemOptions options = small;
    options.layers = layers, options.bidirectional = bidirectional, options.dropout = dropout;
    return options;
}

/// Three pairs of 4, 4 and 1 source tokens.
struct SmallBatch {
    Tensor source = ids({5, 9, 5, 2, 4, 10, 3, 2, 2, 0, 0, 0}, {3, 4});
    Tensor lengths = ids({4, 4, 1}, {3});
    Tensor target = ids({1, 4, 7, 4, 2, 1, 8, 2, 0, 0, 1, 2, 0, 0, 0}, {3, 5});
};

/// The best token at each step, as search() finds them.
struct Greedy {
    std::vector<std::vector<std::int64_t>> tokens;
    Tensor weights;  ///< [B, steps, S]: 0 after a row's end
};
inline Greedy greedy(const Bahdanau& model, const Tensor& source, const Tensor& lengths, std::int64_t max_length) {
    const SystemOf<Bahdanau> system("bahdanau", {}, model);
    const System* const systems[] = {&system};
    Greedy result;
    std::int64_t steps = 0;
    std::vector<Tensor> weights;
    for (const auto& best : search(systems, source, lengths, max_length)) {
        result.tokens.push_back(best[0].tokens);
        weights.push_back(best[0].weights);
        if (weights.back().defined()) steps = std::max(steps, weights.back().dim(0));
    }
    result.weights = zeros({std::ssize(weights), steps, source.dim(1)}, model.decoder.output.weight.dtype());
    for (std::int64_t row = 0; row < std::ssize(weights); ++row) {
        const Tensor& of_row = weights[static_cast<std::size_t>(row)];
        if (!of_row.defined()) continue;
        const Tensor part = select(result.weights, 0, row);
        write(of_row, {slice(slice(part, 0, 0, of_row.dim(0)), 1, 0, of_row.dim(1))});
    }
    return result;
}

}  // namespace wengert
