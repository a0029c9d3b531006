#pragma once

#include <wengert/models/text/corpus.hpp>

#include "verbs.hpp"

namespace wengert::program {

enum class Part { training, held_out };

/// Reads the files, or, if none are given, that part of the built-in corpus; says on standard error how many pairs
/// there are and describes the first malformed lines, unless it is quiet. Where the files hold sentences out, a hash of
/// the source says which, so that no source is in both parts. Throws FileError as read_pairs() and read_parallel() do,
/// and if the part is empty.
Corpus read_corpus(const CorpusFiles& files, Part part, const Tokenizers& tokenizers, std::int64_t max_length,
                   bool is_quiet = false);

/// The sides of the same as text, for a tokenizer that learns from it.
struct CorpusText {
    std::vector<std::string> source, target;
};
CorpusText read_corpus_text(const CorpusFiles& files, Part part);

}  // namespace wengert::program
