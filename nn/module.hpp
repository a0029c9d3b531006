#pragma once

#include <concepts>
#include <functional>
#include <string>
#include <string_view>
#include <vector>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/nn/named_tensors.hpp>
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
/// Everything else that one does with a layer's parameters derives from it, here. A member Buffer holds a tensor that
/// is no parameter. A tensor that is not defined (a layer without bias) is passed over. Copies of a layer share their
/// parameters; clone() makes new ones. A member that visit does not name is neither trained nor saved:
/// require_visited() finds it.
namespace WENGERT_EXPORT wengert {

/// For constructors: throws ValueError unless every number of features is at least 1.
void require_features(std::string_view layer, std::initializer_list<std::int64_t> counts);

/// For calls: throws ValueError, at the caller's line, if a layer lacks a parameter because it was default-constructed
/// or moved from.
[[noreturn]] void throw_missing(std::string_view layer, std::string_view parameter, const SourceLine& where);
/// The same for one parameter; throws if it is undefined.
inline void require_parameter(const Tensor& parameter, std::string_view layer, std::string_view name,
                              const SourceLine& where) {
    if (!parameter.defined()) throw_missing(layer, name, where);
}

/// A tensor of a layer's state that is no parameter, such as running statistics: it is saved, copied and converted with
/// the layer, but neither trained nor followed by tapes.
struct Buffer {
    Tensor tensor;  ///< the elements; undefined if the layer keeps none
};

/// A layer or a model: what has a visit() that names its members.
template <class M>
concept Module = requires(M& m) {
    m.visit([](std::string_view, auto&) {});
};

/// What the compiler says of a type that is no Module.
template <class M>
struct RequireModule {
    static_assert(Module<M>,
                  "a layer has a public `void visit(auto&& f)` that calls f(\"name\", member) for each member");
};

/// What is done with a parameter; the name is the dotted path from the layer. Not a template's argument, so that walks
/// through a model are compiled once and not for each thing that is done with its parameters.
using ParameterVisitor = std::function<void(const std::string& name, Tensor& parameter)>;
/// The tensor that takes a parameter's place.
using ParameterReplacement = std::function<Tensor(const Tensor& parameter)>;

/// "encoder.gru" and "weight" -> "encoder.gru.weight"
std::string member_path(const std::string& prefix, std::string_view name);

/// Calls `parameter` or `buffer` for every tensor of a layer's state, in the order of visit.
template <Module M>
void for_each_tensor(M& module, const ParameterVisitor& parameter, const ParameterVisitor& buffer,
                     const std::string& prefix = {}) {
    module.visit([&](std::string_view name, auto& member) {
        if constexpr (std::same_as<decltype(member), Tensor&>) {
            if (member.defined()) parameter(member_path(prefix, name), member);
        } else if constexpr (std::same_as<decltype(member), Buffer&>) {
            if (member.tensor.defined()) buffer(member_path(prefix, name), member.tensor);
        } else {
            for_each_tensor(member, parameter, buffer, member_path(prefix, name));
        }
    });
}

/// Calls f for every parameter, in the order of visit.
template <Module M>
void for_each_parameter(M& module, const ParameterVisitor& f, const std::string& prefix = {}) {
    for_each_tensor(
        module, f, [](const std::string&, Tensor&) {}, prefix);
}

/// Visitors: what the functions below do with each parameter.
ParameterVisitor appending_to(NamedTensors& list);
/// Gives each parameter its path as name, and marks it for tapes to follow.
ParameterVisitor naming();
/// Gives each buffer its path as name.
ParameterVisitor naming_buffers();
ParameterVisitor replacing(const ParameterReplacement& f);  ///< what layers share stays shared

/// All parameters with their dotted names, in the order of visit.
template <Module M>
NamedTensors named_parameters(const M& module) {
    NamedTensors result;
    // visit() hands out references for layers that change; handles are only read here.
    for_each_parameter(const_cast<M&>(module), appending_to(result));
    return result;
}

/// All parameters and buffers with their dotted names, in the order of visit: what a file holds.
template <Module M>
NamedTensors named_state(const M& module) {
    NamedTensors result;
    const ParameterVisitor append = appending_to(result);
    for_each_tensor(const_cast<M&>(module), append, append);
    return result;
}

/// Each tensor once, also one that several layers share.
std::vector<Tensor> unique_tensors(const NamedTensors& tensors);

/// Each parameter once, also one that several layers share.
template <Module M>
std::vector<Tensor> parameters(const M& module) {
    return unique_tensors(named_parameters(module));
}

/// For a type that is no Module.
template <class M>
requires(!Module<M>) RequireModule<M> parameters(const M& module);

/// How many numbers the parameters are together.
template <Module M>
std::int64_t parameter_count(const M& module) {
    std::int64_t n = 0;
    for (const Tensor& p : parameters(module)) n += p.numel();
    return n;
}

/// Gives each parameter its dotted name, for errors, pictures and reports, and marks it for tapes to follow; buffers
/// get their names. A model's constructor ends with this.
template <Module M>
void name_parameters(M& module, const std::string& prefix = {}) {
    for_each_tensor(module, naming(), naming_buffers(), prefix);
}

/// For a type that is no Module.
template <class M>
requires(!Module<M>) RequireModule<M> name_parameters(M& module);

/// A copy of a layer with f(parameter) in place of each parameter; what layers share stays shared, and the copy shares
/// the buffers.
template <Module M>
M with_parameters(const M& module, const ParameterReplacement& f) {
    M copy = module;
    for_each_parameter(copy, replacing(f));
    return copy;
}

/// The same with f(tensor) in place of each parameter and each buffer.
template <Module M>
M with_tensors(const M& module, const ParameterReplacement& f) {
    M copy = module;
    const ParameterVisitor replace = replacing(f);
    for_each_tensor(copy, replace, replace);
    return copy;
}

/// A layer of the same type with parameters and buffers of its own. An optimizer that was made for the other goes on
/// with the other's.
template <Module M>
M clone(const M& module) {
    return with_tensors(module, &Tensor::clone);
}

/// For a type that is no Module.
template <class M>
requires(!Module<M>) RequireModule<M> clone(const M& module);

/// A tensor of its own in another dtype, with the other's name; counts in a buffer stay int64. Throws DtypeError for a
/// dtype that is not float32 or float64.
Tensor converted_parameter(const Tensor& parameter, Dtype dtype);

/// A copy with parameters and buffers of its own in another dtype: to(model, Dtype::float64) for gradient checks.
/// Throws DtypeError for a dtype that is not float32 or float64.
template <Module M>
M to(const M& module, Dtype dtype) {
    return with_tensors(module, [dtype](const Tensor& p) { return converted_parameter(p, dtype); });
}

/// The same for parameters that a model has.
void require_visited(const Tape& tape, const std::vector<Tensor>& visited, NodeId first, const SourceLine& where);

/// Throws ValueError if the tape, from node `first` on, has used a parameter that the model's visit does not name: one
/// that an optimizer over parameters(model) would never change. For a tape on which that model alone ran.
template <Module M>
void require_visited(const Tape& tape, const M& module, NodeId first = 0,
                     const SourceLine& where = std::source_location::current()) {
    require_visited(tape, parameters(module), first, where);
}

}  // namespace wengert
