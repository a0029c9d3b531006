#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>
#include <wengert/ops/elementwise/map.hpp>
#include <wengert/ops/index/rearrange.hpp>
#include <wengert/ops/products/einsum.hpp>
#include <wengert/ops/products/matmul.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {
namespace {

/// One character for each axis. Digits are the axes of the ellipsis, counted from the right.
using Labels = std::string;
using Lengths = std::array<std::int64_t, 128>;  // by label

struct Factor {
    Tensor x;
    Labels labels;
};

bool has(const Labels& labels, char label) { return labels.find(label) != Labels::npos; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_ellipsis(char label) { return label >= '0' && label <= '9'; }

template <class F>
Labels filtered(const Labels& labels, const F& keeps) {
    Labels result;
    std::ranges::copy_if(labels, std::back_inserter(result), keeps);
    return result;
}

// The equation

constexpr std::string_view dots = "...";

/// Throws ValueError unless the subscripts are letters with one ellipsis at most.
void require_subscripts(std::string_view text, std::string_view equation) {
    const std::size_t ellipsis = text.find(dots);
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (i == ellipsis) i += dots.size();
        if (i < text.size() && !is_letter(text[i]))
            throw ValueError(fmt::format("the equation \"{}\" has a '{}' that belongs to no letter, ellipsis or arrow",
                                         equation, text[i]));
    }
}

/// The labels of subscripts whose ellipsis stands for so many axes.
Labels labels_of(std::string_view text, std::int64_t ellipsis_axes) {
    Labels labels(text);
    const std::size_t ellipsis = text.find(dots);
    if (ellipsis == std::string_view::npos) return labels;
    Labels axes;
    for (std::int64_t axis = ellipsis_axes; axis-- > 0;) axes.push_back(static_cast<char>('0' + axis));
    return labels.replace(ellipsis, dots.size(), axes);
}

struct Equation {
    std::vector<Labels> operands;
    Labels result;
};

Equation parse(std::string_view equation, const std::vector<Tensor>& operands) {
    std::string text(equation);
    std::erase(text, ' ');
    const std::size_t arrow = text.find("->");
    std::vector<std::string> parts(1);
    for (const char c : text.substr(0, arrow)) {
        if (c == ',')
            parts.emplace_back();
        else
            parts.back().push_back(c);
    }
    for (const std::string& part : parts) require_subscripts(part, equation);
    if (parts.size() != operands.size())
        throw ValueError(
            fmt::format("the equation \"{}\" is of {} operands, not of {}", equation, parts.size(), operands.size()));
    Equation parsed;
    std::int64_t broadcast_axes = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const bool has_ellipsis = parts[i].find(dots) != std::string::npos;
        const std::int64_t named = std::ssize(parts[i]) - (has_ellipsis ? std::ssize(dots) : 0);
        const std::int64_t others = operands[i].rank() - named;
        if (others < 0 || (others > 0 && !has_ellipsis))
            throw ShapeError(fmt::format("operand {} is {}, but \"{}\" names {}{} axes", i,
                                         to_string(operands[i].shape()), parts[i], has_ellipsis ? "at least " : "",
                                         named));
        parsed.operands.push_back(labels_of(parts[i], others));
        broadcast_axes = std::max(broadcast_axes, others);
    }
    Labels all;
    for (const Labels& labels : parsed.operands) all += labels;
    if (arrow == std::string::npos) {
        const Labels once = filtered(all, [&](char c) { return is_letter(c) && std::ranges::count(all, c) == 1; });
        parsed.result = labels_of(dots, broadcast_axes) + once;
        std::sort(parsed.result.begin() + broadcast_axes, parsed.result.end());
        return parsed;
    }
    const std::string result = text.substr(arrow + 2);
    require_subscripts(result, equation);
    if (broadcast_axes > 0 && result.find(dots) == std::string::npos)
        throw ValueError(fmt::format("the equation \"{}\" has no ellipsis in its result, but in operands", equation));
    parsed.result = labels_of(result, broadcast_axes);
    for (const char label : parsed.result) {
        if (!has(all, label))
            throw ValueError(fmt::format("label '{}' of the result is in no operand of \"{}\"", label, equation));
        if (std::ranges::count(parsed.result, label) > 1)
            throw ValueError(fmt::format("label '{}' is twice in the result of \"{}\"", label, equation));
    }
    return parsed;
}

/// The length of every label. Throws ShapeError if operands differ, but for axes of the ellipsis of length 1.
Lengths lengths_of(const std::vector<Labels>& labels, const std::vector<Tensor>& operands) {
    Lengths lengths{};
    std::array<std::size_t, 128> owner{};
    for (std::size_t i = 0; i < operands.size(); ++i)
        for (std::size_t axis = 0; axis < labels[i].size(); ++axis) {
            const char label = labels[i][axis];
            const auto at = static_cast<std::size_t>(label);
            const std::int64_t length = operands[i].dim(static_cast<int>(axis));
            const bool is_known = owner[at] > 0, stretches = is_ellipsis(label);
            if (is_known && length != lengths[at] && !(stretches && (length == 1 || lengths[at] == 1)))
                throw ShapeError(fmt::format("{} has length {} in operand {} {}, but {} in operand {} {}",
                                             stretches ? "an axis of the ellipsis" : fmt::format("label '{}'", label),
                                             lengths[at], owner[at] - 1, to_string(operands[owner[at] - 1].shape()),
                                             length, i, to_string(operands[i].shape())));
            if (is_known && (length == 1 || length == lengths[at])) continue;
            lengths[at] = length;
            owner[at] = i + 1;
        }
    return lengths;
}

// Factors

/// The labels' axes in this order, those of a group as one axis; an empty group is an axis of length 1.
Tensor grouped(const Factor& factor, const std::vector<Labels>& groups, const SourceLine& where) {
    Shape order, shape;
    for (const Labels& group : groups) {
        std::int64_t length = 1;
        for (const char label : group) {
            order.push_back(static_cast<std::int64_t>(factor.labels.find(label)));
            length *= factor.x.shape()[static_cast<int>(order.back())];
        }
        shape.push_back(length);
    }
    Tensor x = factor.x;
    if (!std::ranges::is_sorted(order)) x = permute({x, where}, order);
    return x.shape() == shape ? x : reshape({x, where}, shape);
}

/// An axis for each label, of length 1 for those that the factor has not.
Tensor arranged(const Factor& factor, const Labels& labels, const SourceLine& where) {
    std::vector<Labels> groups;
    for (const char label : labels) groups.push_back(has(factor.labels, label) ? Labels{label} : Labels{});
    return grouped(factor, groups, where);
}

/// An operand with an axis for each label that it has or that others have: diagonals taken, axes that are stretched
/// left out, and what no other factor has and the result has not summed.
Factor simplified(Factor factor, const Labels& kept, const Lengths& lengths, const SourceLine& where) {
    for (std::size_t axis = factor.labels.size(); axis-- > 0;)
        if (is_ellipsis(factor.labels[axis]) && factor.x.dim(static_cast<int>(axis)) == 1 &&
            lengths[static_cast<std::size_t>(factor.labels[axis])] != 1) {
            factor.x = squeeze({factor.x, where}, static_cast<int>(axis));
            factor.labels.erase(axis, 1);
        }
    for (std::size_t first = 0; first < factor.labels.size();) {
        const char label = factor.labels[first];
        const std::size_t second = factor.labels.find(label, first + 1);
        if (second == Labels::npos) {
            ++first;
            continue;
        }
        const Tensor at_end =
            movedim({movedim({factor.x, where}, static_cast<int>(second), -1), where}, static_cast<int>(first), -1);
        factor.x = diagonal({at_end, where});
        factor.labels.erase(second, 1).erase(first, 1).push_back(label);
    }
    ReductionAxes summed;
    for (std::size_t axis = 0; axis < factor.labels.size(); ++axis)
        if (!has(kept, factor.labels[axis])) summed.add(static_cast<int>(axis));
    if (!summed.any()) return factor;
    return {sum({factor.x, where}, summed), filtered(factor.labels, [&](char c) { return has(kept, c); })};
}

/// The product of two factors, summed over the labels that are not kept, which both have.
Factor contract(const Factor& a, const Factor& b, const Labels& kept, const Labels& result, const SourceLine& where) {
    const auto is_kept = [&](char c) { return has(kept, c); };
    const auto of_a = [&](char c) { return has(a.labels, c); };
    const auto of_b = [&](char c) { return has(b.labels, c); };
    const Labels batch = filtered(a.labels, [&](char c) { return of_b(c) && is_kept(c); });
    const Labels left = filtered(a.labels, [&](char c) { return !of_b(c); });
    const Labels right = filtered(b.labels, [&](char c) { return !of_a(c); });
    // The result's last axis is to run along memory.
    const std::size_t last = result.find_last_of(left + right);
    if (last != Labels::npos && has(left, result[last])) return contract(b, a, kept, result, where);

    const Labels labels = batch + left + right;
    const Labels& larger = a.x.numel() < b.x.numel() ? b.labels : a.labels;
    const Labels inner = filtered(larger, [&](char c) { return of_a(c) && of_b(c) && !is_kept(c); });
    if (inner.empty()) return {Input(arranged(a, labels, where), where) * arranged(b, labels, where), labels};
    if (left.empty() && right.empty()) {
        ReductionAxes summed;
        for (int axis = 1; axis <= std::ssize(inner); ++axis) summed.add(-axis);
        const Tensor x = arranged(a, batch + inner, where), y = arranged(b, batch + inner, where);
        return {map_sum([](auto x, auto y) { return x * y; }, summed, Input(x, where), y), labels};
    }
    std::vector<Labels> rows, columns;
    if (std::ssize(batch) + 2 > Shape::max_rank)
        rows.push_back(batch);
    else
        for (const char label : batch) rows.emplace_back(1, label);
    columns = rows;
    // Without a batch the product takes any number of axes at the left, wherever they stand.
    if (batch.empty())
        for (const char label : left) rows.emplace_back(1, label);
    if (rows.size() == columns.size()) rows.push_back(left);
    rows.push_back(inner);
    columns.insert(columns.end(), {inner, right});
    const Tensor x = grouped(a, rows, where), y = grouped(b, columns, where);
    const Tensor product = matmul({x, where}, {y, where});
    Shape shape;
    for (const char label : labels) {
        const Factor& owner = of_a(label) ? a : b;
        shape.push_back(owner.x.dim(static_cast<int>(owner.labels.find(label))));
    }
    return {product.shape() == shape ? product : reshape({product, where}, shape), labels};
}

// The order

struct Choice {
    /// What counts first, and what decides where that is equal.
    std::pair<double, double> cost{std::numeric_limits<double>::infinity(), 0};
    std::size_t first = 0, second = 0;
};

/// The labels that a product of two factors must keep: those of the result and of the other factors.
Labels kept_labels(const std::vector<Labels>& factors, std::size_t first, std::size_t second, Labels result) {
    for (std::size_t i = 0; i < factors.size(); ++i)
        if (i != first && i != second) result += factors[i];
    return result;
}

/// The two factors to multiply first. Every order of up to four factors is compared, by the number of multiplications;
/// of more, the next product alone, by how much smaller it is than its factors.
Choice cheapest(const std::vector<Labels>& factors, const Labels& result, const Lengths& lengths) {
    constexpr std::size_t most_compared = 4;
    const auto size = [&](const Labels& labels) {
        double product = 1;
        for (const char label : labels) product *= static_cast<double>(lengths[static_cast<std::size_t>(label)]);
        return product;
    };
    Choice best;
    for (std::size_t j = 1; j < factors.size(); ++j)
        for (std::size_t i = 0; i < j; ++i) {
            const Labels kept = kept_labels(factors, i, j, result);
            const Labels all = factors[i] + filtered(factors[j], [&](char c) { return !has(factors[i], c); });
            const Labels product = filtered(all, [&](char c) { return has(kept, c); });
            if (std::ssize(product) > Shape::max_rank) continue;
            std::pair<double, double> cost{size(all), 0};
            if (factors.size() > most_compared) {
                cost = {size(product) - size(factors[i]) - size(factors[j]), size(all)};
            } else if (factors.size() > 2) {
                std::vector<Labels> rest = factors;
                rest[i] = product;
                rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(j));
                cost.first += cheapest(rest, result, lengths).cost.first;
            }
            if (cost < best.cost) best = {cost, i, j};
        }
    return best;
}

Tensor product_of(std::vector<Factor> factors, const Labels& result, const Lengths& lengths, const SourceLine& where) {
    while (factors.size() > 1) {
        std::vector<Labels> labels;
        for (const Factor& factor : factors) labels.push_back(factor.labels);
        const auto [cost, i, j] = cheapest(labels, result, lengths);
        if (j == 0) throw ShapeError(fmt::format("a product of operands has more than {} axes", Shape::max_rank));
        factors[i] = contract(factors[i], factors[j], kept_labels(labels, i, j, result), result, where);
        factors.erase(factors.begin() + static_cast<std::ptrdiff_t>(j));
    }
    return arranged(factors[0], result, where);
}

void require_floats(const std::vector<Tensor>& operands) {
    for (std::size_t i = 0; i < operands.size(); ++i)
        if (!is_floating(operands[i].dtype()) || operands[i].dtype() != operands[0].dtype())
            throw DtypeError(
                fmt::format("operands must be float32 or float64 and alike, but operand {} is {}{}", i,
                            to_string(operands[i].dtype()),
                            i == 0 ? "" : fmt::format(" and operand 0 {}", to_string(operands[0].dtype()))));
}

}  // namespace

Tensor einsum(std::string_view equation, const std::vector<Tensor>& operands, const SourceLine& where) {
    std::vector<const Tensor*> pointers;
    for (const Tensor& operand : operands) pointers.push_back(&operand);
    return located("einsum", Inputs(pointers), where, [&] {
        require_operands(Inputs(pointers), true);
        const auto [labels, result] = parse(equation, operands);
        require_floats(operands);
        if (std::ssize(result) > Shape::max_rank)
            throw ShapeError(fmt::format("the result of \"{}\" has more than {} axes", equation, Shape::max_rank));
        const Lengths lengths = lengths_of(labels, operands);
        std::vector<Factor> factors;
        for (std::size_t i = 0; i < operands.size(); ++i)
            factors.push_back(simplified({operands[i], labels[i]}, kept_labels(labels, i, i, result), lengths, where));
        return product_of(std::move(factors), result, lengths, where);
    });
}

Tensor tensordot(const Input& a, const Input& b, const std::vector<int>& axes_a, const std::vector<int>& axes_b) {
    return located("tensordot", {a, b}, [&] {
        const Tensor &x = a.tensor(), &y = b.tensor();
        require_floating(x, "a");
        require_floating(y, "b");
        if (x.dtype() != y.dtype())
            throw DtypeError(fmt::format("a is {}, but b {}", to_string(x.dtype()), to_string(y.dtype())));
        if (axes_a.size() != axes_b.size())
            throw ShapeError(fmt::format("{} axes of a are no pairs with {} of b", axes_a.size(), axes_b.size()));
        Labels left, right;
        for (int axis = 0; axis < x.rank(); ++axis) left.push_back(static_cast<char>('a' + axis));
        for (int axis = 0; axis < y.rank(); ++axis) right.push_back(static_cast<char>('A' + axis));
        Labels result = left + right;
        for (std::size_t i = 0; i < axes_a.size(); ++i) {
            const int from = normalize_axis(axes_a[i], x.rank()), to = normalize_axis(axes_b[i], y.rank());
            const char label = left[static_cast<std::size_t>(from)];
            char& other = right[static_cast<std::size_t>(to)];
            if (!has(result, label) || !has(result, other))
                throw ShapeError(fmt::format("axis {} of {} is given twice", has(result, label) ? axes_b[i] : axes_a[i],
                                             has(result, label) ? "b" : "a"));
            if (x.dim(from) != y.dim(to))
                throw ShapeError(fmt::format("axis {} of a {} and axis {} of b {} differ in length", axes_a[i],
                                             to_string(x.shape()), axes_b[i], to_string(y.shape())));
            result.erase(result.find(label), 1).erase(result.find(other), 1);
            other = label;
        }
        if (std::ssize(result) > Shape::max_rank)
            throw ShapeError(fmt::format("the product of a {} and b {} has more than {} axes", to_string(x.shape()),
                                         to_string(y.shape()), Shape::max_rank));
        return arranged(contract({x, left}, {y, right}, result, result, a.where()), result, a.where());
    });
}

Tensor tensordot(const Input& a, const Input& b, int axes) {
    return located("tensordot", {a, b}, [&] {
        const int rank = a.tensor().rank();
        if (axes < 0 || axes > rank || axes > b.tensor().rank())
            throw ShapeError(fmt::format("a {} and b {} have not {} axes each to sum over",
                                         to_string(a.tensor().shape()), to_string(b.tensor().shape()), axes));
        std::vector<int> axes_a, axes_b;
        for (int axis = 0; axis < axes; ++axis) axes_a.push_back(rank - axes + axis), axes_b.push_back(axis);
        return tensordot(a, b, axes_a, axes_b);
    });
}

}  // namespace wengert
