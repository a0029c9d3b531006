#pragma once

#include <cstdint>
#include <functional>
#include <vector>
#include <wengert/nn/named_tensors.hpp>

namespace WENGERT_EXPORT wengert {

/// How far a step goes along its direction: by the learning rate, or to where the strong Wolfe conditions hold.
enum class LineSearch : std::uint8_t { none, strong_wolfe };

struct LbfgsOptions {
    double learning_rate = 1;          ///< what a direction is multiplied by, or where a line search begins
    std::int64_t max_iterations = 20;  ///< of one step
    std::int64_t max_evaluations = 0;  ///< of one step; 0 stands for 5/4 of max_iterations
    double tolerance_gradient = 1e-7;  ///< a largest element of the gradient that is small enough to stop
    double tolerance_change = 1e-9;    ///< a change of the loss or of the parameters that is small enough to stop
    std::int64_t history = 100;        ///< how many changes of the parameters are kept
    LineSearch line_search = LineSearch::none;  ///< how far a step goes along its direction
};

/// What a step asks of a model: its loss, and the gradients in the order of the parameters.
struct LossAndGradients {
    double loss;                    ///< of the parameters as they are at the call
    std::vector<Tensor> gradients;  ///< in the order of the parameters
};

/// The quasi-Newton method for losses that are no sample of anything: each step goes along d = -H g, where H is what
/// the last changes of the parameters s and of the gradient y tell of the inverse of the Hessian (Liu and Nocedal 1989,
/// On the limited memory BFGS method for large scale optimization). Options, defaults and results are PyTorch's.
///
///     Lbfgs optimizer(parameters(model), {.line_search = LineSearch::strong_wolfe});
///     optimizer.step([&]() -> LossAndGradients {
///         Tape tape;
///         const Tensor loss = model.loss(data);
///         return {loss.item(), tape.gradient(loss, parameters(model))};
///     });
///
/// Without a line search the parameters move by learning_rate d; with it, by so much of d that the strong Wolfe
/// conditions hold (Nocedal and Wright 2006, Numerical optimization, chapter 3). What is kept is float64: two vectors
/// of all parameters' length for each change in the history.
class Lbfgs {
  public:
    /// What step() calls, once or several times.
    using Closure = std::function<LossAndGradients()>;

    /// Throws what Optimizer's constructors throw, and ValueError if an option is outside its domain.
    explicit Lbfgs(std::vector<Tensor> parameters, const LbfgsOptions& options = {});
    Lbfgs(const Lbfgs&) = delete;
    Lbfgs& operator=(const Lbfgs&) = delete;

    /// Up to max_iterations changes of the parameters, for each of which the closure is called at least once, with
    /// other values in the parameters. Returns the loss before the first. Stops early where the largest element of the
    /// gradient is at most tolerance_gradient, or the change of the loss or of every parameter at most
    /// tolerance_change. Throws what Optimizer::step() throws for the gradients, and NonFiniteError if the loss is NaN
    /// or infinite, except for a point that a line search only tries. What it or the closure throws leaves the
    /// parameters as they were before the change that failed.
    double step(const Closure& closure, const SourceLine& where = std::source_location::current());

    /// With which the next step goes.
    double learning_rate() const { return options_.learning_rate; }
    /// Takes effect with the next step. Throws ValueError unless the rate is 0 or more.
    void set_learning_rate(double rate);
    /// How many changes of the parameters there have been, and calls of closures.
    std::int64_t iteration_count() const { return kept_.iterations; }
    /// How often closures were called.
    std::int64_t evaluation_count() const { return kept_.evaluations; }

    /// All that another Lbfgs of the same parameters needs to go on from here, under PyTorch's names: "n_iter",
    /// "func_evals" [] int64, "learning_rate", "t", "H_diag" [], "d", "prev_flat_grad" [n] and, for each change in the
    /// history, "old_dirs.0" y and "old_stps.0" s [n], float64. Those are the tensors in use, not copies.
    NamedTensors state() const;
    /// Goes on from a state(). Throws ValueError, before anything is changed, unless it has just these names and
    /// shapes, a history no longer than here, numbers of 0 or more and a learning rate of 0 or more.
    void load_state(const NamedTensors& state, const SourceLine& where = std::source_location::current());

  private:
    struct Kept {
        std::int64_t iterations = 0, evaluations = 0;
        double rate = 0;      // of the last change, by d
        double diagonal = 1;  // of the first guess of the inverse Hessian
        Tensor direction, gradient;
        std::vector<Tensor> gradient_changes, steps;
    };
    struct Point {
        double rate, loss;
        Tensor gradient;
        double slope;  // of the loss along d
    };
    static NamedTensors named(const Kept& kept, double learning_rate);

    Point evaluated(const Closure& closure, double rate, bool is_trial);
    void move(const Tensor& from, double rate) const;
    Tensor place() const;
    void take_change(const Tensor& gradient);
    Tensor newton_direction(const Tensor& gradient) const;
    Point searched(const Closure& closure, const Tensor& from, const Point& start, double rate, std::int64_t most);

    std::vector<Tensor> parameters_;
    LbfgsOptions options_;
    std::int64_t numel_ = 0;
    Kept kept_;
};

}  // namespace wengert
