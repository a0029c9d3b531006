#include <cmath>
#include <utility>
#include <wengert/nn/adaptive_optimizers.hpp>
#include <wengert/nn/internal/update_rule.hpp>

namespace wengert {
namespace {

using update_rule::infinity, update_rule::require, update_rule::require_adam, update_rule::sweep, update_rule::Averages;

}  // namespace

// RmsProp

RmsProp::RmsProp(std::vector<Tensor> parameters, const RmsPropOptions& options)
    : Optimizer(std::move(parameters), options.learning_rate,
                [&] {
                    std::vector<std::string_view> kept{"square_avg"};
                    if (options.centered) kept.emplace_back("grad_avg");
                    if (options.momentum != 0) kept.emplace_back("momentum_buffer");
                    return kept;
                }()),
      options_(options) {
    require("alpha", options.alpha, 0, 1);
    require("epsilon", options.epsilon, 0, infinity);
    require("momentum", options.momentum, 0, infinity);
    require("weight_decay", options.weight_decay, 0, infinity);
}

void RmsProp::update(Tensor& parameter, const Tensor& gradient, std::span<Tensor> kept) {
    visit_floating(parameter.dtype(), [&](auto type) {
        using T = decltype(type);
        const T alpha = static_cast<T>(options_.alpha), rest = static_cast<T>(1 - options_.alpha),
                epsilon = static_cast<T>(options_.epsilon), momentum = static_cast<T>(options_.momentum),
                rate = static_cast<T>(learning_rate()), l2 = static_cast<T>(options_.weight_decay);
        const auto direction = [=](const T& p, T g, T& v) {
            g += l2 * p;
            v = alpha * v + rest * g * g;
            return g / (std::sqrt(v) + epsilon);
        };
        const auto centered = [=](const T& p, T g, T& v, T& a) {
            g += l2 * p;
            v = alpha * v + rest * g * g;
            a = alpha * a + rest * g;
            return g / (std::sqrt(v - a * a) + epsilon);
        };
        const auto pushed = [=](T& p, T& b, T d) {
            b = momentum * b + d;
            p -= rate * b;
        };
        constexpr std::make_index_sequence<1> one;
        constexpr std::make_index_sequence<2> two;
        constexpr std::make_index_sequence<3> three;
        if (options_.centered && options_.momentum != 0)
            sweep<T>(parameter, gradient, kept, three,
                     [=](T& p, T g, T& v, T& a, T& b) { pushed(p, b, centered(p, g, v, a)); });
        else if (options_.centered)
            sweep<T>(parameter, gradient, kept, two, [=](T& p, T g, T& v, T& a) { p -= rate * centered(p, g, v, a); });
        else if (options_.momentum != 0)
            sweep<T>(parameter, gradient, kept, two, [=](T& p, T g, T& v, T& b) { pushed(p, b, direction(p, g, v)); });
        else
            sweep<T>(parameter, gradient, kept, one, [=](T& p, T g, T& v) { p -= rate * direction(p, g, v); });
    });
}

// Adagrad

Adagrad::Adagrad(std::vector<Tensor> parameters, const AdagradOptions& options)
    : Optimizer(std::move(parameters), options.learning_rate, {"sum"}), options_(options) {
    require("learning_rate_decay", options.learning_rate_decay, 0, infinity);
    require("epsilon", options.epsilon, 0, infinity);
    require("weight_decay", options.weight_decay, 0, infinity);
}

void Adagrad::update(Tensor& parameter, const Tensor& gradient, std::span<Tensor> kept) {
    const double decay = 1 + static_cast<double>(step_count() - 1) * options_.learning_rate_decay;
    visit_floating(parameter.dtype(), [&](auto type) {
        using T = decltype(type);
        const auto rule = [rate = static_cast<T>(learning_rate() / decay), epsilon = static_cast<T>(options_.epsilon),
                           l2 = static_cast<T>(options_.weight_decay)](T& p, T g, T& s) {
            g += l2 * p;
            s += g * g;
            p -= rate * g / (std::sqrt(s) + epsilon);
        };
        sweep<T>(parameter, gradient, kept, std::make_index_sequence<1>{}, rule);
    });
}

// NAdam

NAdam::NAdam(std::vector<Tensor> parameters, const NAdamOptions& options)
    : Optimizer(std::move(parameters), options.learning_rate, {"exp_avg", "exp_avg_sq"}), options_(options) {
    require_adam(options);
    require("momentum_decay", options.momentum_decay, 0, infinity);
}

void NAdam::update(Tensor& parameter, const Tensor& gradient, std::span<Tensor> kept) {
    const auto momentum = [this](std::int64_t t) {
        return options_.beta1 * (1 - 0.5 * std::pow(0.96, static_cast<double>(t) * options_.momentum_decay));
    };
    const std::int64_t t = step_count();
    if (factors_ > t) {  // the optimizer went back to another state
        factors_ = 0;
        product_ = 1;
    }
    while (factors_ < t) product_ *= momentum(++factors_);
    const double now = momentum(t), next = momentum(t + 1);
    visit_floating(parameter.dtype(), [&](auto type) {
        using T = decltype(type);
        const auto rule =
            [average = Averages<T>(options_, options_.weight_decay), epsilon = static_cast<T>(options_.epsilon),
             of_g = static_cast<T>(learning_rate() * (1 - now) / (1 - product_)),
             of_m = static_cast<T>(learning_rate() * next / (1 - product_ * next)),
             correction = static_cast<T>(1 / std::sqrt(1 - std::pow(options_.beta2, static_cast<double>(t))))](
                T& p, T g, T& m, T& v) {
                average(p, g, m, v);
                p -= (of_g * g + of_m * m) / (std::sqrt(v) * correction + epsilon);
            };
        sweep<T>(parameter, gradient, kept, std::make_index_sequence<2>{}, rule);
    });
}

// RAdam

RAdam::RAdam(std::vector<Tensor> parameters, const RAdamOptions& options)
    : Optimizer(std::move(parameters), options.learning_rate, {"exp_avg", "exp_avg_sq"}), options_(options) {
    require_adam(options);
}

void RAdam::update(Tensor& parameter, const Tensor& gradient, std::span<Tensor> kept) {
    const auto t = static_cast<double>(step_count());
    const double power = std::pow(options_.beta2, t), most = 2 / (1 - options_.beta2) - 1,
                 degrees = most - 2 * t * power / (1 - power);
    const bool is_trusted = degrees > 5;
    const double rectified =
        is_trusted ? std::sqrt((degrees - 4) * (degrees - 2) * most / ((most - 4) * (most - 2) * degrees)) : 1;
    const double rate = learning_rate() * rectified / (1 - std::pow(options_.beta1, t));
    visit_floating(parameter.dtype(), [&](auto type) {
        using T = decltype(type);
        const auto rule = [is_trusted, average = Averages<T>(options_, options_.weight_decay),
                           epsilon = static_cast<T>(options_.epsilon), step_size = static_cast<T>(rate),
                           unbiased = static_cast<T>(std::sqrt(1 - power))](T& p, T g, T& m, T& v) {
            average(p, g, m, v);
            p -= step_size * m * (is_trusted ? unbiased / (std::sqrt(v) + epsilon) : T{1});
        };
        sweep<T>(parameter, gradient, kept, std::make_index_sequence<2>{}, rule);
    });
}

// Lamb

Lamb::Lamb(std::vector<Tensor> parameters, const LambOptions& options)
    : Optimizer(std::move(parameters), options.learning_rate, {"exp_avg", "exp_avg_sq"}), options_(options) {
    require_adam(options);
}

void Lamb::update(Tensor& parameter, const Tensor& gradient, std::span<Tensor> kept) {
    const auto t = static_cast<double>(step_count());
    visit_floating(parameter.dtype(), [&](auto type) {
        using T = decltype(type);
        const auto average = [averages = Averages<T>(options_)](const T& p, T g, T& m, T& v) { averages(p, g, m, v); };
        const auto direction =
            [epsilon = static_cast<T>(options_.epsilon), decay = static_cast<T>(options_.weight_decay),
             of_m = static_cast<T>(1 / (1 - std::pow(options_.beta1, t))),
             correction = static_cast<T>(1 / std::sqrt(1 - std::pow(options_.beta2, t)))](T p, T m, T v) {
                return of_m * m / (std::sqrt(v) * correction + epsilon) + decay * p;
            };
        constexpr std::make_index_sequence<2> m_and_v;
        sweep<T>(parameter, gradient, kept, m_and_v, average);
        // In order, so that the norms are the same for any number of threads.
        const T *const p = parameter.data<T>(), *const m = kept[0].data<T>(), *const v = kept[1].data<T>();
        double of_p = 0, of_d = 0;
        for (std::int64_t i = 0; i < parameter.numel(); ++i) {
            const auto x = static_cast<double>(p[i]), d = static_cast<double>(direction(p[i], m[i], v[i]));
            of_p += x * x;
            of_d += d * d;
        }
        const T rate = static_cast<T>(learning_rate() * (of_p > 0 && of_d > 0 ? std::sqrt(of_p / of_d) : 1));
        sweep<T>(parameter, gradient, kept, m_and_v, [=](T& p, T, T& m, T& v) { p -= rate * direction(p, m, v); });
    });
}

// Lion

Lion::Lion(std::vector<Tensor> parameters, const LionOptions& options)
    : Optimizer(std::move(parameters), options.learning_rate, {"exp_avg"}), options_(options) {
    require("beta1", options.beta1, 0, 1);
    require("beta2", options.beta2, 0, 1);
    require("weight_decay", options.weight_decay, 0, infinity);
}

void Lion::update(Tensor& parameter, const Tensor& gradient, std::span<Tensor> kept) {
    visit_floating(parameter.dtype(), [&](auto type) {
        using T = decltype(type);
        const auto rule = [b1 = static_cast<T>(options_.beta1), c1 = static_cast<T>(1 - options_.beta1),
                           b2 = static_cast<T>(options_.beta2), c2 = static_cast<T>(1 - options_.beta2),
                           rate = static_cast<T>(learning_rate()),
                           rest = static_cast<T>(1 - learning_rate() * options_.weight_decay)](T& p, T g, T& m) {
            const T c = b1 * m + c1 * g;
            p = rest * p - rate * static_cast<T>((c > 0) - (c < 0));
            m = b2 * m + c2 * g;
        };
        sweep<T>(parameter, gradient, kept, std::make_index_sequence<1>{}, rule);
    });
}

}  // namespace wengert
