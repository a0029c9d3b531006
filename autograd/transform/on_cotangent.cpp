#include <fmt/format.h>

#include <wengert/autograd/transform/internal/rule.hpp>
#include <wengert/autograd/transform/on_cotangent.hpp>

namespace wengert {
namespace {

struct OnCotangent {
    static constexpr std::string_view name = "on_cotangent";
    std::function<Tensor(const Tensor&)> f;

    Tensor compute(const Inputs& in) const {
        if (!is_floating(in[0].dtype()))
            throw DtypeError(fmt::format("x is {}, which has no cotangent", to_string(in[0].dtype())));
        return in[0].detached();
    }
    void vjp(Backward& back) const {
        if (!back.needs(0)) return;
        const Tensor cotangent = f(cotangent_for_function(back));
        if (!cotangent.defined()) throw ValueError("the function returned an undefined tensor");
        require_followed(back, cotangent);
        back.add(0, cotangent);
    }
    Tensor jvp(const Forward& forward) const { return forward.tangent(0); }
};

}  // namespace

Tensor on_cotangent(const Input& x, std::function<Tensor(const Tensor&)> f) {
    return apply(OnCotangent{std::move(f)}, x);
}

}  // namespace wengert
