#pragma once

#include <wengert/models/text/corpus.hpp>

#include "verbs.hpp"

namespace wengert::program {

enum class Part { training, held_out };

/// Reads the files, or, if none are given, that part of the built-in corpus; says on standard error how many pairs
/// there are and describes the first malformed lines, unless it is quiet. Of a part to train on the first `pairs` are
/// taken, all if that is 0. Where the files hold sentences out, a hash of
/// the source says which, so that no source is in both parts. Throws FileError as read_pairs() and read_parallel() do,
/// and if the part is empty.
Corpus read_corpus(const CorpusFiles& files, Part part, const Tokenizers& tokenizers, std::int64_t max_length,
                   std::int64_t pairs = 0, bool is_quiet = false);

/// The sides of the same as text, for a tokenizer that learns from it: there a pair of which a side is too long counts.
struct CorpusText {
    std::vector<std::string> source, target;
};
CorpusText read_corpus_text(const CorpusFiles& files, Part part, std::int64_t pairs);

}  // namespace wengert::program
