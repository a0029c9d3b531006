#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>
#include <wengert/autograd/tape/observer.hpp>
#include <wengert/autograd/tape/recording.hpp>
#include <wengert/autograd/tensor/parallel.hpp>
#include <wengert/autograd/tensor/strided.hpp>
#include <wengert/nn/internal/update_rule.hpp>
#include <wengert/nn/optimizers.hpp>

namespace wengert {

namespace {

using update_rule::infinity, update_rule::label, update_rule::require, update_rule::require_adam, update_rule::sweep;

/// The exponent of a NaN or an infinity is all ones.
template <class T>
std::int64_t count_non_finite(const T* x, std::int64_t n) {
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    constexpr Bits exponent = std::bit_cast<Bits>(std::numeric_limits<T>::infinity());
    Bits count = 0;
    for (std::int64_t i = 0; i < n; ++i) count += (std::bit_cast<Bits>(x[i]) & exponent) == exponent;
    return static_cast<std::int64_t>(count);
}

std::int64_t count_non_finite(const Tensor& x) {
    std::atomic<std::int64_t> count = 0;
    visit_floating(x.dtype(), [&](auto type) {
        const auto* const elements = x.data<decltype(type)>();
        parallel_ranges(x.numel(), 64, x.numel(), [&](std::int64_t begin, std::int64_t end) {
            count += count_non_finite(elements + begin, end - begin);
        });
    });
    return count;
}

/// One step of Adam with both kinds of decay.
struct AdamStep {
    double rate, beta1, beta2, epsilon;
    double l2;      // this times the parameter is added to the gradient
    double shrink;  // this times the parameter is taken from it
    std::int64_t step;

    void operator()(Tensor& parameter, const Tensor& gradient, std::span<Tensor> kept) const {
        const auto t = static_cast<double>(step);
        visit_floating(parameter.dtype(), [&](auto type) {
            using T = decltype(type);
            const auto rule = [b1 = static_cast<T>(beta1), c1 = static_cast<T>(1 - beta1), b2 = static_cast<T>(beta2),
                               c2 = static_cast<T>(1 - beta2), epsilon = static_cast<T>(epsilon),
                               step_size = static_cast<T>(rate / (1 - std::pow(beta1, t))),
                               correction = static_cast<T>(1 / std::sqrt(1 - std::pow(beta2, t))),
                               l2 = static_cast<T>(l2), rest = static_cast<T>(1 - shrink)](T& p, T g, T& m, T& v) {
                g += l2 * p;
                m = b1 * m + c1 * g;
                v = b2 * v + c2 * g * g;
                p = rest * p - step_size * m / (std::sqrt(v) * correction + epsilon);
            };
            sweep<T>(parameter, gradient, kept, std::make_index_sequence<2>{}, rule);
        });
    }
};

constexpr const char* advice =
    "; an optimizer goes on with the parameters that it was made for, so after clone(), to() or an assignment to the "
    "model make a new one, and load_state()";

}  // namespace

std::string update_rule::label(const std::vector<Tensor>& parameters, std::size_t which) {
    const std::string& name = parameters[which].name();
    return name.empty() ? std::to_string(which) : name;
}

void update_rule::require_parameters(const std::vector<Tensor>& parameters) {
    if (parameters.empty()) throw ValueError("an optimizer needs parameters");
    std::vector<const TensorState*> states;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const Tensor& p = parameters[i];
        if (!p.defined()) throw ValueError(fmt::format("parameter {} is undefined", i));
        if (!is_floating(p.dtype()))
            throw DtypeError(fmt::format("parameter \"{}\" must be of float32 or float64, not {}", label(parameters, i),
                                         to_string(p.dtype())));
        if (!p.is_contiguous())
            throw ValueError(fmt::format("parameter \"{}\" is not contiguous", label(parameters, i)));
        states.push_back(p.state());
    }
    std::ranges::sort(states);
    if (const auto twice = std::ranges::adjacent_find(states); twice != states.end()) {
        const auto which = std::ranges::find(parameters, *twice, &Tensor::state);
        throw ValueError(fmt::format("parameter \"{}\" occurs twice",
                                     label(parameters, static_cast<std::size_t>(which - parameters.begin()))));
    }
}

void update_rule::require_gradients(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients) {
    if (gradients.size() != parameters.size())
        throw ShapeError(fmt::format("{} gradients for {} parameters, the last of which is \"{}\"", gradients.size(),
                                     parameters.size(), label(parameters, parameters.size() - 1)));
    for (std::size_t i = 0; i < gradients.size(); ++i) {
        const Tensor &p = parameters[i], &g = gradients[i];
        if (!g.defined())
            throw ValueError(fmt::format("the gradient of parameter \"{}\" is undefined", label(parameters, i)));
        if (g.shape() != p.shape())
            throw ShapeError(fmt::format("the gradient of parameter \"{}\" {} has shape {}", label(parameters, i),
                                         to_string(p.shape()), to_string(g.shape())));
        if (g.dtype() != p.dtype())
            throw DtypeError(fmt::format("the gradient of parameter \"{}\" is {}, the parameter {}",
                                         label(parameters, i), to_string(g.dtype()), to_string(p.dtype())));
    }
}

void update_rule::require_held(const std::vector<Tensor>& parameters) {
    for (std::size_t i = 0; i < parameters.size(); ++i)
        if (parameters[i].is_unique())
            throw ValueError(fmt::format("parameter \"{}\" {} is no model's any more{}", label(parameters, i),
                                         to_string(parameters[i].shape()), advice));
}

void update_rule::require_finite(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients) {
    for (std::size_t i = 0; i < gradients.size(); ++i)
        if (const std::int64_t count = count_non_finite(packed(gradients[i])); count > 0)
            throw NonFiniteError(
                fmt::format("{} of the {} elements of the gradient of parameter \"{}\" {} {} NaN or infinite", count,
                            gradients[i].numel(), label(parameters, i), to_string(gradients[i].shape()),
                            count == 1 ? "is" : "are"));
}

Optimizer::Optimizer(std::vector<Tensor> parameters, double learning_rate, std::vector<std::string_view> kept)
    : parameters_(std::move(parameters)), kept_names_(std::move(kept)) {
    set_learning_rate(learning_rate);
    update_rule::require_parameters(parameters_);
    for (const Tensor& p : parameters_)
        for (std::size_t k = 0; k < kept_names_.size(); ++k) kept_.push_back(zeros(p.shape(), p.dtype()));
}

void Optimizer::set_learning_rate(double rate) {
    require("the learning rate", rate, 0, infinity);
    learning_rate_ = rate;
}

void Optimizer::require_in_use() const {
    update_rule::require_held(parameters_);
    const Recording* const recording = Recording::current();
    const auto met = [recording](const Tensor& p) {
        return p.state()->recording != 0 || recording->find(p) != no_node;
    };
    if (recording != nullptr && std::ranges::none_of(parameters_, met))
        throw ValueError(
            fmt::format("the tape has met none of the parameters, the first of which is \"{}\": the "
                        "gradients are of other tensors{}",
                        label(parameters_, 0), advice));
}

void Optimizer::step(const std::vector<Tensor>& gradients, const SourceLine& where) try {
    update_rule::require_gradients(parameters_, gradients);
    require_in_use();
    update_rule::require_finite(parameters_, gradients);
    // What may lack memory comes first, so that all parameters are updated or none.
    std::vector<Tensor> dense;
    dense.reserve(gradients.size());
    for (const Tensor& gradient : gradients) dense.push_back(packed(gradient));
    const ObservedWork work("optimizer", Pass::update);
    ++step_count_;
    for (std::size_t i = 0; i < dense.size(); ++i) {
        const std::size_t n = kept_names_.size();
        update(parameters_[i], dense[i], std::span(kept_).subspan(i * n, n));
    }
} catch (Error& error) {
    error.locate("step", to_string(current_place()), where);
    throw;
}

NamedTensors Optimizer::state() const {
    NamedTensors result{{"step", tensor(std::vector<std::int64_t>{step_count_}, {})},
                        {"learning_rate", scalar(learning_rate_, Dtype::float64)}};
    const std::size_t n = kept_names_.size();
    for (std::size_t i = 0; i < kept_.size(); ++i)
        result.emplace_back(fmt::format("{}.{}", kept_names_[i % n], label(parameters_, i / n)), kept_[i]);
    return result;
}

void Optimizer::load_state(const NamedTensors& from, const SourceLine& where) try {
    for (const auto& [name, x] : from) {
        if (x.numel() != 1) continue;
        if (name == "step" && x.item<std::int64_t>() < 0)
            throw ValueError(fmt::format("the number of steps is {}", x.item<std::int64_t>()));
        if (name == "learning_rate") require("the learning rate", x.item(), 0, infinity);
    }
    const NamedTensors here = state();
    assign(here, from);
    step_count_ = here[0].second.item<std::int64_t>();
    learning_rate_ = here[1].second.item();
} catch (Error& error) {
    error.locate("load_state", to_string(current_place()), where);
    throw;
}

Sgd::Sgd(std::vector<Tensor> parameters, const SgdOptions& options)
    : Optimizer(
          std::move(parameters), options.learning_rate,
          options.momentum == 0 ? std::vector<std::string_view>{} : std::vector<std::string_view>{"momentum_buffer"}),
      options_(options) {
    require("momentum", options.momentum, 0, infinity);
    require("weight_decay", options.weight_decay, 0, infinity);
    if (options.nesterov && options.momentum == 0) throw ValueError("Nesterov's momentum needs a momentum above 0");
}

void Sgd::update(Tensor& parameter, const Tensor& gradient, std::span<Tensor> kept) {
    visit_floating(parameter.dtype(), [&](auto type) {
        using T = decltype(type);
        const T rate = static_cast<T>(learning_rate()), momentum = static_cast<T>(options_.momentum);
        const T l2 = static_cast<T>(options_.weight_decay);
        if (kept.empty()) {
            sweep<T>(parameter, gradient, kept, std::make_index_sequence<0>{},
                     [=](T& p, T g) { p -= rate * (g + l2 * p); });
        } else if (options_.nesterov) {
            sweep<T>(parameter, gradient, kept, std::make_index_sequence<1>{}, [=](T& p, T g, T& v) {
                g += l2 * p;
                v = momentum * v + g;
                p -= rate * (g + momentum * v);
            });
        } else {
            sweep<T>(parameter, gradient, kept, std::make_index_sequence<1>{}, [=](T& p, T g, T& v) {
                v = momentum * v + (g + l2 * p);
                p -= rate * v;
            });
        }
    });
}

Adam::Adam(std::vector<Tensor> parameters, const AdamOptions& options)
    : Optimizer(std::move(parameters), options.learning_rate, {"exp_avg", "exp_avg_sq"}), options_(options) {
    require_adam(options);
}

void Adam::update(Tensor& parameter, const Tensor& gradient, std::span<Tensor> kept) {
    const AdamStep step{.rate = learning_rate(),
                        .beta1 = options_.beta1,
                        .beta2 = options_.beta2,
                        .epsilon = options_.epsilon,
                        .l2 = options_.weight_decay,
                        .shrink = 0,
                        .step = step_count()};
    step(parameter, gradient, kept);
}

AdamW::AdamW(std::vector<Tensor> parameters, const AdamWOptions& options)
    : Optimizer(std::move(parameters), options.learning_rate, {"exp_avg", "exp_avg_sq"}), options_(options) {
    require_adam(options);
}

void AdamW::update(Tensor& parameter, const Tensor& gradient, std::span<Tensor> kept) {
    const AdamStep step{.rate = learning_rate(),
                        .beta1 = options_.beta1,
                        .beta2 = options_.beta2,
                        .epsilon = options_.epsilon,
                        .l2 = 0,
                        .shrink = learning_rate() * options_.weight_decay,
                        .step = step_count()};
    step(parameter, gradient, kept);
}

Adadelta::Adadelta(std::vector<Tensor> parameters, const AdadeltaOptions& options)
    : Optimizer(std::move(parameters), options.learning_rate, {"square_avg", "acc_delta"}), options_(options) {
    require("rho", options.rho, 0, 1);
    require("epsilon", options.epsilon, 0, infinity);
    require("weight_decay", options.weight_decay, 0, infinity);
}

void Adadelta::update(Tensor& parameter, const Tensor& gradient, std::span<Tensor> kept) {
    visit_floating(parameter.dtype(), [&](auto type) {
        using T = decltype(type);
        const auto rule = [rho = static_cast<T>(options_.rho), c = static_cast<T>(1 - options_.rho),
                           epsilon = static_cast<T>(options_.epsilon), rate = static_cast<T>(learning_rate()),
                           l2 = static_cast<T>(options_.weight_decay)](T& p, T g, T& v, T& u) {
            g += l2 * p;
            v = rho * v + c * g * g;
            const T delta = std::sqrt(u + epsilon) / std::sqrt(v + epsilon) * g;
            u = rho * u + c * delta * delta;
            p -= rate * delta;
        };
        sweep<T>(parameter, gradient, kept, std::make_index_sequence<2>{}, rule);
    });
}

}  // namespace wengert
