#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <wengert/autograd/check/gradcheck_model.hpp>
#include <wengert/autograd/check/internal/gradcheck_whole.hpp>
#include <wengert/autograd/tape/operation.hpp>

namespace wengert {
namespace {

/// Copies of what each op was given. A node is known by its result, which is kept until it has an id.
class OperandCopies final : public Observer {
  public:
    void computed(const Applied&, const Inputs& in, const Tensor& out) override {
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

/// Some elements of a tensor of float64 as a vector, and its adjoint: a tensor of zeros but for them.
struct TakeElements {
    static constexpr std::string_view name = "take_elements";
    std::vector<std::int64_t> at;
    Shape shape(const Inputs&) const { return {static_cast<std::int64_t>(at.size())}; }
    void forward(const Inputs& in, const Destination& out) const {
        const Tensor x = packed(in[0]);
        auto* to = static_cast<double*>(out.tensor.raw());
        for (const std::int64_t i : at) *to++ = x.data<double>()[i];
    }
    void vjp(Backward& back) const;
};
struct PutElements {
    static constexpr std::string_view name = "put_elements";
    std::vector<std::int64_t> at;
    Shape to;
    Shape shape(const Inputs&) const { return to; }
    void forward(const Inputs& in, const Destination& out) const {
        const Tensor x = packed(in[0]);
        fill(out.tensor, 0);
        const double* next = x.data<double>();
        for (const std::int64_t i : at) static_cast<double*>(out.tensor.raw())[i] = *next++;
    }
    void vjp(Backward& back) const { back.add(0, TakeElements{at}, back.cotangent()); }
};
void TakeElements::vjp(Backward& back) const { back.add(0, PutElements{at, back.input_shape(0)}, back.cotangent()); }

/// (a + a^T) / 2 of matrices of float64, which is its own adjoint: [.., n, n] -> the same.
struct Symmetrize {
    static constexpr std::string_view name = "symmetrize";
    Shape shape(const Inputs& in) const { return in[0].shape(); }
    void forward(const Inputs& in, const Destination& out) const {
        const Tensor a = packed(in[0]);
        const std::int64_t n = a.dim(-1);
        const double* from = a.data<double>();
        auto* to = static_cast<double*>(out.tensor.raw());
        for (const double* const end = from + a.numel(); from != end; from += n * n, to += n * n)
            for (std::int64_t i = 0; i < n; ++i)
                for (std::int64_t j = 0; j < n; ++j) to[i * n + j] = 0.5 * (from[i * n + j] + from[j * n + i]);
    }
    void vjp(Backward& back) const { back.add(0, Symmetrize{}, back.cotangent()); }
};

/// Whether each matrix is symmetric but for roundings, its own and of what made it. What is not finite is not.
bool are_symmetric(const Tensor& a) {
    const std::vector<double> is = a.to_vector<double>(), mean = apply(Symmetrize{}, {&a}, {}).to_vector<double>();
    const auto elements = static_cast<std::size_t>(a.dim(-1) * a.dim(-2));
    for (std::size_t begin = 0; begin < is.size(); begin += elements) {
        const std::span matrix(&is[begin], elements), symmetric(&mean[begin], elements);
        double largest = 0;
        for (const double element : matrix) largest = std::max(largest, std::abs(element));
        const auto is_near = [&](double x, double y) { return std::abs(x - y) <= 1e-6 * largest; };
        if (!std::ranges::equal(matrix, symmetric, is_near)) return false;
    }
    return true;
}

std::vector<std::int64_t> finite_elements(const Tensor& x) {
    std::vector<std::int64_t> at;
    const std::vector<double> values = x.to_vector<double>();
    for (std::size_t i = 0; i < values.size(); ++i)
        if (std::isfinite(values[i])) at.push_back(static_cast<std::int64_t>(i));
    return at;
}

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
    const bool takes_symmetric = i == 0 && node.takes_symmetric() && operands[i].dtype() == Dtype::float64;
    std::vector<std::int64_t> finite;
    bool is_finite = true, is_symmetric = false;
    {
        const Pause pause;
        is_symmetric = takes_symmetric && are_symmetric(operands[i]);
        const Tensor result = run_again(node, operands);
        if (!result.defined()) return row;
        finite = finite_elements(result);
        is_finite = static_cast<std::int64_t>(finite.size()) == result.numel();
    }
    options.names = {row.input};
    const GradcheckResult result = gradcheck_whole(
        [&](const std::vector<Tensor>& in) {
            operands[i] = is_symmetric ? apply(Symmetrize{}, {&in[0]}, row.where) : in[0];
            const Tensor result = run_again(node, operands);
            return is_finite ? result : apply(TakeElements{finite}, {&result}, row.where);
        },
        {operands[i]}, options);
    row.error = result.worst_error;
    row.verdict = result.verdict;
    row.message = result.message;
    if (takes_symmetric && !is_symmetric && row.verdict != GradcheckVerdict::passed)
        row.message += "\nthe operand is not symmetric, and the rule is that for symmetric matrices";
    return row;
}

void require_used(const Tape& tape, const std::vector<Tensor>& parameters) {
    for (const Tensor& p : parameters) {
        if (p.dtype() != Dtype::float64)
            throw DtypeError(fmt::format("gradcheck_model: the parameter \"{}\" {} is {}; differences need float64",
                                         p.name(), to_string(p.shape()), to_string(p.dtype())));
        if (!p.is_parameter())
            throw TapeError(
                fmt::format("gradcheck_model: \"{}\" {} was not marked by set_parameter(), so that no tape "
                            "follows it",
                            p.name(), to_string(p.shape())));
        if (tape.find(p) == no_node)
            throw TapeError(fmt::format("gradcheck_model: the loss does not use the parameter \"{}\" {}", p.name(),
                                        to_string(p.shape())));
    }
}

}  // namespace

std::vector<NodeCheck> gradcheck_model(const std::function<Tensor()>& loss, const std::vector<Tensor>& parameters,
                                       const GradcheckOptions& options, const OnFailedNode& on_failure) {
    Tape tape;
    const NodeId first = tape.size();
    std::map<NodeId, std::vector<Tensor>> nodes;
    Tensor result;
    {
        OperandCopies copies;
        result = loss();
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
    const auto has_failed = [&](const NodeCheck& row) {
        return !is_fine(row) && row.verdict != GradcheckVerdict::not_checked;
    };
    if (const auto failed = std::ranges::find_if(rows, has_failed); on_failure && failed != rows.end())
        on_failure(tape, *failed, result);
    return rows;
}

std::string to_string(const std::vector<NodeCheck>& rows) {
    std::vector<std::string_view> scopes;
    for (const NodeCheck& row : rows)
        if (std::ranges::find(scopes, row.scope) == scopes.end()) scopes.push_back(row.scope);
    std::string text =
        fmt::format("{:<22} {:<28} {:>11}  {:<18} {}\n", "op", "operand", "worst error", "verdict", "line");
    for (const std::string_view scope : scopes) {
        text += fmt::format("{}\n", scope.empty() ? "(no scope)" : scope);
        for (const NodeCheck& row : rows) {
            if (row.scope != scope) continue;
            const bool has_error = row.verdict != GradcheckVerdict::not_checked;
            text += fmt::format("  {:<20} {:<28} {:>11}  {:<18} {}\n", row.op, row.input,
                                has_error ? fmt::format("{:.1e}", row.error) : "-", to_string(row.verdict),
                                to_string(row.where));
        }
    }
    const auto count = [&](GradcheckVerdict verdict) {
        return static_cast<std::size_t>(std::ranges::count(rows, verdict, &NodeCheck::verdict));
    };
    const std::size_t passed = count(GradcheckVerdict::passed), unknown = count(GradcheckVerdict::not_checked);
    return text + fmt::format("{} checks: {} passed, {} failed, {} not checked\n", rows.size(), passed,
                              rows.size() - passed - unknown, unknown);
}

}  // namespace wengert
