#include "random_clause.hpp"

namespace wengert::english_chinese {
namespace {

bool goes(const Verb& verb) { return verb.base == going.base; }

unsigned use_of(Tense tense) {
    switch (tense) {
        case Tense::past:
            return past_use;
        case Tense::ongoing:
            return ongoing_use;
        case Tense::habitual:
        case Tense::fondness:
            return habitual_use;
        default:
            return planned_use;
    }
}

/// Under a negation or a yes-no question.
bool scoped(const Clause& clause) {
    return clause.form == Form::negation || clause.tense == Tense::prohibition ||
           (clause.form == Form::question && clause.asked.empty());
}

Determiner random_determiner(Draw& draw, const Clause& clause, const Noun& noun) {
    const unsigned uses = clause.verb.uses;
    const bool under = scoped(clause), someones = (noun.kinds & drink) == 0 && (uses & new_object) == 0;
    if (clause.tense == Tense::fondness) return Determiner::generic;
    const bool habit = clause.tense == Tense::habitual && (uses & stative_use) == 0;
    // What always or never happens has no number.
    if (habit && (under || !clause.frequency.english.empty() || draw.chance(1, 2))) return Determiner::generic;
    const bool owns = clause.verb.base == "have", likes = clause.verb.base == "like";
    const bool plans = clause.tense != Tense::past && clause.tense != Tense::habitual;
    while (true) {
        switch (draw.below(5)) {
            case 0:
                if (likes || clause.tense == Tense::prohibition) return Determiner::generic;
                return under ? Determiner::bare : Determiner::indefinite;
            case 1:
                if (!likes && !habit && clause.form != Form::negation && clause.tense != Tense::prohibition)
                    return Determiner::numeral;
                break;
            case 2:
                if (!owns) return Determiner::demonstrative;
                break;
            case 3:
                if (someones) return Determiner::possessive;
                break;
            case 4:
                // A bare Chinese noun: definite in a plan, but it would read as indefinite after 没有 and incomplete
                // after 了, where disposal() says 把.
                if (plans && !under && someones) return Determiner::definite;
                break;
        }
    }
}

/// How many times in four a time is told.
std::size_t time_chances(const Clause& clause) {
    switch (clause.tense) {
        // "I read" is present or past, and 没有在 ongoing or past: a time tells.
        case Tense::past:
            return clause.form == Form::negation || clause.verb.past == clause.verb.base ? 4 : 3;
        case Tense::habitual:
            return clause.form == Form::negation ? 0 : clause.form == Form::statement ? 4 : 3;
        case Tense::fondness:
        case Tense::request:
        case Tense::prohibition:
            return 0;
        case Tense::ongoing:
        case Tense::wish:
        case Tense::advice:
            return 1;
        case Tense::future:
        case Tense::duty:
        case Tense::proposal:
            break;
    }
    return 3;
}

/// Few ask what they do themselves; many ask what they should do.
NounPhrase random_subject(Draw& draw, Tense tense, Form form) {
    if (tense == Tense::request || tense == Tense::prohibition || tense == Tense::proposal) return addressee(tense);
    NounPhrase who = subject(draw);
    while (form == Form::question && tense != Tense::advice && who.english == "I") who = subject(draw);
    return who;
}

}  // namespace

bool same(const NounPhrase& one, const NounPhrase& other) { return one.head == other.head; }

Form random_form(Draw& draw) {
    if (draw.chance(1, 2)) return Form::statement;
    return draw.chance(1, 2) ? Form::negation : Form::question;
}

Bilingual at(const Phrase& place) { return {std::string(place.english), "在" + std::string(place.chinese)}; }

Bilingual random_place(Draw& draw, const Verb& verb) {
    if (goes(verb) || (verb.uses & anywhere) != 0) return {};
    if ((verb.uses & shopping) != 0) return at(draw.from(shops));
    if ((verb.uses & swimming) != 0) return at(draw.from(waters));
    return at(draw.from(places));
}

Bilingual random_time(Draw& draw, Tense tense, bool far) {
    const bool away = far && draw.chance(1, 2);
    switch (tense) {
        case Tense::past:
            return away ? draw.from(far_past_times) : draw.from(past_times);
        case Tense::ongoing:
            return present_time;
        case Tense::habitual:
            return draw.from(habitual_times);
        default:
            return away ? draw.from(far_future_times) : draw.from(future_times);
    }
}

NounPhrase addressee(Tense mood) {
    if (mood == Tense::proposal) return {{"", "我们"}, Agreement::plural, "我们"};
    return {{}, Agreement::plural, "你"};
}

NounPhrase other_person(Draw& draw, const NounPhrase& subject) {
    while (true) {
        const NounPhrase person = draw.chance(1, 2) ? name(draw) : pronoun_object(draw.from(pronouns));
        const auto speaks = [](const NounPhrase& one) { return one.head == "我" || one.head == "我们"; };
        if (!same(person, subject) && !(speaks(person) && speaks(subject))) return person;
    }
}

NounPhrase random_object(Draw& draw, const Clause& clause) {
    const Verb& verb = clause.verb;
    if (goes(verb)) return {draw.from(destinations)};
    if (verb.objects == 0) return {};
    if ((verb.objects & person) != 0 && clause.tense != Tense::fondness && draw.chance(1, 2))
        return other_person(draw, clause.subject);
    while (true) {
        const Noun& noun = noun_of(draw, verb.objects);
        const NounPhrase object = described(draw, noun, random_determiner(draw, clause, noun));
        if (!same(object, clause.subject)) return object;
    }
}

const Verb& random_verb(Draw& draw, Tense tense) {
    const auto usable = [use = use_of(tense)](const Verb& verb) { return (verb.uses & use) != 0; };
    if (usable(going) && draw.chance(1, 8)) return going;
    return draw.chance(2, 3) ? draw.from(transitive_verbs, usable) : draw.from(intransitive_verbs, usable);
}

Clause random_clause(Draw& draw, Tense tense, Form form) {
    return random_clause(draw, tense, form, random_verb(draw, tense));
}

Clause random_clause(Draw& draw, Tense tense, Form form, const Verb& verb) {
    Clause clause{.subject = random_subject(draw, tense, form), .verb = verb, .tense = tense, .form = form};
    clause.object = random_object(draw, clause);

    if (goes(verb) && draw.chance(1, 2)) {
        clause.companion = draw.from(transports);
    } else if ((verb.uses & (for_somebody | together)) != 0 && draw.chance(1, 4)) {
        const NounPhrase person = other_person(draw, clause.subject);
        clause.companion = (verb.uses & together) != 0
                               ? Bilingual{"with " + person.english, "跟" + person.chinese + "一起"}
                               : Bilingual{"for " + person.english, "给" + person.chinese};
    }
    if (draw.chance(verb.objects == 0 ? 2 : 1, 3)) clause.place = random_place(draw, verb);

    if (draw.chance(time_chances(clause), 4)) clause.time = random_time(draw, tense, (verb.uses & memorable) != 0);
    return clause;
}

}  // namespace wengert::english_chinese
