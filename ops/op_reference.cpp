#include <fmt/format.h>

#include <wengert/ops/all_ops.hpp>
#include <wengert/ops/op_reference.hpp>

namespace wengert {
namespace {

constexpr std::string_view introduction = R"(# Ops

`build/examples/ops_reference > docs/ops.md` writes this page from the lists of ops; a test holds that it is current. Every
derivative is checked against central differences in first and second order; `build/examples/gradcheck` prints the table. `ct` is the
cotangent of the result y. The headers have the details: what is thrown, and what happens at kinks and with NaN.
[accuracy.md](accuracy.md) has how exact each function of one operand was measured to be.

Operands are float32 or float64; ids, labels and lengths are int64 or int32, and masks bool or of any dtype, of which 0 is false;
attention adds its mask.
Operators, functions of elements, formulas, losses of elements, `concat` and `stack` convert operands of different dtypes as PyTorch
does, to the last among bool < int32 < int64 < float32 < float64 that a tensor with axes has. A tensor without axes decides only if it
is of a later kind (bool, integer, float) than those, and a number, as float32, int64 or bool, only if it is of a later kind than all
tensors. Other ops refuse operands of different dtypes.

| dtypes | what takes them |
| --- | --- |
| float32, float64 | all ops. They alone have gradients: what is computed of others is a constant |
| int32, int64 | `+ - *`, `fmod`, `neg`, `abs`, `sign`, `square`, `minimum`, `maximum`, `clamp`, rounding, which wrap around; `x / y` is float32; `sum`, `prod`, `cumsum`, which are int64; comparisons, choices, extremes, counts, sorting, lookups |
| bool | what comparisons, `any`, `all` are. `+` is or, `*` is and; `minimum`, `maximum`, and what integers have but the rest of arithmetic; `sum` counts, in int64 |
| float16, bfloat16 | none: they are stored. `cast(x, dtype)` first; views, `clone()` and files keep them |

`cast(x, dtype)` converts, as a constant, and `stop_gradient(x)` is x as a constant. A negative axis counts from the end.
Operands that broadcast do so as in NumPy: axes are aligned at the right, and a length of 1 stretches. Reductions take an axis, a set
of axes, or all. Views share their operand's elements, and so do their cotangents.
)";

void add_row(std::string& page, const OpDoc& row) {
    page += fmt::format("| `{}` | {} | {} | {} |\n", row.call, row.shape, row.formula, row.derivative);
}

}  // namespace

std::string op_reference() {
    std::string page(introduction);
    for (const OpFamily& family : op_families()) {
        page += fmt::format("\n## {}\n\n| call | shapes | result y | derivative |\n| --- | --- | --- | --- |\n",
                            family.title);
        for (const OpEntry& op : family.ops) add_row(page, op.doc);
        for (const OpEntry& function : family.composed) add_row(page, function.doc);
    }
    return page;
}

}  // namespace wengert
