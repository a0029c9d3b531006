#include <fmt/format.h>

#include <span>
#include <vector>
#include <wengert/ops/all_ops.hpp>
#include <wengert/ops/elementwise/map.hpp>
#include <wengert/ops/index/gather.hpp>
#include <wengert/ops/index/positions.hpp>
#include <wengert/ops/index/rearrange.hpp>
#include <wengert/ops/index/scatter.hpp>
#include <wengert/ops/index/sorting.hpp>
#include <wengert/ops/linalg/least_squares.hpp>
#include <wengert/ops/linalg/products.hpp>
#include <wengert/ops/linalg/solve.hpp>
#include <wengert/ops/network/dropout.hpp>
#include <wengert/ops/network/losses.hpp>
#include <wengert/ops/network/masking.hpp>
#include <wengert/ops/network/normalisation.hpp>
#include <wengert/ops/network/pooling.hpp>
#include <wengert/ops/op_reference.hpp>
#include <wengert/ops/products/einsum.hpp>
#include <wengert/ops/random/distributions.hpp>
#include <wengert/ops/random/random.hpp>
#include <wengert/ops/reduce/counts.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/reduce/statistics.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {
namespace {

constexpr std::string_view introduction = R"(# Ops

`build/examples/ops_reference > docs/ops.md` writes this page from the lists of ops; a test holds that it is current. Every op is
checked against central differences in first and second order; `build/examples/gradcheck` prints the table. `ct` is the
cotangent of the result y. The headers have the details: what is thrown, and what happens at kinks and with NaN.

Operands are float32 or float64 and of one dtype; where a number may stand for a tensor, it takes the tensors' dtype. Ids and labels
are int64. `cast(x, dtype)` converts, as a constant, and `stop_gradient(x)` is x as a constant. A negative axis counts from the end.
Operands that broadcast do so as in NumPy: axes are aligned at the right, and a length of 1 stretches. Reductions take an axis, a set
of axes, or all. Views share their operand's elements, and so do their cotangents.
)";

void add_table(std::string& page, std::string_view title, std::span<const OpDoc> rows) {
    page += fmt::format("\n## {}\n\n| call | shapes | result y | derivative |\n| --- | --- | --- | --- |\n", title);
    for (const OpDoc& row : rows)
        page += fmt::format("| `{}` | {} | {} | {} |\n", row.call, row.shape, row.formula, row.derivative);
}

}  // namespace

std::string op_reference() {
    std::string page(introduction);
    const std::vector<OpEntry>& ops = all_ops();
    for (std::size_t first = 0; first < ops.size();) {
        const std::string_view family = ops[first].family;
        std::vector<OpDoc> rows;
        for (; first < ops.size() && ops[first].family == family; ++first) rows.push_back(ops[first].doc);
        if (family == "Comparisons and choice")
            rows.insert(rows.end(), std::begin(composed_comparisons), std::end(composed_comparisons));
        if (family == "Sums") rows.insert(rows.end(), std::begin(composed_reductions), std::end(composed_reductions));
        if (family == "Counts") rows.insert(rows.end(), std::begin(composed_counts), std::end(composed_counts));
        if (family == "Order") rows.insert(rows.end(), std::begin(composed_orders), std::end(composed_orders));
        if (family == "Linear algebra") {
            rows.insert(rows.end(), std::begin(composed_solutions), std::end(composed_solutions));
            rows.insert(rows.end(), std::begin(composed_least_squares), std::end(composed_least_squares));
        }
        if (family == "Pools") rows.insert(rows.end(), std::begin(composed_pools), std::end(composed_pools));
        if (family == "Matrix products")
            rows.insert(rows.end(), std::begin(composed_products), std::end(composed_products));
        if (family == "Losses") rows.insert(rows.end(), std::begin(composed_losses), std::end(composed_losses));
        if (family == "Lookup") {
            rows.insert(rows.end(), std::begin(composed_lookups), std::end(composed_lookups));
            rows.insert(rows.end(), std::begin(composed_scatters), std::end(composed_scatters));
        }
        if (family == "Views") rows.insert(rows.end(), std::begin(composed_views), std::end(composed_views));
        add_table(page, family, rows);
    }
    add_table(page, "Arrangements", composed_arrangements);
    add_table(page, "Positions", composed_positions);
    add_table(page, "Products of vectors and matrices", composed_matrix_products);
    add_table(page, "Deviations and norms", composed_statistics);
    add_table(page, "Formulas", formulas);
    add_table(page, "Masks", composed_masks);
    add_table(page, "Normalisations", composed_normalisations);
    add_table(page, "Noise", composed_noise);
    add_table(page, "Random tensors", random_tensors);
    add_table(page, "Random tensors by their parameters", distributions);
    return page;
}

}  // namespace wengert
