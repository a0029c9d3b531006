#pragma once

#include <array>
#include <string_view>
#include <vector>
#include <wengert/autograd/check/op_doc.hpp>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/ops/elementwise/reading.hpp>

namespace WENGERT_EXPORT wengert {

/// An op, or a function that is composed of ops, as checks, tests and the reference see it.
struct OpEntry {
    std::string_view name;             ///< as errors and graphs have it
    OpDoc doc;                         ///< its row in the reference
    bool differentiable;               ///< whether it has a derivative
    std::vector<Sample> (*samples)();  ///< of its gradient check; null of a composed function without derivative
};

/// Ops that belong together, and functions that are composed of ops.
struct OpFamily {
    std::string_view title;         ///< as the reference's headings have it
    std::vector<OpEntry> ops;       ///< in the order of the list
    std::vector<OpEntry> composed;  ///< each is named as the first function of its row
};

/// Every op and every function there is, from the lists at the ends of the families' files and from ops/*/composed.cpp.
const std::vector<OpFamily>& op_families();
/// All ops in that order, and all entries that have samples: these ops, then composed functions with a derivative.
const std::vector<OpEntry>& all_ops();
const std::vector<OpEntry>& all_sampled();
/// The functions that a row of the reference names: "conv2d(x, ..), conv1d(x, ..)" -> conv2d, conv1d.
std::vector<std::string_view> called_functions(const OpDoc& doc);
/// The title of the family that an op's name is in, "Matrix products"; empty if it is in none. GraphOptions::family.
std::string_view op_family(std::string_view name);

/// A function of one or two operands as value tests see it.
struct FunctionEntry {
    std::string_view name;     ///< as errors and graphs have it
    int operands;              ///< one or two
    bool differentiable;       ///< whether it has a derivative
    Range domain, domain_y;    ///< of comparisons: [-1, 1]
    Accuracy accuracy;         ///< how exact it is
    bool second_is_parameter;  ///< some values of the first operand leave the second without effect
    Tensor (*apply)(const Tensor& x, const Tensor& y);  ///< y is ignored if there is one operand
    /// The value in long double, with which the function's is compared; y is ignored if there is one operand.
    long double (*exact)(long double x, long double y);
    /// The derivatives by x and y as the function's rule or its formula's give them, in long double; null if there are
    /// none.
    std::array<long double, 2> (*exact_slopes)(long double x, long double y);
};

/// Every function of one or two operands, from the same lists.
const std::vector<FunctionEntry>& all_functions();

}  // namespace wengert
