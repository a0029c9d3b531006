#include <fmt/format.h>

#include <cmath>
#include <wengert/autograd/tape/scope.hpp>
#include <wengert/models/seq2seq/systems/target_words.hpp>

namespace wengert {

TargetWords::TargetWords(const SystemOptions& options, Readout usual, std::int64_t state, std::int64_t context,
                         Generator& generator)
    : embedding(options.target_vocabulary, options.embedding, generator),
      kind_(options.readout_or(usual)),
      options_(options) {
    if (kind_ != Readout::state)
        readout = Linear(state + context + options.embedding, (kind_ == Readout::maxout ? 2 : 1) * options.embedding,
                         generator);
    const std::int64_t features = kind_ == Readout::state ? state : options.embedding;
    output = Linear(features, options.target_vocabulary, generator);
    if (options.tying == Tying::none) return;
    if (features != options.embedding)
        throw ValueError(
            fmt::format("tying: the output layer reads {} features, and an embedding has {}; the two are "
                        "equal with a deep or maxout readout",
                        features, options.embedding));
    // A row is an embedding and a row of the output layer, which must not begin as large.
    initialize::normal(embedding.weight, 0, 1 / std::sqrt(static_cast<double>(features)), generator);
    output.weight = embedding.weight;
}

Tensor TargetWords::embed(const Tensor& ids, Generator* noise) const {
    const Scope scope("embedding");
    return drop_embedded(embedding(ids), options_, noise);
}

Tensor TargetWords::features(const std::vector<Tensor>& step, const Tensor& embedded, Generator* noise) const {
    const Scope scope("readout");
    Tensor read = step[0];
    if (kind_ != Readout::state) {
        std::vector<Tensor> all = step;
        all.push_back(embedded);
        read = readout(concat(all, -1));
        if (kind_ == Readout::deep) {
            read = tanh(read);
        } else {
            const auto [first, second] = chunk<2>(read);
            read = maximum(first, second);
        }
    }
    return drop_features(read, options_.dropout_at_output(), options_.variational, noise);
}

}  // namespace wengert
