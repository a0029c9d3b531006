#include "constructions.hpp"
#include "random_clause.hpp"

namespace wengert::english_chinese {
namespace {

/// "Tom is very tall", with "be" and "not" where the form wants them; `chinese` is the whole predicate.
SentencePair with_be(Form form, const NounPhrase& subject, std::string_view be_form, const std::string& rest,
                     const std::string& chinese) {
    const std::string text = subject.chinese + chinese;
    switch (form) {
        case Form::question:
            return sentence({words({be_form, subject.english, rest}), text + "吗"}, '?');
        case Form::negation:
            return sentence({words({subject.english, be_form, "not", rest}), text}, '.');
        case Form::statement:
            break;
    }
    return sentence({words({subject.english, be_form, rest}), text}, '.');
}

NounPhrase known_thing(Draw& draw, const Noun& noun) {
    constexpr Determiner determiners[] = {Determiner::demonstrative, Determiner::possessive, Determiner::definite};
    return noun_phrase(draw, noun, draw.from(determiners));
}

/// How much: Chinese must say 很 where English says nothing.
struct Degree {
    std::string_view english, before, after;
};

constexpr Degree degrees[] = {{"", "很", ""}, {"", "很", ""}, {"very", "非常", ""}, {"too", "太", "了"}};

/// "very tall", 非常高, under the form: "not tall" is 不高, "tall?" is 高吗.
Bilingual graded(Draw& draw, Form form, std::string_view english, std::string_view chinese) {
    const std::string adjective(chinese);
    if (form == Form::negation) return {std::string(english), "不" + adjective};
    if (form == Form::question) return {std::string(english), adjective};
    const Degree& degree = draw.from(degrees);
    return {words({degree.english, english}), std::string(degree.before) + adjective + std::string(degree.after)};
}

const Adjective& random_trait(Draw& draw) {
    if (draw.chance(1, 2)) return draw.from(traits);
    return draw.from(adjectives, [](const Adjective& adjective) { return (adjective.kinds & person) != 0; });
}

}  // namespace

SentencePair state(Draw& draw) {
    const NounPhrase who = subject(draw);
    const auto& [english, chinese] = draw.from(states);
    const std::string adjective(chinese);
    if (draw.chance(1, 8))
        return sentence(
            {words({"why", be(who.agreement), who.english, "so", english}), who.chinese + "为什么这么" + adjective},
            '?');

    const Form form = random_form(draw);
    const Phrase& frequency = draw.from(frequencies);
    if (form == Form::statement && frequency.english != "never" && draw.chance(1, 4))
        return with_be(form, who, be(who.agreement), words({frequency.english, english}),
                       std::string(frequency.chinese) + "很" + adjective);
    const Bilingual predicate = graded(draw, form, english, adjective);
    if (draw.chance(1, 2)) return with_be(form, who, be(who.agreement), predicate.english, predicate.chinese);
    const Bilingual time = random_time(draw, Tense::past);
    return with_be(form, who, was(who.agreement), words({predicate.english, time.english}),
                   time.chinese + predicate.chinese);
}

SentencePair quality(Draw& draw) {
    const Form form = random_form(draw);
    if (draw.chance(1, 4)) {
        const NounPhrase who = subject(draw);
        const Adjective& trait = random_trait(draw);
        const Bilingual predicate = graded(draw, form, trait.english, trait.predicate);
        return with_be(form, who, be(who.agreement), predicate.english, predicate.chinese);
    }
    const Adjective& adjective = draw.from(adjectives);
    const NounPhrase thing = known_thing(draw, noun_of(draw, adjective.kinds));
    const Bilingual predicate = graded(draw, form, adjective.english, adjective.predicate);
    return with_be(form, thing, be(thing.agreement), predicate.english, predicate.chinese);
}

SentencePair colour(Draw& draw) {
    const NounPhrase thing = known_thing(draw, noun_of(draw, coloured));
    if (draw.chance(1, 6))
        return sentence({words({"what colour", be(thing.agreement), thing.english}), thing.chinese + "是什么颜色的"},
                        '?');
    const Form form = random_form(draw);
    const Phrase& chosen = draw.from(colours);
    return with_be(form, thing, be(thing.agreement), std::string(chosen.english),
                   (form == Form::negation ? "不是" : "是") + std::string(chosen.chinese));
}

SentencePair comparison(Draw& draw) {
    NounPhrase one, other;
    const bool things = draw.chance(3, 5);
    const Adjective& adjective = things ? draw.from(adjectives) : random_trait(draw);
    if (things) {
        const Noun& noun = noun_of(draw, adjective.kinds);
        one = noun_phrase(draw, noun, draw.chance(1, 2) ? Determiner::demonstrative : Determiner::possessive);
        do {
            other = noun_phrase(draw, noun, draw.chance(1, 2) ? Determiner::demonstrative : Determiner::possessive);
        } while (other.chinese == one.chinese || other.agreement != one.agreement);
    } else {
        one = subject(draw);
        other = other_person(draw, one);
        while (same(other, one) || draw.chance(1, 2)) other = definite_actor(draw);
    }
    const std::string_view be_form = be(one.agreement);
    const std::string predicate(adjective.predicate);
    const std::string as_much = words({"as", adjective.english, "as", other.english});
    const std::string more = words({adjective.comparative, "than", other.english});
    switch (draw.below(8)) {
        case 0:
            return with_be(Form::statement, one, be_form, as_much, "跟" + other.chinese + "一样" + predicate);
        case 1:
            return with_be(Form::question, one, be_form, as_much, "跟" + other.chinese + "一样" + predicate);
        case 2:
            return with_be(Form::statement, one, be_form, "much " + more, "比" + other.chinese + predicate + "得多");
        case 3:
            return with_be(Form::negation, one, be_form, as_much, "没有" + other.chinese + predicate);
        case 4:
            return with_be(Form::question, one, be_form, more, "比" + other.chinese + predicate);
        default:
            return with_be(Form::statement, one, be_form, more, "比" + other.chinese + predicate);
    }
}

SentencePair existence(Draw& draw) {
    const bool alive = draw.chance(1, 2);
    const unsigned kinds = alive ? animal | person : small;
    const Phrase& place = alive ? draw.from(places) : draw.from(surfaces);
    const std::string here(place.chinese);
    const Noun& noun = noun_of(draw, kinds);
    switch (draw.below(6)) {
        case 0:
            return sentence({words({"how many", noun.plural, "are there", place.english}),
                             here + "有几" + std::string(noun.measure) + std::string(noun.chinese)},
                            '?');
        case 1:
            return sentence(
                {words({"there are no", noun.plural, place.english}), here + "没有" + std::string(noun.chinese)}, '.');
        case 2: {
            const NounPhrase asked = described(draw, kinds, Determiner::bare);
            return sentence({words({"is there", asked.english, place.english}), here + "有" + asked.chinese + "吗"},
                            '?');
        }
        case 3:
            return sentence(
                {words({"there are many", noun.plural, place.english}), here + "有很多" + std::string(noun.chinese)},
                '.');
        default:
            break;
    }
    const NounPhrase found = described(draw, kinds, draw.chance(1, 2) ? Determiner::indefinite : Determiner::numeral);
    return sentence({words({"there", be(found.agreement), found.english, place.english}), here + "有" + found.chinese},
                    '.');
}

SentencePair location(Draw& draw) {
    const bool alive = draw.chance(1, 2);
    const NounPhrase what = alive ? subject(draw) : known_thing(draw, noun_of(draw, small));
    const bool past = draw.chance(1, 3);
    const Bilingual time = past ? random_time(draw, Tense::past) : Bilingual{};
    const std::string_view be_form = past ? was(what.agreement) : be(what.agreement);
    if (draw.chance(1, 6))
        return sentence({words({"where", be_form, what.english, time.english}), what.chinese + time.chinese + "在哪里"},
                        '?');
    const Form form = random_form(draw);
    const Bilingual place = at(alive ? draw.from(places) : draw.from(surfaces));
    return with_be(form, what, be_form, words({place.english, time.english}),
                   time.chinese + (form == Form::negation ? "不" : "") + place.chinese);
}

SentencePair identity(Draw& draw) {
    const bool near = draw.chance(1, 2);
    const NounPhrase pointer{{near ? "this" : "that", near ? "这" : "那"}};
    if (draw.chance(1, 8)) {
        const Noun& noun = noun_of(draw, goods | small);
        return sentence({words({"whose", noun.singular, "is", pointer.english}),
                         pointer.chinese + "是谁的" + std::string(noun.chinese)},
                        '?');
    }
    if (draw.chance(1, 8)) {
        const NounPhrase who = noun_phrase(draw, noun_of(draw, person), Determiner::demonstrative);
        return sentence({words({"who", be(who.agreement), who.english}), who.chinese + "是谁"}, '?');
    }
    const Form form = random_form(draw);
    const std::string copula = form == Form::negation ? "不是" : "是";
    if (draw.chance(1, 2)) {
        const NounPhrase owned = described(draw, goods | small | fellow | animal, Determiner::possessive);
        return with_be(form, pointer, "is", owned.english, copula + owned.chinese);
    }
    const Determiner one = form == Form::statement ? Determiner::indefinite : Determiner::bare;
    const NounPhrase who = draw.chance(1, 2) ? name(draw) : pronoun_subject(draw.from(pronouns));
    const bool several = who.english == "we" || who.english == "they";
    const NounPhrase role = several             ? noun_phrase(draw, noun_of(draw, profession), Determiner::generic)
                            : draw.chance(1, 2) ? described(draw, profession | fellow, Determiner::possessive)
                                                : described(draw, profession, one);
    return with_be(form, who, be(who.agreement), role.english, copula + role.chinese);
}

SentencePair weather(Draw& draw) {
    const Phrase& city = draw.from(cities);
    const NounPhrase it{{"it", ""}};
    const std::string here = words({"in", city.english});
    const std::string there(city.chinese);
    const Form form = random_form(draw);
    constexpr Tense tenses[] = {Tense::past, Tense::ongoing, Tense::future};
    if (draw.chance(1, 4)) {
        constexpr Phrase temperatures[] = {{"hot", "热"}, {"cold", "冷"}, {"warm", "暖和"}};
        const auto& [english, chinese] = draw.from(temperatures);
        const Bilingual predicate = graded(draw, form, english, chinese);
        const Bilingual time = random_time(draw, Tense::past);
        return with_be(form, it, "was", words({predicate.english, here, time.english}),
                       there + time.chinese + predicate.chinese);
    }
    const Tense tense = draw.from(tenses);
    const bool rain = draw.chance(1, 2);
    Clause clause{.subject = {{"it", there}},
                  .verb = {.base = rain ? "rain" : "snow",
                           .past = rain ? "rained" : "snowed",
                           .participle = rain ? "raining" : "snowing",
                           .chinese = rain ? "下雨" : "下雪"},
                  .tense = tense,
                  .form = form,
                  .place = {here, ""},
                  .time = random_time(draw, tense)};
    return sentence(clause);
}

}  // namespace wengert::english_chinese
