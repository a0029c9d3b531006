#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <wengert/autograd/check/gradcheck_model.hpp>
#include <wengert/autograd/tape/observer.hpp>

namespace wengert {
namespace {

/// Copies of what each op was given. A node is known by its result, which is kept until it has an id.
class OperandCopies final : public Observer {
  public:
    void computed(const Inputs& in, const Tensor& out) override {
        std::vector<Tensor> copies;
        for (std::size_t i = 0; i < in.size(); ++i) copies.push_back(in[i].clone());
        calls_.emplace_back(out, std::move(copies));
    }
    std::map<NodeId, std::vector<Tensor>> by_node(const Tape& tape) {
        std::map<NodeId, std::vector<Tensor>> result;
        for (auto& [out, copies] : calls_)
            if (const NodeId id = tape.find(out); id != no_node) result.emplace(id, std::move(copies));
        return result;
    }

  private:
    std::vector<std::pair<Tensor, std::vector<Tensor>>> calls_;
};

Tensor run_again(const Node& node, const std::vector<Tensor>& operands) {
    std::vector<const Tensor*> pointers;
    for (const Tensor& x : operands) pointers.push_back(&x);
    return node.apply_again(Inputs(pointers));
}

NodeCheck check_operand(const Tape& tape, NodeId id, std::vector<Tensor> operands, std::size_t i,
                        GradcheckOptions options) {
    const Node& node = tape[id];
    const std::string& name = operands[i].name();
    NodeCheck row{.node = id,
                  .op = std::string(node.name()),
                  .scope = to_string(node.place()),
                  .input = fmt::format("operand {}", i) + (name.empty() ? "" : " \"" + name + '"'),
                  .where = node.where(),
                  .error = 0,
                  .verdict = GradcheckVerdict::not_checked,
                  .message = {}};
    {
        const Pause pause;
        if (!run_again(node, operands).defined()) return row;
    }
    options.names = {row.input};
    const GradcheckResult result = gradcheck(
        [&](const std::vector<Tensor>& in) {
            operands[i] = in[0];
            return run_again(node, operands);
        },
        {operands[i]}, options);
    row.error = result.worst_error;
    row.verdict = result.verdict;
    row.message = result.message;
    return row;
}

void require_used(const Tape& tape, const std::vector<Tensor>& parameters) {
    for (const Tensor& p : parameters) {
        if (p.dtype() != Dtype::float64)
            throw DtypeError(fmt::format("gradcheck_model: the parameter \"{}\" {} is {}; differences need float64",
                                         p.name(), to_string(p.shape()), to_string(p.dtype())));
        if (tape.find(p) == no_node)
            throw TapeError(fmt::format("gradcheck_model: the loss does not use the parameter \"{}\" {}", p.name(),
                                        to_string(p.shape())));
    }
}

}  // namespace

std::vector<NodeCheck> gradcheck_model(const std::function<Tensor()>& loss, const std::vector<Tensor>& parameters,
                                       const GradcheckOptions& options) {
    Tape tape;
    const NodeId first = tape.size();
    std::map<NodeId, std::vector<Tensor>> nodes;
    {
        OperandCopies copies;
        loss();
        nodes = copies.by_node(tape);
    }
    require_used(tape, parameters);
    const NodeId end = tape.size();
    std::vector<NodeCheck> rows;
    for (NodeId id = first; id < end; ++id) {
        const Node& node = tape[id];
        const auto operands = nodes.find(id);
        for (std::size_t i = 0; i < node.inputs().size(); ++i) {
            if (node.inputs()[i] == no_node) continue;
            if (operands != nodes.end()) {
                rows.push_back(check_operand(tape, id, operands->second, i, options));
            } else {
                rows.push_back({id,
                                std::string(node.name()),
                                to_string(node.place()),
                                fmt::format("operand {}", i),
                                node.where(),
                                0,
                                GradcheckVerdict::not_checked,
                                {}});
            }
        }
    }
    const auto is_fine = [](const NodeCheck& row) { return row.verdict == GradcheckVerdict::passed; };
    std::ranges::stable_sort(rows, [&](const NodeCheck& a, const NodeCheck& b) {
        return is_fine(a) != is_fine(b) ? is_fine(b) : a.error > b.error;
    });
    return rows;
}

}  // namespace wengert
