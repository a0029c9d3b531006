#pragma once

#include <wengert/models/seq2seq/evaluation.hpp>

#include "verbs.hpp"

namespace wengert::program {

/// The sentence pairs as a translator reads them, however long they are: up to 10,000 tokens.
Corpus measured_corpus(const CorpusFiles& files, const Translator& translator);

/// Throws ValueError for a value of a smoothing method that has none.
EvaluationOptions evaluation_options(const Measurement& measurement, const Translator& translator,
                                     const Corpus& corpus);

}  // namespace wengert::program
