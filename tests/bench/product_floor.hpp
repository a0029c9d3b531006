#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

namespace wengert {

/// The sizes of the model whose products are counted.
struct FloorModel {
    std::int64_t hidden, embedding, vocabulary, attention;
    int layers;
    bool bidirectional;
};

/// Real lengths of a batch's sentences: sources with </s>, targets with <s> and </s>.
struct BatchLengths {
    std::vector<std::int64_t> source, target;
};

/// The time that a step's matrix products take alone, each at the best rate that OpenBLAS reaches on its shape: what a
/// step cannot go below. Padding is left out: step t of a recurrent layer has as many rows as there are sentences
/// longer than t. Forward y = x W^T; when training also dx at each step, and dW once over all steps.
class ProductFloor {
  public:
    explicit ProductFloor(const FloorModel& model, bool training) : model_(model), training_(training) {}
    double seconds(const BatchLengths& lengths);
    /// Decoding one token after another: as many products of the output layer as there are steps.
    double greedy_seconds(std::int64_t batch, std::int64_t source_length, std::int64_t steps);

  private:
    enum class Kind { forward, input_gradient, weight_gradient };
    double layer(const std::vector<std::int64_t>& rows_of_steps, std::int64_t in, std::int64_t out);
    double product(Kind kind, std::int64_t rows, std::int64_t in, std::int64_t out, bool repeats);

    const FloorModel model_;
    const bool training_;
    std::map<std::tuple<Kind, std::int64_t, std::int64_t, std::int64_t>, double> measured_;
    std::vector<float> a_, b_, c_;
};

}  // namespace wengert
