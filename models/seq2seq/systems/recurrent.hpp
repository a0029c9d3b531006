#pragma once

#include <wengert/models/seq2seq/system.hpp>
#include <wengert/models/seq2seq/systems/target_words.hpp>
#include <wengert/models/text/vocabulary.hpp>

namespace WENGERT_EXPORT wengert {

/// What recurrent models have in common: teacher forcing, the loss, and one step of decoding. A model derives from
/// Recurrent<Model>; besides Memory, State and encode() (see SystemOf) it has
///
///     const TargetWords& words() const;
///     Tensor project(const Tensor& embedded) const;
///     Advance advance(const Tensor& projection, const State& state, const Memory& memory, StepDropout& drop) const;
///
/// project() is what the embedded tokens of all steps contribute, [.., E] -> [.., P], in one product. advance() takes
/// one step's, [B, P], whose dropout is `drop`, and returns the next `state`, the `features` [B, ..] that
/// TargetWords::features() reads, and attention's `weights` [B, S], undefined without one.
template <class Model>
class Recurrent {
  public:
    struct Result {
        Tensor logits;   ///< [B, T - 1, V]
        Tensor weights;  ///< [B, T - 1, S], or undefined
    };

    Tensor loss(const Tensor& source, const Tensor& lengths, const Tensor& target, Generator* noise = nullptr,
                const LossOptions& options = {}) const {
        const Tensor features = follow(source, lengths, target, noise, options.sampling).features;
        const Scope scope("loss");
        const Linear& output = words().output;
        return linear_cross_entropy(features, output.weight, output.bias, slice(target, 1, 1, target.dim(1)),
                                    {.ignore_index = Vocabulary::pad, .label_smoothing = options.label_smoothing});
    }

    Result operator()(const Tensor& source, const Tensor& lengths, const Tensor& target,
                      Generator* noise = nullptr) const {
        const Followed followed = follow(source, lengths, target, noise, 0);
        const Scope scope("decoder"), layer("output");
        return {words().output(followed.features), followed.weights};
    }

    auto step(const Tensor& tokens, const auto& state, const auto& memory) const {
        const Scope scope("decoder");
        const Tensor embedded = words().embed(tokens, nullptr);
        StepDropout none;
        auto next = self().advance(self().project(embedded), state, memory, none);
        struct Next {
            Tensor logits, weights;
            decltype(next.state) state;
            Tensor heads;
        };
        Next result{words().output(words().features(next.features, embedded, nullptr)),
                    next.weights,
                    std::move(next.state),
                    {}};
        if constexpr (requires { next.heads; }) result.heads = next.heads;
        return result;
    }

  private:
    struct Followed {
        Tensor features;  ///< [B, T - 1, R]
        Tensor weights;   ///< [B, T - 1, S], or undefined
    };

    const Model& self() const { return static_cast<const Model&>(*this); }
    const TargetWords& words() const { return self().words(); }

    Followed follow(const Tensor& source, const Tensor& lengths, const Tensor& target, Generator* noise,
                    double sampling) const {
        const auto encoded = self().encode(source, lengths, noise);
        require_target(source, target);
        const Scope scope("decoder");
        const std::int64_t steps = target.dim(1) - 1;
        Tensor embedded = words().embed(slice(target, 1, 0, steps), noise);  // [B, T - 1, E]
        const Tensor projection = self().project(embedded);
        auto state = encoded.state;
        std::vector<std::vector<Tensor>> features;  // of each kind, over the steps
        std::vector<Tensor> weights, read;
        Tensor predicted;  // int64 [B], the best token after the step before
        StepDropout drop(noise, words().is_variational());
        for (std::int64_t t = 0; t < steps; ++t) {
            const Step count(t);
            drop.begin_step();
            Tensor step_projection = select(projection, 1, t);
            if (sampling > 0 && noise != nullptr) {
                Tensor step_embedded = select(embedded, 1, t);
                if (predicted.defined()) {
                    const Tensor chosen = choose(select(target, 1, t), predicted, sampling, *noise);
                    step_embedded = words().embed(chosen, noise);
                    step_projection = self().project(step_embedded);
                }
                read.push_back(step_embedded);
            }
            auto next = self().advance(step_projection, state, encoded.memory, drop);
            if (!read.empty()) {
                const Pause pause;
                predicted = argmax(words().output(words().features(next.features, read.back(), nullptr)), -1);
            }
            features.resize(next.features.size());
            for (std::size_t k = 0; k < features.size(); ++k) features[k].push_back(next.features[k]);
            if (next.weights.defined()) weights.push_back(next.weights);
            state = std::move(next.state);
        }
        if (!read.empty()) embedded = stack(read, 1);
        const Scope layer("output");
        std::vector<Tensor> stacked;
        for (const std::vector<Tensor>& kind : features) stacked.push_back(stack(kind, 1));
        return {words().features(stacked, embedded, noise), weights.empty() ? Tensor() : stack(weights, 1)};
    }

    /// Each row's target token, or with that probability the predicted one. Padding stays.
    static Tensor choose(const Tensor& target, const Tensor& predicted, double probability, Generator& noise) {
        Tensor chosen = target.clone();
        const auto from = predicted.data<std::int64_t>();
        auto to = chosen.mutable_data<std::int64_t>();
        for (std::int64_t row = 0; row < chosen.numel(); ++row)
            if (noise.uniform() < probability && to[row] != Vocabulary::pad) to[row] = from[row];
        return chosen;
    }
};

}  // namespace wengert
