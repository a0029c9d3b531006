#include "constructions.hpp"
#include "random_clause.hpp"

namespace wengert::english_chinese {
namespace {

constexpr Tense askable_tenses[] = {Tense::past, Tense::past, Tense::ongoing, Tense::future, Tense::wish};

/// A random clause made a wh-question; the Chinese question word is still to be put in its slot.
Clause asking(Draw& draw, std::string_view asked, Tense tense, const Verb& verb) {
    Clause clause = random_clause(draw, tense, Form::question, verb);
    clause.asked = asked;
    clause.object = random_object(draw, clause);
    return clause;
}

/// A verb whose object can be asked for.
const Verb& transitive_verb(Draw& draw, Tense tense) {
    while (true) {
        const Verb& verb = random_verb(draw, tense);
        if (verb.objects != 0) return verb;
    }
}

/// An object that the speakers know already, as 是 ... 的 wants it: this car, my car, Tom.
NounPhrase known_object(Draw& draw, const Clause& clause) {
    const Verb& verb = clause.verb;
    if (verb.objects == 0) return random_object(draw, clause);
    if ((verb.objects & person) != 0 && draw.chance(1, 2)) return other_person(draw, clause.subject);
    while (true) {
        const Noun& noun = noun_of(draw, verb.objects);
        const bool owned = (verb.uses & new_object) == 0 && (noun.kinds & drink) == 0 && draw.chance(1, 2);
        const NounPhrase object = described(draw, noun, owned ? Determiner::possessive : Determiner::demonstrative);
        if (!same(object, clause.subject)) return object;
    }
}

}  // namespace

SentencePair who_did(Draw& draw) {
    constexpr Tense tenses[] = {Tense::past, Tense::past, Tense::ongoing, Tense::future, Tense::habitual, Tense::wish};
    Clause clause = random_clause(draw, draw.from(tenses), Form::statement);
    clause.subject = {{"who", "谁"}};
    clause.asks_subject = true;
    return sentence(clause);
}

SentencePair what_or_whom(Draw& draw) {
    const Tense tense = draw.from(askable_tenses);
    const Verb& verb = transitive_verb(draw, tense);
    const bool somebody = (verb.objects & person) != 0;
    Clause clause = asking(draw, somebody ? "who" : "what", tense, verb);
    clause.object = {{"", somebody ? "谁" : "什么"}};
    return sentence(clause);
}

SentencePair which_or_how_many(Draw& draw) {
    const Tense tense = draw.from(askable_tenses);
    const bool owned = draw.chance(1, 5);
    const Verb& verb =
        owned ? draw.from(stative_verbs, [](const Verb& v) { return v.base == "have"; }) : transitive_verb(draw, tense);
    Clause clause = asking(draw, "which", owned ? Tense::habitual : tense, verb);
    clause.companion = {};
    if (owned) clause.place = clause.time = {};
    const bool count = owned || (verb.objects & drink) != 0 || draw.chance(1, 2);
    const unsigned kinds = verb.objects & ~(parent | fellow);
    const Noun* noun = &noun_of(draw, kinds);
    while (noun->chinese == clause.subject.head) noun = &noun_of(draw, kinds);
    clause.asked = count ? words({"how many", noun->plural}) : words({"which", noun->singular});
    clause.object = {{"", (count ? "几" : "哪") + std::string(noun->measure) + std::string(noun->chinese)}};
    return sentence(clause);
}

SentencePair where(Draw& draw) {
    constexpr Tense tenses[] = {Tense::past, Tense::past, Tense::ongoing, Tense::future, Tense::wish, Tense::habitual};
    const Tense tense = draw.from(tenses);
    Clause clause = asking(draw, "where", tense, random_verb(draw, tense));
    if (tense == Tense::ongoing || tense == Tense::habitual || draw.chance(1, 2))
        clause.time = random_time(draw, tense);
    clause.companion = {};
    if (clause.verb.base == going.base) {
        clause.object = {{"", "哪里"}};
        return sentence(clause);
    }
    clause.cleft = tense == Tense::past;
    if (clause.cleft) clause.object = known_object(draw, clause);
    clause.place = {"", clause.cleft ? "是在哪里" : "在哪里"};
    return sentence(clause);
}

SentencePair when(Draw& draw) {
    const Tense tense = draw.chance(1, 2) ? Tense::past : Tense::future;
    Clause clause = asking(draw, "when", tense, random_verb(draw, tense));
    clause.cleft = tense == Tense::past;
    if (clause.cleft) clause.object = known_object(draw, clause);
    clause.time = {"", clause.cleft ? "是什么时候" : "什么时候"};
    clause.place = {};
    return sentence(clause);
}

SentencePair why(Draw& draw) {
    constexpr Tense tenses[] = {Tense::past, Tense::ongoing, Tense::wish, Tense::fondness};
    const bool lasting = draw.chance(1, 6);
    const Tense tense = lasting ? Tense::habitual : draw.from(tenses);
    Clause clause = asking(draw, "why", tense, lasting ? draw.from(stative_verbs) : random_verb(draw, tense));
    if (lasting) clause.time = clause.place = {};
    clause.frequency = {"", "为什么"};
    return sentence(clause);
}

SentencePair how(Draw& draw) {
    constexpr Tense tenses[] = {Tense::past, Tense::future, Tense::habitual};
    const Tense tense = draw.from(tenses);
    Clause clause = asking(draw, "how", tense, going);
    clause.cleft = tense == Tense::past;
    clause.companion = {"", clause.cleft ? "是怎么" : "怎么"};
    if (tense == Tense::habitual) clause.time = random_time(draw, tense);
    return sentence(clause);
}

}  // namespace wengert::english_chinese
