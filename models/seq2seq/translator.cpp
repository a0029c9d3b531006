#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <wengert/models/seq2seq/translator.hpp>

namespace wengert {
namespace {

SystemOptions with_vocabularies(SystemOptions options, const Language& source, const Language& target) {
    options.source_vocabulary = source.vocabulary.size();
    options.target_vocabulary = target.vocabulary.size();
    return options;
}

Sentence with_end(Sentence tokens) {
    tokens.emplace_back(Vocabulary::specials[Vocabulary::end]);
    return tokens;
}

Translation to_translation(Hypothesis hypothesis, const Vocabulary& vocabulary) {
    Translation translation{.tokens = {},
                            .is_whole = hypothesis.is_whole,
                            .score = hypothesis.score,
                            .log_probability = hypothesis.log_probability,
                            .log_probabilities = std::move(hypothesis.log_probabilities),
                            .weights = std::move(hypothesis.weights),
                            .parts = std::move(hypothesis.parts)};
    for (const std::int64_t id : hypothesis.tokens) translation.tokens.push_back(vocabulary.token(id));
    return translation;
}

}  // namespace

Translator::Translator(Language source_, Language target_, std::int64_t max_length_, std::string_view system_,
                       const SystemOptions& options, Generator& generator)
    : source(std::move(source_)),
      target(std::move(target_)),
      max_length(max_length_),
      system(make_system(system_, with_vocabularies(options, source, target), generator)) {}

BatchTensors to_tensors(const Batch& batch) {
    BatchTensors tensors{tensor(batch.source, {batch.size, batch.source_length}),
                         {},
                         tensor(batch.target, {batch.size, batch.target_length}),
                         std::reduce(batch.target_lengths.begin(), batch.target_lengths.end()) - batch.size};
    if (std::ranges::any_of(batch.source_lengths, [&](std::int64_t n) { return n != batch.source_length; }))
        tensors.lengths = tensor(batch.source_lengths, {batch.size});
    return tensors;
}

std::vector<std::vector<Translation>> translate(std::span<const Translator* const> ensemble, const Batch& batch,
                                                const SearchOptions& options, SearchTrace* trace,
                                                std::span<const Sentence> prefixes) {
    std::vector<const System*> systems;
    for (const Translator* one : ensemble) {
        systems.push_back(one->system.get());
        if (one->target.vocabulary != ensemble[0]->target.vocabulary ||
            one->source.vocabulary != ensemble[0]->source.vocabulary)
            throw ValueError("translate: the models of an ensemble must have the same vocabularies");
    }
    if (systems.empty()) throw ValueError("translate: there is no model");
    const Vocabulary& vocabulary = ensemble[0]->target.vocabulary;
    std::vector<std::vector<std::int64_t>> prefix_ids;
    for (const Sentence& prefix : prefixes) prefix_ids.push_back(vocabulary.encode(prefix));
    const BatchTensors tensors = to_tensors(batch);
    const std::int64_t usual = std::max(ensemble[0]->max_length, options.min_length);
    std::vector<std::int64_t> limits;
    for (const std::int64_t length : batch.source_lengths) limits.push_back(std::max(usual, length - 1));  // no </s>
    std::vector<std::vector<Translation>> translations;
    for (std::vector<Hypothesis>& all :
         search(systems, tensors.source, tensors.lengths, limits, options, prefix_ids, trace)) {
        const std::size_t row = translations.size();
        translations.emplace_back();
        for (Hypothesis& one : all) {
            translations.back().push_back(to_translation(std::move(one), vocabulary));
            if (row < prefixes.size()) std::ranges::copy(prefixes[row], translations.back().back().tokens.begin());
        }
    }
    return translations;
}

std::vector<Translation> translate(const Translator& translator, const Batch& batch, const SearchOptions& options) {
    const Translator* const alone[] = {&translator};
    std::vector<Translation> best;
    for (std::vector<Translation>& all : translate(alone, batch, options)) best.push_back(std::move(all.front()));
    return best;
}

Translation translate(const Translator& translator, const Sentence& sentence, const SearchOptions& options) {
    const std::vector<std::int64_t> ids = source_ids(sentence, translator.source.vocabulary);
    return translate(translator, collate({&ids, 1}), options).front();
}

bool has_attention(const Translator& translator) {
    const System& system = *translator.system;
    const auto state = system.start(tensor(std::vector<std::int64_t>{Vocabulary::end}, {1, 1}), {});
    return system.step(tensor(std::vector<std::int64_t>{Vocabulary::start}, {1}), *state).weights.defined();
}

Translation replace_unknown(Translation translation, const Sentence& source) {
    if (!translation.weights.defined() || source.empty()) return translation;
    const Tensor words = slice(translation.weights, 1, 0, std::ssize(source));
    for (std::size_t t = 0; t < translation.tokens.size(); ++t) {
        if (translation.tokens[t] != Vocabulary::specials[Vocabulary::unknown]) continue;
        const auto place = argmax(select(words, 0, static_cast<std::int64_t>(t))).item<std::int64_t>();
        translation.tokens[t] = source[static_cast<std::size_t>(place)];
    }
    return translation;
}

AttentionMap attention_map(const Sentence& source, const Translation& translation, std::string title,
                           std::span<const std::string> systems) {
    if (!translation.weights.defined()) throw ValueError("attention map: the system has no attention");
    AttentionMap map{with_end(source), translation.is_whole ? with_end(translation.tokens) : translation.tokens,
                     translation.weights, std::move(title)};
    for (const AttentionPart& part : translation.parts) {
        if (!systems.empty() && part.system >= systems.size())
            throw ValueError(fmt::format("attention map: system {} has no name among {}", part.system, systems.size()));
        const std::string system = systems.size() > 1 ? systems[part.system] : "";
        const std::string head = part.head < 0 ? "" : fmt::format("head {}", part.head + 1);
        map.parts.push_back(
            {fmt::format("{}{}{}", system, system.empty() || head.empty() ? "" : ", ", head), part.weights});
    }
    return map;
}

BeamTree beam_tree(const SearchTree& tree, const Vocabulary& target, std::string title) {
    BeamTree result{.title = std::move(title)};
    for (const SearchTree::Node& node : tree.nodes)
        result.nodes.push_back(
            {node.parent, target.token(node.token), node.log_probability, node.total, node.rank, node.score});
    return result;
}

}  // namespace wengert
