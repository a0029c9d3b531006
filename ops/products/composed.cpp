#include <wengert/ops/internal/composed.hpp>
#include <wengert/ops/ops.hpp>

namespace wengert {

std::span<const ComposedFunction> composed_products() {
    static constexpr ComposedFunction rows[] = {
        {{"einsum(equation, operands)", "by the equation: \"bij,bjk->bik\"",
          "Σ of the operands' product over the letters that the result has not", "that of matmul"},
         [] {
             const auto by = [](const char* equation) {
                 return [equation](const std::vector<Tensor>& in) { return einsum(equation, in); };
             };
             return Samples{sample_of("bij,bjk->bik", {{2, 2, 3}, {2, 3, 2}}, by("bij,bjk->bik")),
                            sample_of("bi,oij,bj->bo", {{2, 2}, {2, 2, 3}, {2, 3}}, by("bi,oij,bj->bo")),
                            sample_of("...ij,j->...i, the ellipsis", {{2, 2, 3}, {3}}, by("...ij,j->...i")),
                            sample_of("iij->j, a diagonal", {{3, 3, 2}}, by("iij->j"))};
         }},
        {{"tensordot(a, b, axes = 2), tensordot(a, b, axes_a, axes_b)", "[m.., k..] x [k.., n..] -> [m.., n..]",
          "Σ a b over pairs of axes", "Σ ct b over n..; Σ a ct over m.."},
         [] {
             return Samples{
                 sample_of("two axes", {{2, 3, 2}, {3, 2, 2}}, [](const auto& in) { return tensordot(in[0], in[1]); }),
                 sample_of("no axis", {{2}, {3}}, [](const auto& in) { return tensordot(in[0], in[1], 0); }),
                 sample_of("axes by name", {{2, 3, 2}, {2, 3}}, [](const auto& in) {
                     return tensordot(in[0], in[1], {1, 0}, {1, 0});
                 })};
         }}};
    return rows;
}

}  // namespace wengert
