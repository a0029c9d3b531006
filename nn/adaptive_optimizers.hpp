#pragma once

#include <wengert/nn/optimizers.hpp>

/// Rules beside Adam that give each parameter, or each element, a rate of its own. Options and defaults are PyTorch's
/// where it has the rule, and so are the results. Constructors throw ValueError if an option is outside its domain.
namespace WENGERT_EXPORT wengert {

struct RmsPropOptions {
    double learning_rate = 1e-2;  ///< what each step is multiplied by
    double alpha = 0.99;          ///< how much of the running mean of squares is kept
    double epsilon = 1e-8;        ///< keeps the denominator from 0
    double momentum = 0;          ///< how much of the last change is kept; 0: none
    double weight_decay = 0;      ///< L2: this times the parameter is added to the gradient
    bool centered = false;        ///< the gradient's variance in place of its square
};

/// v = alpha v + (1 - alpha) g^2, d = g / (sqrt(v) + epsilon), b = momentum b + d, p -= learning_rate b; centered, with
/// a = alpha a + (1 - alpha) g, of v - a^2 (Tieleman and Hinton 2012, Lecture 6.5; Graves 2013, arXiv:1308.0850). Keeps
/// "square_avg" v, "grad_avg" a if it is centered, and "momentum_buffer" b if there is momentum.
class RmsProp final : public Optimizer {
  public:
    /// Throws as Optimizer's constructors do.
    explicit RmsProp(std::vector<Tensor> parameters, const RmsPropOptions& options = {});

  private:
    void update(Tensor& parameter, const Tensor& gradient, std::span<Tensor> kept) override;
    RmsPropOptions options_;
};

struct AdagradOptions {
    double learning_rate = 1e-2;     ///< of the first step
    double learning_rate_decay = 0;  ///< how fast the rate falls: by step t it is divided by 1 + (t - 1) times this
    double epsilon = 1e-10;          ///< keeps the denominator from 0
    double weight_decay = 0;         ///< L2: this times the parameter is added to the gradient
};

/// s = s + g^2, and at step t p -= learning_rate / (1 + (t - 1) learning_rate_decay) g / (sqrt(s) + epsilon) (Duchi et
/// al. 2011, Adaptive subgradient methods for online learning and stochastic optimization). Keeps "sum" s.
class Adagrad final : public Optimizer {
  public:
    /// Throws as Optimizer's constructors do.
    explicit Adagrad(std::vector<Tensor> parameters, const AdagradOptions& options = {});

  private:
    void update(Tensor& parameter, const Tensor& gradient, std::span<Tensor> kept) override;
    AdagradOptions options_;
};

struct NAdamOptions {
    double learning_rate = 2e-3;   ///< what each step is multiplied by
    double beta1 = 0.9;            ///< how much of the mean of gradients is kept
    double beta2 = 0.999;          ///< how much of the mean of their squares is kept
    double epsilon = 1e-8;         ///< keeps the denominator from 0
    double weight_decay = 0;       ///< L2: this times the parameter is added to the gradient
    double momentum_decay = 4e-3;  ///< how fast the momentum rises towards beta1
};

/// Adam with Nesterov's momentum: with u_t = beta1 (1 - 0.96^(t momentum_decay) / 2) and U_t = u_1 .. u_t,
/// p -= learning_rate ((1 - u_t) / (1 - U_t) g + u_(t+1) / (1 - U_(t+1)) m) / (sqrt(v / (1 - beta2^t)) + epsilon)
/// (Dozat 2016, Incorporating Nesterov momentum into Adam). Keeps what Adam keeps.
class NAdam final : public Optimizer {
  public:
    /// Throws as Optimizer's constructors do.
    explicit NAdam(std::vector<Tensor> parameters, const NAdamOptions& options = {});

  private:
    void update(Tensor& parameter, const Tensor& gradient, std::span<Tensor> kept) override;
    NAdamOptions options_;
    std::int64_t factors_ = 0;  ///< how many u_t product_ has
    double product_ = 1;
};

struct RAdamOptions {
    double learning_rate = 1e-3;  ///< what each step is multiplied by
    double beta1 = 0.9;           ///< how much of the mean of gradients is kept
    double beta2 = 0.999;         ///< how much of the mean of their squares is kept
    double epsilon = 1e-8;        ///< keeps the denominator from 0
    double weight_decay = 0;      ///< L2: this times the parameter is added to the gradient
};

/// Adam that divides by sqrt(v) only when v is of enough steps to be trusted, and then by how much it is (Liu et al.
/// 2020, On the variance of the adaptive learning rate and beyond). Keeps what Adam keeps.
class RAdam final : public Optimizer {
  public:
    /// Throws as Optimizer's constructors do.
    explicit RAdam(std::vector<Tensor> parameters, const RAdamOptions& options = {});

  private:
    void update(Tensor& parameter, const Tensor& gradient, std::span<Tensor> kept) override;
    RAdamOptions options_;
};

struct LambOptions {
    double learning_rate = 1e-3;  ///< a step's length as a share of the parameter's
    double beta1 = 0.9;           ///< how much of the mean of gradients is kept
    double beta2 = 0.999;         ///< how much of the mean of their squares is kept
    double epsilon = 1e-6;        ///< keeps the denominator from 0
    double weight_decay = 1e-2;   ///< this times the parameter is added to Adam's direction
};

/// Adam's direction d = m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon) + weight_decay p, as long as the
/// parameter: p -= learning_rate |p| / |d| d, or learning_rate d where one of the norms is 0 (You et al. 2020, Large
/// batch optimization for deep learning). A pass more over the memory than Adam's. Keeps what Adam keeps.
class Lamb final : public Optimizer {
  public:
    /// Throws as Optimizer's constructors do.
    explicit Lamb(std::vector<Tensor> parameters, const LambOptions& options = {});

  private:
    void update(Tensor& parameter, const Tensor& gradient, std::span<Tensor> kept) override;
    LambOptions options_;
};

struct LionOptions {
    double learning_rate = 1e-4;  ///< how far each element goes in a step
    double beta1 = 0.9;           ///< how much of the mean counts beside the gradient, for the direction
    double beta2 = 0.99;          ///< how much of the mean of gradients is kept
    double weight_decay = 0;      ///< decoupled: p -= learning_rate weight_decay p
};

/// p -= learning_rate sign(beta1 m + (1 - beta1) g), then m = beta2 m + (1 - beta2) g (Chen et al. 2023, Symbolic
/// discovery of optimization algorithms). Keeps "exp_avg" m.
class Lion final : public Optimizer {
  public:
    /// Throws as Optimizer's constructors do.
    explicit Lion(std::vector<Tensor> parameters, const LionOptions& options = {});

  private:
    void update(Tensor& parameter, const Tensor& gradient, std::span<Tensor> kept) override;
    LionOptions options_;
};

}  // namespace wengert
