#include "phrases.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace wengert::english_chinese {
namespace {

/// No word of the lexicon hides its first sound ("hour", "uniform"), so the letter decides.
std::string_view article(std::string_view word) {
    return std::string_view("aeiou").find(word.front()) == std::string_view::npos ? "a" : "an";
}

/// 我的 is not followed by another 的, so "my" takes the plain ones only: 我的新车.
Bilingual fitting_adjective(Draw& draw, const Noun& noun, bool owned) {
    if (!owned && (noun.kinds & coloured) != 0 && draw.chance(1, 2)) return draw.from(colours);
    const auto fits = [&](const Adjective& adjective) {
        return (adjective.kinds & noun.kinds) != 0 && !(owned && adjective.attribute.ends_with("的"));
    };
    if (std::none_of(std::begin(adjectives), std::end(adjectives), fits)) return {};
    const Adjective& chosen = draw.from(adjectives, fits);
    return {std::string(chosen.english), std::string(chosen.attribute)};
}

Bilingual possessor(Draw& draw, const Noun& noun) {
    if (draw.chance(1, 4)) {
        const Phrase& owner = draw.from(names);
        return {std::string(owner.english) + "'s", std::string(owner.chinese) + "的"};
    }
    const Pronoun& owner = draw.from(pronouns);
    return {std::string(owner.possessive), std::string(owner.chinese) + ((noun.kinds & parent) != 0 ? "" : "的")};
}

}  // namespace

std::string words(std::initializer_list<std::string_view> parts) {
    std::string joined;
    for (const std::string_view part : parts) {
        if (part.empty()) continue;
        if (!joined.empty()) joined += ' ';
        joined += part;
    }
    return joined;
}

std::string_view be(Agreement agreement) {
    switch (agreement) {
        case Agreement::first_singular:
            return "am";
        case Agreement::third_singular:
            return "is";
        case Agreement::plural:
            break;
    }
    return "are";
}

std::string_view was(Agreement agreement) { return agreement == Agreement::plural ? "were" : "was"; }

NounPhrase noun_phrase(Draw& draw, const Noun& noun, Determiner determiner, const Bilingual& adjective) {
    const auto build = [&](std::string_view before, std::string_view form, const std::string& chinese_before,
                           Agreement agreement) {
        return NounPhrase{
            {words({before, adjective.english, form}), chinese_before + adjective.chinese + std::string(noun.chinese)},
            agreement,
            noun.chinese};
    };
    const auto one = Agreement::third_singular, many = Agreement::plural;
    const std::string measure(noun.measure);
    const std::string_view indefinite_article =
        article(adjective.english.empty() ? noun.singular : std::string_view(adjective.english));
    switch (determiner) {
        case Determiner::indefinite:
            return build(indefinite_article, noun.singular, "一" + measure, one);
        case Determiner::bare:
            return build(indefinite_article, noun.singular, "", one);
        case Determiner::definite:
            return build("the", noun.singular, "", one);
        case Determiner::generic:
            return build("", noun.generic, "", many);
        case Determiner::numeral: {
            const Phrase& count = draw.from(numerals);
            return build(count.english, noun.plural, std::string(count.chinese) + measure, many);
        }
        case Determiner::demonstrative: {
            const bool near = draw.chance(1, 2);
            if (noun.kinds != drink && draw.chance(1, 3))
                return build(near ? "these" : "those", noun.plural, near ? "这些" : "那些", many);
            return build(near ? "this" : "that", noun.singular, (near ? "这" : "那") + measure, one);
        }
        case Determiner::possessive:
            break;
    }
    const Bilingual owner = possessor(draw, noun);
    return build(owner.english, noun.singular, owner.chinese, one);
}

NounPhrase described(Draw& draw, const Noun& noun, Determiner determiner) {
    if ((noun.kinds & (parent | fellow)) != 0) return noun_phrase(draw, noun, Determiner::possessive);
    if ((noun.kinds & unowned) != 0 && determiner == Determiner::possessive) determiner = Determiner::demonstrative;
    if (determiner == Determiner::generic || draw.chance(2, 3)) return noun_phrase(draw, noun, determiner);
    return noun_phrase(draw, noun, determiner, fitting_adjective(draw, noun, determiner == Determiner::possessive));
}

NounPhrase described(Draw& draw, unsigned kinds, Determiner determiner) {
    return described(draw, noun_of(draw, kinds), determiner);
}

const Noun& noun_of(Draw& draw, unsigned kinds) {
    return draw.from(nouns, [&](const Noun& noun) { return (noun.kinds & kinds) != 0; });
}

NounPhrase name(Draw& draw) {
    const Phrase& chosen = draw.from(names);
    return {chosen, Agreement::third_singular, chosen.chinese};
}

NounPhrase pronoun_subject(const Pronoun& pronoun) {
    return {{std::string(pronoun.subject), std::string(pronoun.chinese)}, pronoun.agreement, pronoun.chinese};
}

NounPhrase pronoun_object(const Pronoun& pronoun) {
    return {{std::string(pronoun.object), std::string(pronoun.chinese)}, pronoun.agreement, pronoun.chinese};
}

NounPhrase subject(Draw& draw) {
    const std::size_t kind = draw.below(16);
    if (kind < 5) return name(draw);
    if (kind < 10) return pronoun_subject(draw.from(pronouns));
    if (kind < 13) return described(draw, animal | person, Determiner::definite);
    if (kind < 15) return described(draw, animal | people, Determiner::possessive);
    return described(draw, animal | person, Determiner::demonstrative);
}

NounPhrase definite_actor(Draw& draw) {
    return draw.chance(1, 2) ? name(draw) : described(draw, animal | person, Determiner::definite);
}

}  // namespace wengert::english_chinese
