#pragma once

#include <wengert/models/text/corpus.hpp>

#include "verbs.hpp"

namespace wengert::program {

enum class BuiltinPart { training, held_out };

/// Reads the files, or, if none are given, that part of the built-in corpus; says on standard error how many pairs
/// there are and describes the first malformed lines. Throws FileError as read_pairs() and read_parallel() do.
Corpus read_corpus(const CorpusFiles& files, BuiltinPart part, const Tokenizer& tokenizer, std::int64_t max_length);

}  // namespace wengert::program
