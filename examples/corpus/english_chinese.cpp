#include "english_chinese.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "constructions.hpp"
#include "lexicon.hpp"

namespace wengert {
namespace {

using namespace english_chinese;

struct Share {
    SentencePair (*make)(Draw&);
    std::size_t sentences;
};

/// How often each construction occurs; 25,000 sentences together.
constexpr Share shares[] = {
    {past_event, 2700},
    {ongoing_event, 1700},
    {future_event, 1600},
    {habit, 1500},
    {intention, 1300},
    {fondness, 500},
    {stative, 800},
    {request, 700},
    {duration, 500},
    {giving_event, 600},
    {calling_event, 300},
    {disposal, 900},
    {passive, 800},
    {who_did, 600},
    {what_or_whom, 800},
    {which_or_how_many, 600},
    {where, 800},
    {when, 600},
    {why, 600},
    {how, 300},
    {state, 700},
    {quality, 700},
    {colour, 400},
    {comparison, 900},
    {existence, 700},
    {location, 600},
    {identity, 400},
    {weather, 300},
    {relative_object, 700},
    {relative_subject, 400},
    {reason, 500},
    {condition, 500},
};

constexpr std::size_t held_out_pairs = 1000, longest_source = 12, longest_target = 16;

std::size_t word_count(std::string_view english) {
    return 1 + static_cast<std::size_t>(std::count(english.begin(), english.end(), ' '));
}

/// Characters without marks. All of them, the marks too, take three bytes in UTF-8.
std::size_t character_count(std::string_view chinese) {
    std::size_t count = chinese.size() / 3;
    for (const std::string_view mark : {"。", "？", "，"}) count -= chinese.find(mark) != std::string_view::npos;
    return count;
}

/// "Tom sees Tom's cat" is better said with a pronoun.
bool names_somebody_twice(std::string_view english) {
    return std::any_of(std::begin(names), std::end(names),
                       [&](const Phrase& name) { return english.find(name.english) != english.rfind(name.english); });
}

/// Every construction's share, each sentence once.
std::vector<SentencePair> generate(Draw& draw) {
    std::vector<SentencePair> pairs;
    std::unordered_map<std::string, std::string> translations;
    for (const Share& share : shares) {
        std::size_t made = 0, failures = 0;
        while (made < share.sentences) {
            if (++failures == 10000)
                throw std::logic_error("built-in corpus: construction " + std::to_string(&share - shares) +
                                       " has only " + std::to_string(made) + " of " + std::to_string(share.sentences) +
                                       " sentences");
            SentencePair pair = share.make(draw);
            if (word_count(pair.source) > longest_source || character_count(pair.target) > longest_target ||
                names_somebody_twice(pair.source))
                continue;
            const auto [known, is_new] = translations.try_emplace(pair.source, pair.target);
            if (known->second != pair.target)
                throw std::logic_error("built-in corpus: \"" + pair.source +
                                       "\" has two translations: " + known->second + " and " + pair.target);
            if (!is_new) continue;
            pairs.push_back(std::move(pair));
            ++made;
            failures = 0;
        }
    }
    return pairs;
}

void shuffle(std::vector<SentencePair>& pairs, Draw& draw) {
    for (std::size_t left = pairs.size(); left > 1; --left) std::swap(pairs[left - 1], pairs[draw.below(left)]);
}

/// The first pairs whose translation no other sentence shares, so that no held-out target is seen in training.
std::vector<bool> choose_held_out(const std::vector<SentencePair>& pairs) {
    std::unordered_map<std::string_view, std::size_t> sources_of;
    for (const SentencePair& pair : pairs) ++sources_of[pair.target];
    std::vector<bool> held(pairs.size(), false);
    std::size_t taken = 0;
    for (std::size_t i = 0; i < pairs.size() && taken < held_out_pairs; ++i) {
        held[i] = sources_of[pairs[i].target] == 1;
        taken += held[i];
    }
    return held;
}

}  // namespace

BuiltinCorpus english_chinese_corpus() {
    Draw draw(1964);
    std::vector<SentencePair> pairs = generate(draw);
    shuffle(pairs, draw);

    const std::vector<bool> held = choose_held_out(pairs);
    BuiltinCorpus corpus;
    for (std::size_t i = 0; i < pairs.size(); ++i)
        (held[i] ? corpus.held_out : corpus.training).push_back(std::move(pairs[i]));
    return corpus;
}

}  // namespace wengert
