#pragma once

#include <cstdint>
#include <wengert/models/seq2seq/option.hpp>

namespace wengert::program {

/// How much one request may ask for, and how many may wait.
struct ServeLimits {
    std::int64_t max_bytes = 1 << 20;
    std::int64_t max_sentences = 64;
    std::int64_t max_words = 200;
    std::int64_t max_beam = 16;
    std::int64_t max_weights = 1'000'000;
    std::int64_t queue = 64;
    double timeout = 30;

    void describe(auto&& f) {
        constexpr std::int64_t most = 1'000'000;
        f(OptionText{"max_bytes", "Bytes of a request's body"}, max_bytes, Bounds<std::int64_t>{1, 1 << 30});
        f(OptionText{"max_sentences", "Sentences of a request"}, max_sentences, Bounds<std::int64_t>{1, most});
        f(OptionText{"max_words", "Tokens of a sentence, and the most that its translation may be allowed"}, max_words,
          Bounds<std::int64_t>{1, most});
        f(OptionText{"max_beam", "The largest beam of a request"}, max_beam, Bounds<std::int64_t>{1, 1000});
        f(OptionText{"max_weights", "Attention weights of an answer, of all translations together"}, max_weights,
          Bounds<std::int64_t>{1, 1'000'000'000});
        f(OptionText{"queue", "Requests that wait while others are translated; more are refused"}, queue,
          Bounds<std::int64_t>{0, 1000});
        f(OptionText{"timeout", "Seconds after which a request is given up, waiting included"}, timeout,
          Bounds<double>{1e-3, 86'400});
    }
};

}  // namespace wengert::program
