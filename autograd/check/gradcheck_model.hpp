#pragma once

#include <functional>
#include <string>
#include <vector>
#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/autograd/tape/tape.hpp>

namespace WENGERT_EXPORT wengert {

/// The gradient check of one node of a model's tape, by one operand.
struct NodeCheck {
    NodeId node;               ///< its position on the tape
    std::string op;            ///< the op's name
    std::string scope;         ///< "decoder.cell, step 3"
    std::string input;         ///< "operand 1", with the tensor's name if it has one
    SourceLine where;          ///< the user's line that made the node
    double error;              ///< GradcheckResult::worst_error
    GradcheckVerdict verdict;  ///< why it did not pass
    std::string message;       ///< as GradcheckResult has it
};

/// Checks a model in place: every node that the tape of one evaluation of the loss has, by every operand that the tape
/// follows, at the values that it saw there. Where samples are values that somebody chose, these are the model's own:
/// its extremes, its masks, its ties.
///
///     const Model probe = to(model, Dtype::float64);
///     std::cout << to_string(gradcheck_model([&] { return probe.loss(batch); }, parameters(probe)));
///
/// One row for each node and operand: those that did not pass first, then by the error, the worst first. The operands
/// of a node are told apart even if one tensor is given twice, and are contiguous whatever their strides were. Elements
/// of its result that are not finite, as masked scores are, are left out. The loss is evaluated once. A node that takes
/// symmetric matrices, as those of eigh() and cholesky() do, is checked by symmetric changes. If its operand is not
/// symmetric its gradient is not what differences show, and the row's message says why. A node that replaces cotangents
/// is a wrong rule, see on_cotangent(). A node that cannot be run again, such as a checkpoint's, has the verdict
/// not_checked.
///
/// If a node did not pass, `on_failure` is called once, with the worst of them and the loss while their tape lives: to
/// draw what is around it, write_graph(tape, file, {.result = loss, .around = row.node}).
///
/// Throws DtypeError for a parameter or a node that is float32, TapeError for a parameter that the loss does not use,
/// ValueError for options outside their domain, and what the loss throws.
using OnFailedNode = std::function<void(const Tape& tape, const NodeCheck& row, const Tensor& loss)>;
std::vector<NodeCheck> gradcheck_model(const std::function<Tensor()>& loss, const std::vector<Tensor>& parameters,
                                       const GradcheckOptions& options = {}, const OnFailedNode& on_failure = {});

/// A table of the rows by scope: op, operand, error, verdict and the line that made the node. The rows keep their
/// order, and a scope stands where its first row does, so that from gradcheck_model() the worst node is on top. Counts
/// at the end.
std::string to_string(const std::vector<NodeCheck>& rows);

}  // namespace wengert
