#pragma once

#include <optional>
#include <wengert/autograd/check/internal/diagnosis.hpp>
#include <wengert/autograd/check/internal/differentiated.hpp>

namespace wengert {

/// What a comparison found.
struct Finding {
    Diagnosis diagnosis{GradcheckVerdict::passed, {}};
    std::string what = {};  ///< is wrong, and where: the message, but for the diagnosis
    /// Along which a derivative disagrees, or has two sides; none for what is wrong without any.
    std::optional<Line> line = {};
    std::optional<double> error = {};  ///< of a derivative along it that disagrees; none if it has two sides
    std::string input = {};            ///< by which a derivative is wrong; empty if that is said of none

    bool holds_beside = false;  ///< whether the rule that is wrong here holds at every point beside that was checked

    std::string message() const;  ///< empty if it passed
};

/// Compares the map's vector-Jacobian products at `inputs` with central differences of its values. Raises the errors of
/// the float64 inputs, by their names, to the largest difference met; returns what is wrong, judged by what the map
/// does on that line alone.
Finding compare_with_differences(const Differentiated& map, const std::vector<Tensor>& inputs,
                                 const GradcheckOptions& options, std::vector<GradcheckInput>& checked);

}  // namespace wengert
