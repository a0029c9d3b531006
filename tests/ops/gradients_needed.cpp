// Mirrors no file: every op of the list computes no cotangent in vain.
#include <doctest/doctest.h>

#include <initializer_list>
#include <set>
#include <string>
#include <vector>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/autograd/transform/derivatives.hpp>
#include <wengert/ops/all_ops.hpp>
#include <wengert/ops/ops.hpp>

using namespace wengert;

namespace {

/// What ops computed of what, and what rules contributed to inputs that nobody waits for. It holds all results, so that
/// no two have one address.
class Computations final : public Observer {
  public:
    struct Result {
        std::string op;
        Tensor out;
        std::vector<const void*> in;
    };
    std::vector<Result> results;
    std::set<std::string> discarded_by;

    void begin(const Work&) override { open_.push_back(results.size()); }
    void end(const Work&) override { open_.pop_back(); }
    void computed(const Applied& op, const Inputs& in, const Tensor& out) override {
        results.resize(open_.back());  // what an op's forward calls is the op's
        Result result{std::string(op.name()), out, {}};
        for (std::size_t i = 0; i < in.size(); ++i) result.in.push_back(elements_of(in[i]));
        results.push_back(result);
    }
    void discarded(const Node& node, std::size_t input) override {
        discarded_by.insert(std::string(node.name()) + " for operand " + std::to_string(input));
    }

    /// The ops whose results did not lead to what is wanted. Views cost nothing.
    std::string in_vain(std::initializer_list<Tensor> wanted) const {
        std::set<const void*> used;
        for (const Tensor& x : wanted) used.insert(elements_of(x));
        std::string names;
        for (auto result = results.rbegin(); result != results.rend(); ++result) {
            if (used.contains(elements_of(result->out)))
                used.insert(result->in.begin(), result->in.end());
            else
                names += (names.empty() ? "" : ", ") + result->op;
        }
        return names;
    }

  private:
    static const void* elements_of(const Tensor& x) { return x.state()->storage; }

    std::vector<std::size_t> open_;  // how many results there were when each work began that has not ended
};

/// f(sample, number of the one input that is watched), for all samples of all ops.
template <class F>
void for_each_operand(const F& f) {
    for (const OpEntry& op : all_ops()) {
        if (!op.differentiable) continue;
        CAPTURE(op.name);
        for (const Sample& sample : op.samples()) {
            CAPTURE(sample.label);
            for (std::size_t i = 0; i < sample.inputs.size(); ++i)
                if (CAPTURE(i); is_floating(sample.inputs[i].dtype())) f(sample, i);
        }
    }
}

}  // namespace

TEST_CASE("gradients_needed: with one operand watched a recorded pass computes nothing that serves others alone") {
    for_each_operand([](const Sample& sample, std::size_t i) {
        Tape tape;
        const Tensor& x = sample.inputs[i];
        tape.watch(x);
        const Tensor result = sample.f(sample.inputs);
        if (tape.find(result) == no_node) return;  // the sample's call makes a constant of it
        const Tensor cotangent = sample_values(result.shape(), -1, 1, 9);
        const Computations computations;
        const Tensor slope = tape.gradient(result, x, {.create_graph = true, .cotangent = cotangent});
        CHECK(computations.in_vain({slope}) == "");
        CHECK(computations.discarded_by.empty());
    });
}

TEST_CASE("gradients_needed: nor does a pass that is not recorded contribute to others") {
    for_each_operand([](const Sample& sample, std::size_t i) {
        Tape tape;
        tape.watch(sample.inputs[i]);
        const Tensor result = sample.f(sample.inputs);
        if (tape.find(result) == no_node) return;
        const Tensor cotangent = sample_values(result.shape(), -1, 1, 9);
        const Computations computations;
        tape.gradient(result, sample.inputs[i], {.cotangent = cotangent});
        CHECK(computations.discarded_by.empty());
    });
}

TEST_CASE("gradients_needed: with one operand that moves forward mode computes nothing but the value and its tangent") {
    for_each_operand([](const Sample& sample, std::size_t i) {
        const auto of_operand = [&](const Tensor& x) {
            std::vector<Tensor> inputs = sample.inputs;
            inputs[i] = x;
            return sample.f(inputs);
        };
        const Tensor direction = sample_values(sample.inputs[i].shape(), -1, 1, 9);
        const Computations computations;
        try {
            const auto [value, tangent] = jvp(of_operand, sample.inputs[i], direction);
            CHECK(computations.in_vain({value, tangent}) == "");
        } catch (const TapeError&) {  // the sample's call makes a constant of it
        }
    });
}
