#include <fmt/format.h>

#include <wengert/ops/all_ops.hpp>
#include <wengert/ops/op_reference.hpp>

namespace wengert {
namespace {

constexpr std::string_view introduction = R"(# Ops

`build/examples/ops_reference > docs/ops.md` writes this page from the lists of ops; a test holds that it is current. Every op is
checked against central differences in first and second order; `build/examples/gradcheck` prints the table. `ct` is the
cotangent of the result y. The headers have the details: what is thrown, and what happens at kinks and with NaN.

Operands are float32 or float64. Operators, functions of elements and formulas convert operands of different dtypes as PyTorch does:
to float64 if an operand with axes is float64, else to float32 if one is float32; tensors without axes decide only if no other operand
is floating. Other ops refuse them. A number takes the tensors' dtype; ids and labels are int64. `cast(x, dtype)` converts, as a
constant, and `stop_gradient(x)` is x as a constant. A negative axis counts from the end.
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
        for (const OpDoc& row : family.composed) add_row(page, row);
    }
    return page;
}

}  // namespace wengert
