#include <doctest/doctest.h>

#include <algorithm>
#include <wengert/models/seq2seq/translator.hpp>

#include "small_translator.hpp"

using namespace wengert;

TEST_CASE("a translator takes the sizes of its vocabularies") {
    const Translator translator = small_translator();
    CHECK(translator.system->options().source_vocabulary == translator.source.vocabulary.size());
    CHECK(parameter_of(translator, "decoder.output.weight").shape() == Shape{translator.target.vocabulary.size(), 24});
}

TEST_CASE("lengths are left out of a batch whose sources are all full") {
    const std::vector<std::vector<std::int64_t>> sources{{4, 5, 2}, {6, 7, 2}}, uneven{{4, 5, 2}, {6, 2}},
        targets{{1, 4, 2}, {1, 4, 5, 6, 2}};
    const BatchTensors full = to_tensors(collate(sources, targets));
    CHECK(!full.lengths.defined());
    CHECK(full.source.to_vector<std::int64_t>() == std::vector<std::int64_t>{4, 5, 2, 6, 7, 2});
    CHECK(full.target.shape() == Shape{2, 5});
    CHECK(full.labels == 2 + 4);

    const BatchTensors padded = to_tensors(collate(uneven, targets));
    REQUIRE(padded.lengths.defined());
    CHECK(padded.lengths.to_vector<std::int64_t>() == std::vector<std::int64_t>{3, 2});
}

TEST_CASE("a translation has the attention of each of its words and no more") {
    const Translator translator = small_translator();
    const Corpus corpus = small_corpus();
    std::vector<std::vector<std::int64_t>> ids;
    for (const Sentence& sentence : corpus.source) ids.push_back(source_ids(sentence, translator.source.vocabulary));
    const std::vector<Translation> translations = translate(translator, collate(ids));
    REQUIRE(translations.size() == corpus.size());
    for (std::size_t i = 0; i < corpus.size(); ++i) {
        const Translation& t = translations[i];
        const auto rows = static_cast<std::int64_t>(t.tokens.size()) + t.is_whole;
        REQUIRE(t.weights.shape() == Shape{rows, static_cast<std::int64_t>(ids[i].size())});
        for (const double total : sum(t.weights, 1).to_vector<double>()) CHECK(total == doctest::Approx(1));

        const Translation alone = translate(translator, corpus.source[i]);
        CHECK(alone.tokens == t.tokens);
        CHECK(alone.is_whole == t.is_whole);
        CHECK(alone.weights.shape() == t.weights.shape());

        const AttentionMap map = attention_map(corpus.source[i], t, "title");
        CHECK(map.source.back() == "</s>");
        CHECK(map.source.size() == corpus.source[i].size() + 1);
        CHECK(static_cast<std::int64_t>(map.target.size()) == rows);
    }
}

TEST_CASE("a translation is cut off at max_length, or at the length of its source or min_length if that is more") {
    Translator translator = small_translator();
    parameter_of(translator, "decoder.output.bias").mutable_data<float>()[Vocabulary::end] = -1e6f;  // never ends
    const Translation usual = translate(translator, words("tom chases jerry ."));
    CHECK(usual.tokens.size() == 10);
    CHECK(!usual.is_whole);
    CHECK(usual.weights.shape() == Shape{10, 5});
    CHECK(translate(translator, Sentence(17, "tom")).tokens.size() == 17);
    CHECK(translate(translator, words("tom"), {.min_length = 12}).tokens.size() == 12);

    // Each by its own source, whatever else is in the batch.
    const std::vector<std::vector<std::int64_t>> ids{source_ids(words("tom"), translator.source.vocabulary),
                                                     source_ids(Sentence(17, "tom"), translator.source.vocabulary)};
    const std::vector<Translation> together = translate(translator, collate(ids));
    CHECK(together[0].tokens.size() == 10);
    CHECK(together[1].tokens.size() == 17);
}

TEST_CASE("parts of attention have the names of their systems and heads, and trees their tokens") {
    const Translator translator = small_translator();
    const Sentence source = words("tom chases jerry .");
    const std::vector<std::int64_t> ids = source_ids(source, translator.source.vocabulary);
    const Translator* const twice[] = {&translator, &translator};
    SearchTrace trace;
    Translation t = translate(twice, collate({&ids, 1}), {.beam = 2}, &trace).front().front();
    t.parts.push_back({1, 4, t.weights});
    const std::vector<std::string> names{"a", "b"};
    const auto names_in = [](const AttentionMap& map) {
        std::string all;
        for (const AttentionMap::Part& part : map.parts) all += "[" + part.name + "]";
        return all;
    };
    CHECK(names_in(attention_map(source, t, "", names)) == "[a][b][b, head 5]");
    t.parts = {{0, 0, t.weights}};
    CHECK(names_in(attention_map(source, t)) == "[head 1]");

    const BeamTree tree = beam_tree(trace.trees[0], translator.target.vocabulary, "title");
    REQUIRE(tree.nodes.size() == trace.trees[0].nodes.size());
    std::string way;
    std::int64_t at = std::ranges::find(tree.nodes, 0, &BeamTree::Node::rank) - tree.nodes.begin();
    for (; at >= 0; at = tree.nodes[static_cast<std::size_t>(at)].parent)
        way = tree.nodes[static_cast<std::size_t>(at)].token + " " + way;
    std::string written;
    for (const std::string& token : t.tokens) written += token + " ";
    CHECK(way == written + (t.is_whole ? "</s> " : ""));
}

TEST_CASE("a translation begins with its prefix, whether the vocabulary has it or not") {
    const Translator translator = small_translator();
    const Translator* const alone[] = {&translator};
    const std::vector<std::vector<std::int64_t>> ids{
        source_ids(words("tom chases jerry ."), translator.source.vocabulary),
        source_ids(words("run !"), translator.source.vocabulary)};
    const std::vector<Sentence> prefixes{words("杰瑞 词 追"), {}};
    const auto forced = translate(alone, collate(ids), {.beam = 3, .n_best = 2}, nullptr, prefixes),
               free = translate(alone, collate(ids), {.beam = 3, .n_best = 2});
    REQUIRE(forced[0].size() == 2);
    for (const Translation& one : forced[0]) {
        REQUIRE(one.tokens.size() >= 3);
        CHECK(Sentence(one.tokens.begin(), one.tokens.begin() + 3) == prefixes[0]);  // 词 is unknown
        CHECK(one.log_probabilities.size() == one.tokens.size() + one.is_whole);
    }
    CHECK(forced[1].front().tokens == free[1].front().tokens);

    const auto error_of = [&](const std::vector<Sentence>& wrong) {
        try {
            translate(alone, collate(ids), {}, nullptr, wrong);
        } catch (const ValueError& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    CHECK(error_of({prefixes[0]}) == "search: 1 prefixes for 2 sources");
    CHECK(error_of({{}, Sentence(11, "追")}).starts_with("search: the prefix of source 1 has 11 tokens, and 10 are"));
    CHECK(error_of({{}, {"</s>"}}).starts_with("search: the prefix of source 1 has the token 2, outside [3, "));
}

TEST_CASE("an empty translation has the attention of its end") {
    Translator translator = small_translator();
    parameter_of(translator, "decoder.output.bias").mutable_data<float>()[Vocabulary::end] = 1e6f;
    const Translation empty = translate(translator, words("tom"));
    CHECK(empty.tokens.empty());
    CHECK(empty.is_whole);
    CHECK(empty.weights.shape() == Shape{1, 2});
}
