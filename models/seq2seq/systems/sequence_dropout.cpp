#include <wengert/models/seq2seq/systems/sequence_dropout.hpp>

namespace wengert {
namespace {

/// x times a mask of dropout of another shape, which is broadcast.
Tensor times_mask(const Input& x, const Shape& shape, double p, Generator& noise) {
    const Dtype dtype = x.tensor().dtype();
    return x * dropout(ones(shape, dtype), p, noise);
}

}  // namespace

Tensor drop_features(const Input& x, double p, bool variational, Generator* noise) {
    if (noise == nullptr || p == 0) return x.tensor();
    if (!variational || x.tensor().rank() < 3) return dropout(x, p, *noise);
    Shape shape = x.tensor().shape();
    shape[1] = 1;
    return times_mask(x, shape, p, *noise);
}

Tensor drop_words(const Input& x, double p, Generator* noise) {
    if (noise == nullptr || p == 0) return x.tensor();
    Shape shape = x.tensor().shape();
    shape[shape.rank() - 1] = 1;
    return times_mask(x, shape, p, *noise);
}

Tensor StepDropout::operator()(const Input& x, double p) {
    if (noise_ == nullptr || p == 0) return x.tensor();
    if (!is_variational_) return dropout(x, p, *noise_);
    if (place_ == masks_.size()) masks_.push_back(dropout(ones(x.tensor().shape(), x.tensor().dtype()), p, *noise_));
    return x * masks_[place_++];
}

Tensor drop_embedded(const Input& x, const SystemOptions& options, Generator* noise) {
    const Tensor words = drop_words(x, options.word_dropout, noise);
    return drop_features({words, x.where()}, options.dropout, options.variational, noise);
}

}  // namespace wengert
