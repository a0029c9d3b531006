#pragma once

#include <wengert/models/seq2seq/seq2seq.hpp>

namespace wengert {

inline Tensor ids(const std::vector<std::int64_t>& values, const Shape& shape) { return tensor(values, shape); }

/// The sizes of the fixtures.
inline constexpr Seq2SeqOptions small{
    .source_vocabulary = 11, .target_vocabulary = 9, .embedding = 4, .hidden = 5, .attention = 6};

inline Seq2SeqOptions with(int layers, bool bidirectional, double dropout = 0) {
    Seq2SeqOptions options = small;
    options.layers = layers, options.bidirectional = bidirectional, options.dropout = dropout;
    return options;
}

/// Three pairs of 4, 4 and 1 source tokens.
struct SmallBatch {
    Tensor source = ids({5, 9, 5, 2, 4, 10, 3, 2, 2, 0, 0, 0}, {3, 4});
    Tensor lengths = ids({4, 4, 1}, {3});
    Tensor target = ids({1, 4, 7, 4, 2, 1, 8, 2, 0, 0, 1, 2, 0, 0, 0}, {3, 5});
};

}  // namespace wengert
