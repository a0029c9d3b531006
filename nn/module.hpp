#pragma once

#include <concepts>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <wengert/ops/ops.hpp>

/// Layers are plain values: structs with Tensor members, other layers among them, and one `visit` that names them all:
///
///     struct Linear {
///         Tensor weight, bias;
///         void visit(auto&& f) {
///             f("weight", weight);
///             f("bias", bias);
///         }
///     };
///
/// Everything else that one does with a layer's parameters derives from it, here. A tensor that is not defined (a layer
/// without bias) is passed over. Copies of a layer share their parameters; clone() makes new ones.
namespace wengert {

/// For constructors: throws ValueError unless every number of features is at least 1.
inline void require_features(std::string_view layer, std::initializer_list<std::int64_t> counts) {
    for (const std::int64_t n : counts)
        if (n < 1)
            throw ValueError(std::string(layer) + ": a number of features is " + std::to_string(n) + ", less than 1");
}

template <class M>
concept Module = requires(M& m) {
    m.visit([](std::string_view, auto&) {});
};

/// Calls f(name, tensor) for every parameter; the name is the dotted path from the layer.
template <Module M, class F>
void for_each_parameter(M& module, F&& f, const std::string& prefix = {}) {
    module.visit([&](std::string_view name, auto& member) {
        const std::string path = prefix.empty() ? std::string(name) : prefix + '.' + std::string(name);
        if constexpr (std::same_as<decltype(member), Tensor&>) {
            if (member.defined()) f(path, member);
        } else {
            for_each_parameter(member, f, path);
        }
    });
}

/// All parameters with their dotted names, in the order of visit.
template <Module M>
std::vector<std::pair<std::string, Tensor>> named_parameters(const M& module) {
    std::vector<std::pair<std::string, Tensor>> result;
    // visit() hands out references for layers that change; handles are only read here.
    for_each_parameter(const_cast<M&>(module),
                       [&](const std::string& name, const Tensor& p) { result.emplace_back(name, p); });
    return result;
}

/// Each parameter once, also one that several layers share.
template <Module M>
std::vector<Tensor> parameters(const M& module) {
    std::vector<Tensor> result;
    std::set<const TensorState*> seen;
    for (auto& [name, parameter] : named_parameters(module))
        if (seen.insert(parameter.state()).second) result.push_back(std::move(parameter));
    return result;
}

/// How many numbers the parameters are together.
template <Module M>
std::int64_t parameter_count(const M& module) {
    std::int64_t n = 0;
    for (const Tensor& p : parameters(module)) n += p.numel();
    return n;
}

/// Gives each parameter its dotted name, for errors, pictures and reports, and marks it for tapes to follow. A model's
/// constructor ends with this.
template <Module M>
void name_parameters(M& module, const std::string& prefix = {}) {
    for_each_parameter(
        module, [](const std::string& name, Tensor& p) { p.set_name(name).set_parameter(); }, prefix);
}

/// A copy of a layer with f(parameter) in place of each parameter; what layers share stays shared.
template <Module M, class F>
M with_parameters(const M& module, const F& f) {
    M copy = module;
    std::map<const TensorState*, Tensor> replaced;
    for_each_parameter(copy, [&](const std::string&, Tensor& p) {
        Tensor& replacement = replaced[p.state()];
        if (!replacement.defined()) replacement = f(p);
        p = replacement;
    });
    return copy;
}

/// A layer of the same type with parameters of its own.
template <Module M>
M clone(const M& module) {
    return with_parameters(module, [](const Tensor& p) { return p.clone(); });
}

/// A copy whose parameters have another dtype: to(model, Dtype::float64) for gradient checks.
template <Module M>
M to(const M& module, Dtype dtype) {
    return with_parameters(module, [dtype](const Tensor& p) {
        const Tensor converted = cast(p, dtype);
        if (converted.same_as(p)) return p.clone();
        return Tensor(converted).set_name(p.name()).set_parameter(p.is_parameter());
    });
}

}  // namespace wengert
