#pragma once

#include <wengert/nn/module.hpp>

namespace WENGERT_EXPORT wengert {

/// A table of vectors, one for each id; initially standard normal, as PyTorch's.
struct Embedding {
    Tensor weight;  ///< [vocabulary, features]

    Embedding() = default;
    /// Throws ValueError unless both numbers are 1 or more.
    Embedding(std::int64_t vocabulary, std::int64_t features, Generator& generator)
        : weight((require_features("Embedding", {vocabulary, features}),
                  normal({vocabulary, features}, 0, 1, generator))) {
        name_parameters(*this);
    }

    /// ids int64 or int32 [..] -> [.., features].  Throws ValueError for an id outside the vocabulary and if the layer
    /// has no weight, DtypeError unless the ids are int64 or int32.
    Tensor operator()(const Input& ids) const {
        require_parameter(weight, "embedding", "weight", ids.where());
        return embedding(Input(weight, ids.where()), ids.tensor());
    }

    void visit(auto&& f) { f("weight", weight); }
};

}  // namespace wengert
