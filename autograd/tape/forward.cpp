#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <wengert/autograd/tape/forward.hpp>
#include <wengert/autograd/tape/internal/accumulate.hpp>
#include <wengert/autograd/tape/operation.hpp>

namespace wengert {
namespace {

/// What a tensor has of the forward passes that it was computed in. Parameters have none, so that threads may share
/// them.
struct Tangents final : ParameterCache {
    struct Entry {
        std::uint64_t pass;
        std::uint32_t version;  // of the storage when the tangent was computed
        Tensor tangent;
    };
    std::vector<Entry> entries;

    static Tangents* of(const Tensor& x) {
        const TensorState* const state = x.state();
        if (state->extras == nullptr || state->parameter) return nullptr;
        for (const std::unique_ptr<ParameterCache>& cache : state->extras->caches)
            if (auto* const tangents = dynamic_cast<Tangents*>(cache.get())) return tangents;
        return nullptr;
    }
    static void add(const Tensor& x, std::uint64_t pass, Tensor tangent) {
        std::unique_ptr<Extras>& extras = x.state()->extras;
        if (extras == nullptr) extras = std::make_unique<Extras>();
        extras->cache<Tangents>().entries.push_back({pass, x.version(), std::move(tangent)});
    }
    static Tensor find(const Tensor& x, std::uint64_t pass) {
        const Tangents* const tangents = of(x);
        if (tangents == nullptr) return {};
        const auto entry = std::ranges::find(tangents->entries, pass, &Entry::pass);
        if (entry == tangents->entries.end()) return {};
        if (entry->version != x.version())
            throw TapeError(fmt::format(
                "a tensor {} was overwritten after its tangent was computed; to use its value, pass stop_gradient(x)",
                to_string(x.shape())));
        return entry->tangent;
    }
};

struct ContiguousTangent {
    static constexpr std::string_view name = "contiguous_tangent";
    static constexpr bool linear = true;
    Shape shape(const Inputs& in) const { return in[0].shape(); }
    void forward(const Inputs& in, const Destination& out) const { write(in[0], out); }
    void vjp(Backward& back) const { back.add(0, back.cotangent()); }
};

}  // namespace

Forward::Forward(const RecordingScope& pass, const Inputs& in, const Tensor& out, const SourceLine& where)
    : in_(in), out_(out), where_(where) {
    for (std::size_t i = 0; i < in.size(); ++i) tangents_.push_back(Tangents::find(in[i], pass.serial()));
}

bool Forward::has_any() const { return std::ranges::any_of(tangents_, &Tensor::defined); }

Tensor Forward::tangent_or_zeros(std::size_t i) const {
    return has(i) ? tangents_[i] : zeros(in_[i].shape(), in_[i].dtype());
}

Tensor Forward::contiguous_tangent(std::size_t i) const {
    return wengert::apply(ContiguousTangent{}, {&tangents_[i]}, where_);
}

Tensor Forward::linear(const Apply& apply) const {
    std::vector<Tensor> operands;
    for (std::size_t i = 0; i < in_.size(); ++i)
        operands.push_back(is_floating(in_[i].dtype()) ? tangent_or_zeros(i) : in_[i]);
    std::vector<const Tensor*> pointers;
    for (const Tensor& x : operands) pointers.push_back(&x);
    return apply(Inputs(pointers));
}

Tensor Forward::bilinear(const Apply& apply) const {
    const auto product = [&](const Tensor& a, const Tensor& b, bool adds) {
        return adds && has(2) ? apply({&a, &b, &tangents_[2]}) : apply({&a, &b});
    };
    // What is added goes with one of the products; if neither operand has a tangent, with a product of zeros.
    if (!has(0)) return product(has(1) ? in_[0] : tangent_or_zeros(0), tangent_or_zeros(1), true);
    const Tensor of_a = product(tangents_[0], in_[1], true);
    return has(1) ? accumulate(of_a, product(in_[0], tangents_[1], false)) : of_a;
}

void ForwardPass::set(const Tensor& variable, Tensor tangent) const {
    Tangents::add(variable, scope_->serial(), std::move(tangent));
}

Tensor ForwardPass::take(const Tensor& result) const {
    Tensor tangent = Tangents::find(result, scope_->serial());
    if (tangent.defined())
        std::erase_if(Tangents::of(result)->entries,
                      [this](const Tangents::Entry& entry) { return entry.pass == scope_->serial(); });
    return tangent;
}

void push_tangents(const RecordingScope& pass, const Inputs& in, const Tensor& out, const SourceLine& where,
                   const std::function<Tensor(const Forward&)>& rule) {
    // From the outermost pass in: a rule may compute with the result, which has its tangents of the passes around then.
    if (pass.outer_pass() != nullptr) push_tangents(*pass.outer_pass(), in, out, where, rule);
    const Forward forward(pass, in, out, where);
    if (!forward.has_any()) return;
    const Recording::Pushing pushing(pass);
    std::optional<Recording::Rule> line;
    if (Recording* const recording = Recording::current()) line.emplace(*recording, recording->line_of(where));
    Tensor tangent = rule(forward);
    if (!tangent.defined()) return;
    if (tangent.shape() != out.shape() || tangent.dtype() != out.dtype())
        throw ShapeError(fmt::format("the forward rule returned a tangent {} {} of a result {} {}",
                                     to_string(tangent.shape()), to_string(tangent.dtype()), to_string(out.shape()),
                                     to_string(out.dtype())));
    Tangents::add(out, pass.serial(), std::move(tangent));
}

Tensor constant_with_tangents(const Tensor& x) {
    Tensor constant = x.detached();
    constant.state()->constant_cause = x.state()->constant_cause;
    if (const Tangents* const tangents = Tangents::of(x))
        for (const auto& [pass, version, tangent] : tangents->entries)
            if (version == x.version()) Tangents::add(constant, pass, constant_with_tangents(tangent));
    return constant;
}

}  // namespace wengert
