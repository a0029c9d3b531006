#pragma once

#include <doctest/doctest.h>

#include <array>
#include <set>
#include <string>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/nn/safetensors.hpp>

#include "close.hpp"

/// Comparison with the results of PyTorch that lie in tests/fixtures. WENGERT_FIXTURES is that directory.
namespace parity {

using namespace wengert;

struct Precision {
    Dtype dtype;
    double tolerance;
};
inline constexpr std::array precisions{Precision{Dtype::float64, 1e-10}, Precision{Dtype::float32, 1e-5}};

class Fixture {
  public:
    Fixture(const std::string& name, const Precision& precision)
        : file_(read_safetensors(std::string(WENGERT_FIXTURES "/") + name + ".safetensors")), precision_(precision) {}

    /// A tensor of the file; floating-point numbers in the precision's dtype.
    Tensor operator[](const std::string& name) const {
        const Tensor& x = file_.at(name);
        return is_floating(x.dtype()) ? cast(x, precision_.dtype) : x;
    }

    /// A layer of this precision's dtype with the file's values for all parameters.
    template <Module M>
    M load(const M& layer) const {
        M result = to(layer, precision_.dtype);
        NamedTensors values;
        for (const auto& [name, parameter] : named_parameters(result)) values.emplace_back(name, (*this)[name]);
        assign(named_parameters(result), values);
        return result;
    }

    void check(const std::string& name, const Tensor& actual) const {
        INFO(name, ", ", to_string(precision_.dtype));
        CHECK(difference(actual, (*this)[name], precision_.tolerance) == "");
    }

    /// Compares the gradients of `result` by `inputs` with all that the file has.
    void check_gradients(Tape& tape, const Tensor& result, const NamedTensors& inputs) const {
        std::vector<Tensor> tensors;
        std::set<std::string> names;
        for (const auto& [name, tensor] : inputs) {
            tensors.push_back(tensor);
            names.insert("grad." + name);
        }
        const std::vector<Tensor> gradients = tape.gradient(result, tensors);
        for (std::size_t i = 0; i < inputs.size(); ++i) check("grad." + inputs[i].first, gradients[i]);
        for (const auto& [name, tensor] : file_.tensors)
            if (name.starts_with("grad.")) CHECK_MESSAGE(names.contains(name), name, " is not compared");
    }

  private:
    TensorFile file_;
    Precision precision_;
};

}  // namespace parity
