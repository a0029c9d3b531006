#pragma once

#include <wengert/models/seq2seq/system_options.hpp>
#include <wengert/nn/nn.hpp>

namespace WENGERT_EXPORT wengert {

/// Dropout of x [B, T, F] with probability p: of each element, or, if `variational`, of one feature at all steps of a
/// sentence (Gal and Ghahramani 2016, A theoretically grounded application of dropout in recurrent neural networks). Of
/// one step alone, [B, F], always of each element. This and the next two throw what dropout() throws.
Tensor drop_features(const Input& x, double p, bool variational, Generator* noise);

/// Dropout of whole words: of x [.., F], all features at a place together (Sennrich et al. 2016, Edinburgh neural
/// machine translation systems for WMT 16).
Tensor drop_words(const Input& x, double p, Generator* noise);

/// An embedding [.., E] as a system reads it: word dropout, then dropout.
Tensor drop_embedded(const Input& x, const SystemOptions& options, Generator* noise);

/// Dropout of what a decoder makes step by step, [B, F]: at each of its places a new mask in each step, or, if
/// `variational`, the mask of the first step in all of them.
class StepDropout {
  public:
    /// Drops nothing.
    StepDropout() = default;
    StepDropout(Generator* noise, bool variational) : noise_(noise), is_variational_(variational) {}

    void begin_step() { place_ = 0; }
    /// At the next place, with probability p. The places of each step come in the same order.
    Tensor operator()(const Input& x, double p);
    /// At the next place, what a cell's products multiply the state h [B, H] by: the same in all steps, and undefined
    /// if nothing is dropped.
    Tensor of_state(const Tensor& h, double p);

  private:
    const Tensor& mask(const Tensor& x, double p);

    Generator* noise_ = nullptr;
    bool is_variational_ = false;
    std::size_t place_ = 0;
    std::vector<Tensor> masks_;  // of the places whose mask stays
};

}  // namespace wengert
