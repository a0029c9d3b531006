#include <wengert/models/seq2seq/systems/sequence_dropout.hpp>

namespace wengert {

Tensor drop_features(const Input& x, double p, bool variational, Generator* noise) {
    if (noise == nullptr || p == 0) return x.tensor();
    return dropout(x, p, *noise, variational && x.tensor().rank() == 3 ? ReductionAxes(1) : ReductionAxes());
}

Tensor drop_words(const Input& x, double p, Generator* noise) {
    return noise == nullptr ? x.tensor() : dropout(x, p, *noise, -1);
}

Tensor StepDropout::operator()(const Input& x, double p) {
    if (noise_ == nullptr || p == 0) return x.tensor();
    if (!is_variational_) return dropout(x, p, *noise_);
    return x * mask(x.tensor(), p);
}

Tensor StepDropout::of_state(const Tensor& h, double p) { return noise_ == nullptr || p == 0 ? Tensor() : mask(h, p); }

const Tensor& StepDropout::mask(const Tensor& x, double p) {
    if (place_ == masks_.size()) masks_.push_back(dropout(ones(x.shape(), x.dtype()), p, *noise_));
    return masks_[place_++];
}

Tensor drop_embedded(const Input& x, const SystemOptions& options, Generator* noise) {
    const Tensor words = drop_words(x, options.word_dropout, noise);
    return drop_features({words, x.where()}, options.dropout, options.variational, noise);
}

}  // namespace wengert
