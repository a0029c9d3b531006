#include <algorithm>
#include <numeric>
#include <utility>
#include <wengert/models/seq2seq/translator.hpp>

namespace wengert {
namespace {

Seq2SeqOptions with_vocabularies(Seq2SeqOptions options, const Vocabulary& source, const Vocabulary& target) {
    options.source_vocabulary = source.size();
    options.target_vocabulary = target.size();
    return options;
}

Sentence with_end(Sentence tokens) {
    tokens.emplace_back(Vocabulary::specials[Vocabulary::end]);
    return tokens;
}

}  // namespace

Translator::Translator(const Tokenizer& tokenizer_, Vocabulary source_, Vocabulary target_, std::int64_t max_length_,
                       const Seq2SeqOptions& options_, Generator& generator)
    : tokenizer(tokenizer_),
      source(std::move(source_)),
      target(std::move(target_)),
      max_length(max_length_),
      options(with_vocabularies(options_, source, target)),
      model(options, generator) {}

BatchTensors to_tensors(const Batch& batch) {
    BatchTensors tensors{tensor(batch.source, {batch.size, batch.source_length}),
                         {},
                         tensor(batch.target, {batch.size, batch.target_length}),
                         std::reduce(batch.target_lengths.begin(), batch.target_lengths.end()) - batch.size};
    if (std::ranges::any_of(batch.source_lengths, [&](std::int64_t n) { return n != batch.source_length; }))
        tensors.lengths = tensor(batch.source_lengths, {batch.size});
    return tensors;
}

std::vector<Translation> translate(const Translator& translator, const Batch& batch) {
    const BatchTensors tensors = to_tensors(batch);
    const std::int64_t longest_source = batch.source_length - 1;  // without </s>
    const Seq2Seq::Translation all =
        translator.model.greedy(tensors.source, tensors.lengths, std::max(translator.max_length, longest_source));
    std::vector<Translation> translations;
    for (std::size_t row = 0; row < all.tokens.size(); ++row) {
        Sentence tokens;
        for (const std::int64_t id : all.tokens[row]) tokens.push_back(translator.target.token(id));
        const auto length = static_cast<std::int64_t>(tokens.size());
        const bool is_whole = length < all.weights.dim(1);
        const Tensor weights = select(all.weights, 0, static_cast<std::int64_t>(row));
        translations.push_back({std::move(tokens), is_whole,
                                slice(slice(weights, 0, 0, length + is_whole), 1, 0, batch.source_lengths[row])});
    }
    return translations;
}

Translation translate(const Translator& translator, const Sentence& sentence) {
    const std::vector<std::int64_t> ids = source_ids(sentence, translator.source);
    return translate(translator, collate({&ids, 1})).front();
}

AttentionMap attention_map(const Sentence& source, const Translation& translation, std::string title) {
    return {with_end(source), translation.is_whole ? with_end(translation.tokens) : translation.tokens,
            translation.weights, std::move(title)};
}

}  // namespace wengert
