#pragma once

#include <wengert/models/seq2seq/translator.hpp>

#include "verbs.hpp"

/// What a training begins with.
namespace wengert::program {

/// Throws ValueError or FileError for options that do not go together. Returns whether there are validation sentences.
bool require_coherent(const TrainArguments& arguments);

/// What a training that goes on cannot change: throws ValueError with the option.
void require_same_system(const TrainArguments& arguments, const System& system);

/// As the options say; subwords are those of a model that is given, or learnt from the training sentences.
Tokenizers make_tokenizers(const TrainArguments& arguments);

/// With the vocabularies of the training sentences and random parameters.
Translator make_translator(const TrainArguments& arguments, const Tokenizers& tokenizers, const Corpus& corpus);

}  // namespace wengert::program
