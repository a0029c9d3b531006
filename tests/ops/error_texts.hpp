#pragma once

#include <string_view>
#include <vector>

/// What public functions say of bad calls, as data: error_texts.cpp compares.
namespace error_texts {

/// A call that is refused.
struct Refusal {
    std::string_view type, text;  ///< of the error, up to the line
    std::string_view code;
    void (*call)();

    /// Whom the text names.
    std::string_view function() const { return text.substr(0, text.find(':')); }
};

// A macro, so that what a failure shows is what was run.
#define REFUSED(type, text, ...)                      \
    error_texts::Refusal {                            \
        type, text, #__VA_ARGS__, [] { __VA_ARGS__; } \
    }

std::vector<Refusal> of_reductions();
std::vector<Refusal> of_products();
std::vector<Refusal> of_networks();
std::vector<Refusal> of_arrangements();

}  // namespace error_texts
