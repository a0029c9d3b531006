#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>
#include <wengert/autograd/tensor/tensor.hpp>

namespace WENGERT_EXPORT wengert {

struct GradcheckOptions {
    /// 1 checks the gradient; 2 also checks the gradient's own derivatives, by the inputs and by the cotangent; 3 also
    /// the derivatives of these, each under one cotangent that is drawn.
    int order = 1;
    /// An analytic and a numeric derivative agree if they differ by at most
    ///     relative_tolerance * the larger of both + absolute_tolerance + what rounding alone does to the quotient.
    double relative_tolerance = 1e-7;
    double absolute_tolerance = 1e-10;  ///< the part of the tolerance that does not grow with the derivative
    /// The distance between two evaluations, times max(1, |x|).
    double step = 0x1p-10;
    /// Elements of the inputs times elements of the result, up to which every entry of the Jacobian is checked; above,
    /// `directions` random directions of every input are, each by as many random cotangents.
    std::int64_t full_jacobian_limit = 64 * 64;
    int directions = 8;      ///< of each input, above `full_jacobian_limit`
    std::uint64_t seed = 1;  ///< of the directions and cotangents that are drawn
    /// What messages call the inputs. Default: the tensors' own names.
    std::vector<std::string> names = {};
};

/// What a check found. Only a wrong rule is the rule's fault for sure.
enum class GradcheckVerdict : std::uint8_t {
    passed,
    wrong_rule,  ///< the differences agree with each other, and not with the gradient
    kink,        ///< there is no derivative here (a kink, a jump, a tie), and the gradient is between those beside it
    too_noisy,   ///< the values are too rough for a difference to tell: the error falls with the step and rises again;
                 ///< or large terms of the gradient cancel, so that it rounds by as much as it is off
    nondeterministic,  ///< two runs differ
    not_finite,        ///< a value or a gradient is NaN or infinite
    overwrites,        ///< an input or the cotangent was written to
    not_checked,       ///< of a model's node that cannot be run again, and of the others if one input stopped the check
};
/// "wrong rule"
std::string_view to_string(GradcheckVerdict verdict);

/// What a check found of the derivatives by one input.
struct GradcheckInput {
    std::string name;        ///< as messages have it: "input 0 "x"" or, from order 2 on, "the cotangent"
    double worst_error = 0;  ///< the largest difference met by this input
    /// Of a check that another input stopped: not_checked, however far it had come.
    GradcheckVerdict verdict = GradcheckVerdict::passed;
};

/// What a check found, and where it was worst.
struct GradcheckResult {
    bool passed = true;  ///< whether every derivative agreed
    /// The largest difference met, relative to the larger of both derivatives, to 1, or to the derivative that rounding
    /// would still show to within the relative tolerance, whichever is largest.
    double worst_error = 0;
    /// On failure: the order, the input, the index, both numbers, their difference and the tolerance, the verdict and
    /// what it follows from.
    std::string message = {};
    GradcheckVerdict verdict = GradcheckVerdict::passed;  ///< why it did not pass
    std::vector<GradcheckInput> inputs = {};              ///< each float64 one, and the cotangent

    /// Whether it passed.
    explicit operator bool() const { return passed; }
};

/// A function of a list of tensors, as it is checked.
using GradcheckFunction = std::function<Tensor(const std::vector<Tensor>&)>;

/// Compares the gradient that a tape gives for `f` at `inputs` with central differences of f.
///
/// Forward rules are left out: compare jvp() with vjp() for those.
///
/// f must be a function: of its arguments alone, the same at every call, leaving them as they are. What it gets are
/// contiguous copies of `inputs`, float64 or int64; the latter are not differentiated. Elements that are not finite
/// stay as they are, but must get a finite gradient all the same. Cotangents are random, because a rule that is wrong
/// for most of them may be right for ones.
///
/// Also checked: that two evaluations give the same, that neither f nor a rule writes to the inputs or the cotangent,
/// that gradients are finite, and, at order 2, that the recorded pass (create_graph) gives the plain pass's gradients
/// up to what rounding does to either, which a change of the last bits of the inputs shows.
///
/// Where a derivative disagrees, the step sweeps over six orders of magnitude to find out why: see GradcheckVerdict.
/// At a kink the rule is checked at points about 1e-4 beside it, and the ops of f are checked one by one: a rule that
/// is wrong there is a wrong rule. A gradient that is the mean of the slopes of both sides, as that of abs at 0, is a
/// kink too. A tie of dozens of elements may still be called a wrong rule: what the gradient is beside it is tried at
/// random.
///
/// Throws DtypeError for a float32 input or a result that is not float64, ValueError for options outside their domain,
/// if an input or the result is undefined and if no input is float64, ShapeError if the result's shape varies; what f
/// throws is passed on.
GradcheckResult gradcheck(const GradcheckFunction& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options = {});

}  // namespace wengert
