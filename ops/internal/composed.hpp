#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>
#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/sample.hpp>

/// Functions that are composed of ops. ops/<folder>/composed.cpp has those of a folder.
namespace wengert {

using Samples = std::vector<Sample>;

/// The row of such a function in the reference, or of several that are alike, and the samples over which their
/// gradients are checked. What has a derivative does not compile without samples.
struct ComposedFunction {
    OpDoc doc;
    Samples (*samples)();  ///< null if it has no derivative

    consteval ComposedFunction(const OpDoc& doc, Samples (*samples)() = nullptr) : doc(doc), samples(samples) {
        if ((samples != nullptr) == (doc.derivative == "none"))
            throw "a function has samples if it has a derivative, and only then";
    }
};

/// f of operands of these shapes, with values between -1.5 and 1.5.
template <class F>
Sample sample_of(std::string label, const std::vector<Shape>& shapes, F f) {
    std::vector<Tensor> inputs;
    for (const Shape& shape : shapes) inputs.push_back(sample_values(shape, -1.5, 1.5, inputs.size() + 1));
    return {std::move(label), std::move(inputs), std::move(f)};
}

std::span<const ComposedFunction> composed_comparisons();
std::span<const ComposedFunction> composed_formulas();
std::span<const ComposedFunction> composed_counts();
std::span<const ComposedFunction> composed_reductions();
std::span<const ComposedFunction> composed_statistics();
std::span<const ComposedFunction> composed_views();
std::span<const ComposedFunction> composed_products();
std::span<const ComposedFunction> composed_least_squares();
std::span<const ComposedFunction> composed_matrix_products();
std::span<const ComposedFunction> composed_solutions();
std::span<const ComposedFunction> composed_lookups();
std::span<const ComposedFunction> composed_positions();
std::span<const ComposedFunction> composed_arrangements();
std::span<const ComposedFunction> composed_scatters();
std::span<const ComposedFunction> composed_orders();
std::span<const ComposedFunction> composed_noise();
std::span<const ComposedFunction> composed_losses();
std::span<const ComposedFunction> composed_masks();
std::span<const ComposedFunction> composed_normalisations();
std::span<const ComposedFunction> composed_pools();
std::span<const ComposedFunction> composed_distributions();
std::span<const ComposedFunction> composed_random_tensors();

}  // namespace wengert
