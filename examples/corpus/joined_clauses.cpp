#include <algorithm>
#include <iterator>

#include "constructions.hpp"
#include "random_clause.hpp"

namespace wengert::english_chinese {
namespace {

/// 很 or 非常, and nothing or "very".
Bilingual emphasis(Draw& draw) { return draw.chance(1, 2) ? Bilingual{"very", "非常"} : Bilingual{"", "很"}; }

Clause did(const Pronoun& who, const Verb& verb) { return {.subject = pronoun_subject(who), .verb = verb}; }

const Verb& transitive_verb(std::string_view base) {
    return *std::find_if(std::begin(transitive_verbs), std::end(transitive_verbs),
                         [&](const Verb& verb) { return verb.base == base; });
}

}  // namespace

SentencePair relative_object(Draw& draw) {
    const Adjective& adjective = draw.from(adjectives);
    const Noun& noun = noun_of(draw, adjective.kinds);
    const Verb& verb = draw.from(transitive_verbs, [&](const Verb& candidate) {
        const bool past = (candidate.uses & past_use) != 0 && candidate.past != candidate.base;
        return past && (candidate.objects & noun.kinds) != 0;
    });
    NounPhrase who = subject(draw);
    while (who.head == noun.chinese || who.english.starts_with("that ")) who = subject(draw);  // no "that that"
    const Bilingual time = draw.chance(1, 2) ? random_time(draw, Tense::past, true) : Bilingual{};

    const std::string_view relative = (noun.kinds & person) != 0 ? "who" : "that";
    const std::string english = words({"the", noun.singular, relative, who.english, verb.past, time.english});
    const std::string chinese =
        who.chinese + time.chinese + std::string(verb.chinese) + "的" + std::string(noun.chinese);
    const Bilingual very = emphasis(draw);
    return sentence({words({english, "is", very.english, adjective.english}),
                     chinese + very.chinese + std::string(adjective.predicate)},
                    '.');
}

SentencePair relative_subject(Draw& draw) {
    const Verb& verb = draw.from(intransitive_verbs);
    const Noun& noun = noun_of(draw, animal | person);
    const Bilingual place = random_place(draw, verb);
    const std::string_view relative = (noun.kinds & person) != 0 ? "who" : "that";
    const std::string english = words({"the", noun.singular, relative, "is", verb.participle, place.english, "is"});
    const std::string chinese = place.chinese + std::string(verb.chinese) + "的" + std::string(noun.chinese);
    if (draw.chance(1, 4) && (noun.kinds & person) != 0) {
        const NounPhrase role = described(draw, fellow, Determiner::possessive);
        return sentence({words({english, role.english}), chinese + "是" + role.chinese}, '.');
    }
    const Bilingual very = emphasis(draw);
    const auto& [feeling, chinese_feeling] = draw.from(states);
    return sentence({words({english, very.english, feeling}), chinese + very.chinese + std::string(chinese_feeling)},
                    '.');
}

SentencePair reason(Draw& draw) {
    const Pronoun& who = draw.from(pronouns);
    const NounPhrase self = pronoun_subject(who);
    Clause cause;
    Bilingual effect;
    switch (draw.below(4)) {
        case 0: {
            cause = did(who, draw.from(intransitive_verbs, [](const Verb& v) { return (v.uses & together) != 0; }));
            cause.time = random_time(draw, Tense::past);
            effect = {"tired", "很累"};
            break;
        }
        case 1: {
            cause = did(who, transitive_verb("eat"));
            cause.object = described(draw, food, draw.chance(1, 2) ? Determiner::indefinite : Determiner::numeral);
            effect = {"not hungry", "不饿"};
            break;
        }
        case 2: {
            const bool lost = draw.chance(1, 2);
            cause = did(who, transitive_verb(lost ? "lose" : "find"));
            const Noun& noun = noun_of(draw, lost ? small : small | animal);
            cause.object = described(draw, noun, Determiner::indefinite);
            effect = lost ? Bilingual{"sad", "很难过"} : Bilingual{"happy", "很高兴"};
            break;
        }
        default: {
            const bool eaten = draw.chance(1, 2);
            const Noun& noun = noun_of(draw, eaten ? food : goods);
            cause = did(who, transitive_verb(eaten ? "eat" : "steal"));
            cause.subject = definite_actor(draw);
            cause.object = {
                {words({who.possessive, noun.singular}), std::string(who.chinese) + "的" + std::string(noun.chinese)}};
            effect = {"angry", "很生气"};
            break;
        }
    }
    const Bilingual because = clause_text(cause);
    return sentence({words({self.english, be(self.agreement), effect.english, "because", because.english}),
                     "因为" + because.chinese + "，所以" + self.chinese + effect.chinese},
                    '.');
}

SentencePair condition(Draw& draw) {
    Clause plan{.subject = subject(draw), .tense = Tense::future, .frequency = {"", "就"}};
    Bilingual premise;
    if (draw.chance(1, 2)) {
        constexpr Phrase weathers[] = {{"it rains", "下雨"}, {"it snows", "下雪"}};
        const auto& [english, chinese] = draw.from(weathers);
        const Bilingual time = draw.chance(2, 3) ? random_time(draw, Tense::future) : Bilingual{};
        premise = {words({english, time.english}), time.chinese + std::string(chinese)};
        if (draw.chance(1, 2)) {
            // The place follows 待, so it is its object.
            plan.verb = staying;
            plan.object = {at(draw.from(shelters))};
        } else {
            plan.verb = random_verb(draw, Tense::future);
            plan.object = random_object(draw, plan);
        }
    } else {
        const Pronoun& who = draw.from(pronouns);
        plan.subject = pronoun_subject(who);
        const std::string_view be_form = be(who.agreement);
        struct Need {
            Phrase feeling;
            Verb verb;
        };
        const Need needs[] = {{{"hungry", "饿"}, transitive_verb("eat")},
                              {{"thirsty", "渴"}, transitive_verb("drink")},
                              {{"tired", "累"}, intransitive_verbs[0]}};
        const Need& need = draw.from(needs);
        premise = {words({who.subject, be_form, need.feeling.english}),
                   std::string(who.chinese) + std::string(need.feeling.chinese) + "了"};
        plan.verb = need.verb;
        plan.object = random_object(draw, plan);
        if (plan.object.english.empty()) plan.place = random_place(draw, plan.verb);
    }
    const Bilingual then = clause_text(plan);
    return sentence({words({then.english, "if", premise.english}), "如果" + premise.chinese + "，" + then.chinese},
                    '.');
}

}  // namespace wengert::english_chinese
