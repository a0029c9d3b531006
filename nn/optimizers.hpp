#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>
#include <wengert/nn/named_tensors.hpp>

/// Rules that change parameters by their gradients. Options and defaults are PyTorch's, and so are the results.
///
///     Adam optimizer(parameters(model), {.learning_rate = 5e-4});
///     optimizer.step(tape.gradient(loss, parameters(model)));
namespace WENGERT_EXPORT wengert {

/// What the rules have in common: the parameters, what a rule keeps about each, and the number of steps.
class Optimizer {
  public:
    virtual ~Optimizer() = default;
    Optimizer(const Optimizer&) = delete;
    Optimizer& operator=(const Optimizer&) = delete;

    /// Changes every parameter, in place, in one pass over its memory, by gradients in the order of the parameters.
    /// Throws, before anything is changed: ShapeError if their number or a shape differs, DtypeError if a dtype does,
    /// ValueError if one is undefined, NonFiniteError if one has a NaN or an infinity.
    ///
    /// An optimizer goes on with the parameters that it was made for: clone(), to() and an assignment give a model
    /// others. Throws ValueError if nobody but the optimizer holds a parameter any more, or if a tape lives that has
    /// met none of them, because the gradients are of other tensors then.
    void step(const std::vector<Tensor>& gradients, const SourceLine& where = std::source_location::current());

    /// With which the next step goes.
    double learning_rate() const { return learning_rate_; }
    /// Takes effect with the next step. Throws ValueError unless the rate is 0 or more.
    void set_learning_rate(double rate);
    /// How many steps have been made.
    std::int64_t step_count() const { return step_count_; }

    /// All that another optimizer of the same kind needs to go on from here: "step" [] int64, "learning_rate" []
    /// float64, and, under PyTorch's names and the parameter's ("exp_avg.encoder.weight", or its number if it has no
    /// name), what the rule keeps, in the parameter's shape and dtype. Those are the tensors in use, not copies.
    NamedTensors state() const;
    /// Goes on from a state(). Throws ValueError, before anything is changed, unless it has just the names and shapes
    /// that state() has here, a number of steps of 0 or more and a learning rate of 0 or more.
    void load_state(const NamedTensors& state, const SourceLine& where = std::source_location::current());

  protected:
    /// `kept` names the tensors that the rule keeps for each parameter; they begin as zeros. Throws ValueError if there
    /// are no parameters, or one is undefined, occurs twice or is not contiguous, or the learning rate is not 0 or
    /// more, and DtypeError unless all are float32 or float64.
    Optimizer(std::vector<Tensor> parameters, double learning_rate, std::vector<std::string_view> kept);

    /// Changes one parameter; the gradient has its shape and dtype, and both are contiguous.
    virtual void update(Tensor& parameter, const Tensor& gradient, std::span<Tensor> kept) = 0;

  private:
    void require_in_use() const;

    std::vector<Tensor> parameters_;
    std::vector<std::string_view> kept_names_;
    std::vector<Tensor> kept_;  // kept_names_.size() for each parameter
    double learning_rate_ = 0;
    std::int64_t step_count_ = 0;
};

struct SgdOptions {
    double learning_rate = 1e-3;  ///< what each step is multiplied by
    double momentum = 0;          ///< how much of the last change is kept; 0: none
    double weight_decay = 0;      ///< L2: this times the parameter is added to the gradient
    bool nesterov = false;        ///< looks ahead along the momentum, as PyTorch's does
};

/// Stochastic gradient descent: v = momentum v + g, p -= learning_rate v, or with Nesterov's momentum
/// p -= learning_rate (g + momentum v) (Sutskever et al. 2013, On the importance of initialization and momentum in deep
/// learning). Keeps "momentum_buffer" v if there is momentum.
class Sgd final : public Optimizer {
  public:
    /// Throws as Optimizer's constructor, and ValueError if an option is outside its domain.
    explicit Sgd(std::vector<Tensor> parameters, const SgdOptions& options = {});

  private:
    void update(Tensor& parameter, const Tensor& gradient, std::span<Tensor> kept) override;
    SgdOptions options_;
};

struct AdamOptions {
    double learning_rate = 1e-3;  ///< what each step is multiplied by
    double beta1 = 0.9;           ///< how much of the mean of gradients is kept
    double beta2 = 0.999;         ///< how much of the mean of their squares is kept
    double epsilon = 1e-8;        ///< keeps the denominator from 0
    double weight_decay = 0;      ///< L2: this times the parameter is added to the gradient
};

/// m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, and at step t
/// p -= learning_rate m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)
/// (Kingma and Ba 2015, Adam: a method for stochastic optimization). Keeps "exp_avg" m and "exp_avg_sq" v.
class Adam final : public Optimizer {
  public:
    /// Throws as Optimizer's constructor, and ValueError if an option is outside its domain.
    explicit Adam(std::vector<Tensor> parameters, const AdamOptions& options = {});

  private:
    void update(Tensor& parameter, const Tensor& gradient, std::span<Tensor> kept) override;
    AdamOptions options_;
};

struct AdamWOptions {
    double learning_rate = 1e-3;  ///< what each step is multiplied by
    double beta1 = 0.9;           ///< how much of the mean of gradients is kept
    double beta2 = 0.999;         ///< how much of the mean of their squares is kept
    double epsilon = 1e-8;        ///< keeps the denominator from 0
    double weight_decay = 1e-2;   ///< decoupled: p -= learning_rate weight_decay p
};

/// Adam whose weight decay does not pass through its averages (Loshchilov and Hutter 2019, Decoupled weight decay
/// regularization). Keeps what Adam keeps.
class AdamW final : public Optimizer {
  public:
    /// Throws as Optimizer's constructor, and ValueError if an option is outside its domain.
    explicit AdamW(std::vector<Tensor> parameters, const AdamWOptions& options = {});

  private:
    void update(Tensor& parameter, const Tensor& gradient, std::span<Tensor> kept) override;
    AdamWOptions options_;
};

struct AdadeltaOptions {
    double learning_rate = 1;  ///< what each step is multiplied by
    double rho = 0.9;          ///< how much of the means of squares is kept
    double epsilon = 1e-6;     ///< keeps the roots from 0
    double weight_decay = 0;   ///< L2: this times the parameter is added to the gradient
};

/// v = rho v + (1 - rho) g^2, d = g sqrt(u + epsilon) / sqrt(v + epsilon), u = rho u + (1 - rho) d^2,
/// p -= learning_rate d (Zeiler 2012, Adadelta: an adaptive learning rate method). Keeps "square_avg" v and
/// "acc_delta" u.
class Adadelta final : public Optimizer {
  public:
    /// Throws as Optimizer's constructor, and ValueError if an option is outside its domain.
    explicit Adadelta(std::vector<Tensor> parameters, const AdadeltaOptions& options = {});

  private:
    void update(Tensor& parameter, const Tensor& gradient, std::span<Tensor> kept) override;
    AdadeltaOptions options_;
};

}  // namespace wengert
