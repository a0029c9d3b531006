#include <fmt/format.h>

#include <set>
#include <wengert/autograd/tape/scope.hpp>
#include <wengert/autograd/tensor/parallel.hpp>
#include <wengert/autograd/tensor/strided.hpp>
#include <wengert/nn/averages.hpp>

namespace wengert {
namespace {

/// average += weight (x - average), so that an average of equal values is that value.
void approach(Tensor& average, const Tensor& x, double weight) {
    const Tensor dense = packed(x);
    visit_floating(average.dtype(), [&](auto type) {
        using T = decltype(type);
        T* const to = average.mutable_data<T>();
        const T* const from = dense.data<T>();
        parallel_ranges(average.numel(), 64 / sizeof(T), average.numel(),
                        [=, weight = static_cast<T>(weight)](std::int64_t begin, std::int64_t end) {
                            for (std::int64_t i = begin; i < end; ++i) to[i] += weight * (from[i] - to[i]);
                        });
    });
}

}  // namespace

Ema::Ema(const std::vector<Tensor>& parameters, const EmaOptions& options) : decay_(options.decay) {
    if (!(decay_ >= 0 && decay_ < 1)) throw ValueError(fmt::format("Ema: decay is {}, not in [0, 1)", decay_));
    if (parameters.empty()) throw ValueError("Ema: there are no parameters");
    std::set<std::string> names;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const Tensor& p = parameters[i];
        if (!p.defined()) throw ValueError(fmt::format("Ema: parameter {} is undefined", i));
        if (!is_floating(p.dtype()))
            throw DtypeError(fmt::format("Ema: parameter {} \"{}\" must be of float32 or float64, not {}", i, p.name(),
                                         to_string(p.dtype())));
        averages_.push_back(p.clone().set_parameter(false));
        if (!names.insert(label(i)).second)
            throw ValueError(fmt::format("Ema: the name \"{}\" occurs twice", label(i)));
    }
}

std::string Ema::label(std::size_t i) const {
    const std::string& name = averages_[i].name();
    return name.empty() ? std::to_string(i) : name;
}

void Ema::require_fitting(const std::vector<Tensor>& parameters) const {
    if (parameters.size() != averages_.size())
        throw ShapeError(fmt::format("{} parameters for {} averages, the last of which is \"{}\"", parameters.size(),
                                     averages_.size(), label(averages_.size() - 1)));
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const Tensor &p = parameters[i], &average = averages_[i];
        if (!p.defined()) throw ValueError(fmt::format("parameter {} is undefined, not \"{}\"", i, label(i)));
        if (p.shape() != average.shape())
            throw ShapeError(fmt::format("parameter \"{}\" is {}, its average {}", label(i), to_string(p.shape()),
                                         to_string(average.shape())));
        if (p.dtype() != average.dtype())
            throw DtypeError(fmt::format("parameter \"{}\" is {}, its average {}", label(i), to_string(p.dtype()),
                                         to_string(average.dtype())));
    }
}

void Ema::update(const std::vector<Tensor>& parameters, const SourceLine& where) try {
    require_fitting(parameters);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        if (update_count_ == 0)
            averages_[i].copy_from(parameters[i]);
        else
            approach(averages_[i], parameters[i], 1 - decay_);
    }
    ++update_count_;
} catch (Error& error) {
    error.locate("update", to_string(current_place()), where);
    throw;
}

NamedTensors Ema::state() const {
    NamedTensors result{{"n_averaged", tensor(std::vector<std::int64_t>{update_count_}, {})}};
    for (std::size_t i = 0; i < averages_.size(); ++i) result.emplace_back(label(i), averages_[i]);
    return result;
}

void Ema::load_state(const NamedTensors& from, const SourceLine& where) try {
    for (const auto& [name, x] : from)
        if (name == "n_averaged" && x.numel() == 1 && x.item<std::int64_t>() < 0)
            throw ValueError(fmt::format("the number of updates is {}", x.item<std::int64_t>()));
    const NamedTensors here = state();
    assign(here, from);
    update_count_ = here[0].second.item<std::int64_t>();
} catch (Error& error) {
    error.locate("load_state", to_string(current_place()), where);
    throw;
}

EmaScope::EmaScope(const Ema& ema, const std::vector<Tensor>& parameters, const SourceLine& where) try
    : parameters_(parameters) {
    ema.require_fitting(parameters);
    for (const Tensor& p : parameters) before_.push_back(p.clone());
    for (std::size_t i = 0; i < parameters.size(); ++i) parameters_[i].copy_from(ema.averages_[i]);
} catch (Error& error) {
    error.locate("EmaScope", to_string(current_place()), where);
    throw;
}

EmaScope::~EmaScope() {
    for (std::size_t i = 0; i < parameters_.size(); ++i) parameters_[i].copy_from(before_[i]);
}

NamedTensors average_weights(const std::vector<NamedTensors>& sets) {
    if (sets.empty()) throw ValueError("average_weights: there is no set of weights");
    NamedTensors sums, summands, result;
    for (const auto& [name, x] : sets[0]) {
        if (!x.defined()) throw ValueError(fmt::format("average_weights: \"{}\" is an undefined tensor", name));
        if (is_integral(x.dtype()))
            throw DtypeError(
                fmt::format("average_weights: \"{}\" must be of a floating dtype, not {}", name, to_string(x.dtype())));
        sums.emplace_back(name, zeros(x.shape(), Dtype::float64));
        summands.emplace_back(name, zeros(x.shape(), Dtype::float64));
    }
    for (std::size_t k = 0; k < sets.size(); ++k) {
        try {
            assign(summands, sets[k]);
        } catch (const ValueError& error) {
            throw ValueError(fmt::format("average_weights: set {}: {}", k, error.what()));
        }
        for (std::size_t i = 0; i < sums.size(); ++i) write(summands[i].second, {sums[i].second, true});
    }
    const auto count = static_cast<double>(sets.size());
    for (std::size_t i = 0; i < sums.size(); ++i) {
        Tensor& sum = sums[i].second;
        double* const elements = sum.mutable_data<double>();
        for (std::int64_t j = 0; j < sum.numel(); ++j) elements[j] /= count;
        result.emplace_back(sums[i].first, cast(sum, sets[0][i].second.dtype()));
    }
    return result;
}

}  // namespace wengert
