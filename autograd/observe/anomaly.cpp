#include <fmt/format.h>

#include <limits>
#include <wengert/autograd/observe/anomaly.hpp>
#include <wengert/autograd/observe/non_finite.hpp>
#include <wengert/autograd/tape/node.hpp>

namespace wengert {
namespace {

std::string range(const Tensor& x) {
    if (!is_floating(x.dtype()) || x.numel() == 0) return to_string(x.shape());
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (const double v : x.to_vector<double>()) {
        low = std::min(low, v);
        high = std::max(high, v);
    }
    std::string text = fmt::format("{} in [{:.4g}, {:.4g}]", to_string(x.shape()), low, high);
    if (const auto nan = first_non_finite(x, false)) text += fmt::format(" and nan at {}", to_string(nan->index));
    return text;
}

}  // namespace

void DetectAnomalies::computed(const Applied&, const Inputs& in, const Tensor& out) {
    const auto bad = first_non_finite_made(in, out);
    if (!bad) return;
    node_ = nullptr;
    operand_ = {};
    const Recording* const recording = Recording::current();
    for (std::size_t i = 0; recording != nullptr && i < in.size() && !operand_.defined(); ++i)
        if (recording->find_own(in[i]) != no_node) operand_ = in[i];
    std::string text = fmt::format("forward produced {} at {} of the result {}; operands", bad->value,
                                   to_string(bad->index), to_string(out.shape()));
    for (std::size_t i = 0; i < in.size(); ++i) text += (i > 0 ? ", " : " ") + range(in[i]);
    throw NonFiniteError(text);
}

void DetectAnomalies::contributed(const Node& node, std::size_t index, const Tensor& cotangent) {
    const auto bad = first_non_finite(cotangent);
    if (!bad) return;
    node_ = &node;
    operand_ = {};
    std::string text = fmt::format("backward produced {} at {} of the cotangent {} of operand {}", bad->value,
                                   to_string(bad->index), to_string(cotangent.shape()), index);
    for (std::size_t i = 0; i < node.saved().size(); ++i)
        text += fmt::format("{} {}", i > 0 ? "," : "; saved", range(node.saved()[i].tensor));
    NonFiniteError error(text);
    error.locate(node.name(), to_string(node.place()), node.where());
    throw error;
}

NodeId DetectAnomalies::culprit(const Tape& tape) const {
    if (operand_.defined()) return tape.find(operand_);
    for (NodeId id = 0; id < tape.size(); ++id)
        if (&tape[id] == node_) return id;
    return no_node;
}

}  // namespace wengert
