#pragma once

#include <string>
#include <string_view>
#include <vector>
#include <wengert/models/seq2seq/decoding/search.hpp>

#include "limits.hpp"

namespace wengert::program {

/// What POST /translate is asked for.
struct TranslationRequest {
    std::vector<std::string> texts;
    std::string model;  ///< empty: the first
    bool attention = false, replace_unknown = false;
    std::string prefix = {};  ///< begins each translation
    SearchOptions search;
};

/// Reads a request's body, an object with "text", a sentence or an array of them, and, if they are given, "model",
/// "attention", "replace_unknown", "prefix" and any option of the search by its name; `usual` has those that are not
/// given. Throws ValueError with a sentence for whoever asks: for a body that is not JSON in UTF-8, one that is nested
/// deeper than any request, a field that is unknown, missing, given twice or of another kind, and for more than the
/// limits allow.
TranslationRequest read_request(std::string_view body, const SearchOptions& usual, const ServeLimits& limits);

/// Throws ValueError if a search may take more than the limits allow.
void require_within(const SearchOptions& search, const ServeLimits& limits);

}  // namespace wengert::program
