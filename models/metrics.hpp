#pragma once

#include <span>
#include <string>
#include <vector>
#include <wengert/autograd/tensor/export.hpp>

namespace WENGERT_EXPORT wengert {

/// Fraction of hypotheses that equal their reference token by token. Throws ValueError if there are no sentences, or
/// not as many hypotheses as references.
double exact_match(std::span<const std::vector<std::string>> hypotheses,
                   std::span<const std::vector<std::string>> references);

}  // namespace wengert
