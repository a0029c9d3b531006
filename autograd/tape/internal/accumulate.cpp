#include <wengert/autograd/tape/internal/accumulate.hpp>
#include <wengert/autograd/tape/operation.hpp>

namespace wengert {
namespace {

struct Accumulate {
    static constexpr std::string_view name = "accumulate";
    static constexpr bool linear = true;
    static constexpr Saves saves = Saves::nothing;
    Shape shape(const Inputs& in) const { return in[0].shape(); }
    void forward(const Inputs& in, const Destination& out) const {
        write(in[0], out);
        write(in[1], {out.tensor, true});
    }
    void vjp(Backward& back) const {
        back.add(0, back.cotangent());
        back.add(1, back.cotangent());
    }
};

struct AccumulateParts {
    static constexpr std::string_view name = "accumulate_parts";
    static constexpr bool linear = true;
    static constexpr Saves saves = Saves::nothing;
    Shape to;
    std::vector<const Node*, CachedAllocator<const Node*>> views;  // nodes of the recording that this becomes a node of

    Shape shape(const Inputs&) const { return to; }
    void forward(const Inputs& in, const Destination& out) const {
        fill(out.tensor, 0);
        for (std::size_t i = 0; i < in.size(); ++i) write(in[i], {views[i]->view(out.tensor), true});
    }
    void vjp(Backward& back) const {
        for (std::size_t i = 0; i < views.size(); ++i)
            if (back.needs(i)) back.add(i, views[i]->apply_view(back.cotangent()));
    }
};

}  // namespace

Tensor accumulate(const Tensor& a, const Tensor& b) { return apply(Accumulate{}, {&a, &b}, SourceLine{}); }

Tensor accumulate_parts(const Node& base, std::span<const CotangentPart> parts) {
    AccumulateParts op{base.shape(), {}};
    std::vector<const Tensor*, CachedAllocator<const Tensor*>> operands;
    for (const CotangentPart& part : parts) {
        op.views.push_back(part.view);
        operands.push_back(&part.cotangent);
    }
    return apply(op, Inputs(operands), SourceLine{});
}

}  // namespace wengert
