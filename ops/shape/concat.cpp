#include <fmt/format.h>

#include <algorithm>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/elementwise/promotion.hpp>
#include <wengert/ops/shape/concat.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {
namespace {

std::vector<const Tensor*> pointers(const std::vector<Tensor>& parts) {
    std::vector<const Tensor*> result;
    for (const Tensor& part : parts) result.push_back(&part);
    return result;
}

void require_parts(const std::vector<Tensor>& parts) {
    if (parts.empty()) throw ValueError("there are no parts");
    for (std::size_t i = 0; i < parts.size(); ++i)
        if (!parts[i].defined()) throw ValueError(fmt::format("part {} is an undefined tensor", i));
}

/// Parts of different dtypes as those of one; none if they have one.
std::vector<Tensor> converted(const std::vector<Tensor>& parts, const SourceLine& where) {
    const auto has_first = [&](const Tensor& part) { return part.dtype() == parts[0].dtype(); };
    if (std::ranges::all_of(parts, has_first)) return {};
    std::vector<Input> operands;
    for (const Tensor& part : parts) operands.emplace_back(part, where);
    return promoted(operands, promoted_dtype(operands));
}

}  // namespace

// concat

Tensor concat(const std::vector<Tensor>& parts, int axis, const SourceLine& where) {
    static_assert(is_listed<Concat>, "the op is missing in its family's list");
    auto operands = pointers(parts);
    std::vector<Tensor> of_one_dtype;
    const Concat op = located(Concat::name, Inputs(operands), where, [&] {
        require_parts(parts);
        Concat checked{normalize_axis(axis, parts[0].rank()), {}};
        for (const Tensor& part : parts)
            checked.lengths.push_back(checked.axis < part.rank() ? part.shape()[checked.axis] : 0);
        of_one_dtype = converted(parts, where);
        return checked;
    });
    if (!of_one_dtype.empty()) operands = pointers(of_one_dtype);
    return apply(op, Inputs(operands), where);
}

Shape Concat::shape(const Inputs& in) const {
    Shape result = in[0].shape();
    result[axis] = 0;
    for (std::size_t i = 0; i < in.size(); ++i) {
        Shape part = in[i].shape();
        if (part.rank() == result.rank()) part[axis] = result[axis];
        if (part != result)
            throw ShapeError(fmt::format("part {} is {} and does not continue part 0 {} along axis {}", i,
                                         to_string(in[i].shape()), to_string(in[0].shape()), axis));
        result[axis] += in[i].shape()[axis];
    }
    return result;
}

void Concat::forward(const Inputs& in, const Destination& out) const {
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < in.size(); ++i) {
        write(in[i], {Slice{axis, begin, begin + lengths[i]}.view(out.tensor)});
        begin += lengths[i];
    }
}

void Concat::vjp(Backward& back) const {
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
        if (back.needs(i)) back.add_part(i, slice(back.cotangent(), axis, begin, begin + lengths[i]));
        begin += lengths[i];
    }
}

std::vector<Sample> Concat::samples() {
    return {{"[2, 3], [2, 0], [2, 4], axis 1",
             {sample_values({2, 3}, -1, 1, 1), sample_values({2, 0}, -1, 1, 2), sample_values({2, 4}, -1, 1, 3)},
             [](const auto& in) { return concat(in, 1); }},
            {"a part twice", {sample_values({2, 3}, -1, 1, 4)}, [](const auto& in) {
                 return concat({in[0], in[0] * in[0], in[0]}, 0);
             }}};
}

// stack

Tensor stack(const std::vector<Tensor>& parts, int axis, const SourceLine& where) {
    static_assert(is_listed<Stack>, "the op is missing in its family's list");
    auto operands = pointers(parts);
    std::vector<Tensor> of_one_dtype;
    const int at = located(Stack::name, Inputs(operands), where, [&] {
        require_parts(parts);
        of_one_dtype = converted(parts, where);
        return normalize_new_axis(axis, parts[0].rank() + 1);
    });
    if (!of_one_dtype.empty()) operands = pointers(of_one_dtype);
    return apply(Stack{at}, Inputs(operands), where);
}

Shape Stack::shape(const Inputs& in) const {
    for (std::size_t i = 1; i < in.size(); ++i)
        if (in[i].shape() != in[0].shape())
            throw ShapeError(
                fmt::format("part {} is {}, part 0 is {}", i, to_string(in[i].shape()), to_string(in[0].shape())));
    Shape result = in[0].shape();
    result.insert(axis, static_cast<std::int64_t>(in.size()));
    return result;
}

void Stack::forward(const Inputs& in, const Destination& out) const {
    for (std::size_t i = 0; i < in.size(); ++i)
        write(in[i], {Select{axis, static_cast<std::int64_t>(i)}.view(out.tensor)});
}

void Stack::vjp(Backward& back) const {
    const std::int64_t count = back.cotangent().shape()[axis];
    for (std::int64_t i = 0; i < count; ++i)
        if (back.needs(static_cast<std::size_t>(i)))
            back.add_part(static_cast<std::size_t>(i), select(back.cotangent(), axis, i));
}

std::vector<Sample> Stack::samples() {
    return {{"three of [2, 3], axis 1",
             {sample_values({2, 3}, -1, 1, 1), sample_values({2, 3}, -1, 1, 2), sample_values({2, 3}, -1, 1, 3)},
             [](const auto& in) { return stack(in, 1); }},
            {"a part twice",
             {sample_values({3}, -1, 1, 4)},
             [](const auto& in) {
                 return stack({in[0], in[0] * in[0], in[0]}, 0);
             }},
            {"scalars", {sample_values({}, -1, 1, 5), sample_values({}, -1, 1, 6)}, [](const auto& in) {
                 return stack(in, 0);
             }}};
}

}  // namespace wengert
