#pragma once

#include <wengert/models/metrics.hpp>
#include <wengert/models/seq2seq/attention_map.hpp>
#include <wengert/models/seq2seq/checkpoint.hpp>
#include <wengert/models/seq2seq/evaluation.hpp>
#include <wengert/models/seq2seq/scoring/bleu.hpp>
#include <wengert/models/seq2seq/scoring/bleu_tokenizer.hpp>
#include <wengert/models/seq2seq/scoring/chrf.hpp>
#include <wengert/models/seq2seq/seq2seq.hpp>
#include <wengert/models/seq2seq/training.hpp>
#include <wengert/models/text/batches.hpp>
#include <wengert/models/text/corpus.hpp>
#include <wengert/models/text/lines.hpp>
#include <wengert/models/text/tokenizer.hpp>
#include <wengert/models/text/unicode.hpp>
#include <wengert/models/text/vocabulary.hpp>
#include <wengert/nn/nn.hpp>
