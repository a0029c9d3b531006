#include "constructions.hpp"
#include "random_clause.hpp"

namespace wengert::english_chinese {
namespace {

Clause in_random_form(Draw& draw, Tense tense) {
    Clause clause = random_clause(draw, tense, random_form(draw));
    const bool movable = tense == Tense::past || tense == Tense::future || tense == Tense::habitual;
    clause.time_first = movable && clause.form != Form::question && !clause.time.english.empty() && draw.chance(1, 5);
    return clause;
}

}  // namespace

SentencePair past_event(Draw& draw) { return sentence(in_random_form(draw, Tense::past)); }

SentencePair ongoing_event(Draw& draw) {
    Clause clause = in_random_form(draw, Tense::ongoing);
    if (clause.form == Form::statement && draw.chance(1, 10)) {
        const bool one = draw.chance(1, 2);
        clause.subject = described(draw, animal | person, one ? Determiner::indefinite : Determiner::numeral);
        clause.object = random_object(draw, clause);
    }
    return sentence(clause);
}

SentencePair future_event(Draw& draw) { return sentence(in_random_form(draw, Tense::future)); }

SentencePair habit(Draw& draw) {
    Clause clause = in_random_form(draw, Tense::habitual);
    const bool mentions_frequency = clause.form != Form::negation && draw.chance(1, 2);
    if (mentions_frequency) {
        clause.frequency = clause.form == Form::statement ? draw.from(frequencies) : often;
        clause.time = {};
        clause.time_first = false;
        clause.object = random_object(draw, clause);
    }
    return sentence(clause);
}

SentencePair intention(Draw& draw) {
    switch (draw.below(5)) {
        case 0:
            return sentence(random_clause(draw, Tense::duty, Form::statement));
        case 1:
            return sentence(in_random_form(draw, Tense::advice));
        default:
            return sentence(in_random_form(draw, Tense::wish));
    }
}

SentencePair fondness(Draw& draw) { return sentence(in_random_form(draw, Tense::fondness)); }

SentencePair stative(Draw& draw) {
    Clause clause{.subject = subject(draw),
                  .verb = draw.from(stative_verbs),
                  .tense = Tense::habitual,
                  .form = random_form(draw)};
    clause.object = random_object(draw, clause);
    return sentence(clause);
}

SentencePair request(Draw& draw) {
    constexpr Tense moods[] = {Tense::request, Tense::prohibition, Tense::proposal};
    return sentence(random_clause(draw, draw.from(moods), Form::statement));
}

SentencePair duration(Draw& draw) {
    const Tense tense = draw.chance(3, 4) ? Tense::past : Tense::future;
    Clause clause = random_clause(draw, tense, Form::statement, draw.from(intransitive_verbs, [&](const Verb& verb) {
        return tense == Tense::past || (verb.uses & planned_use) != 0;
    }));
    clause.verb.chinese = clause.verb.stem;
    if (draw.chance(1, 4)) {
        clause.asked = "how long";
        clause.form = Form::question;
        clause.object = {{"", "多长时间"}};
    } else {
        const Phrase& span = draw.from(durations);
        clause.object = {{"", std::string(span.chinese)}};
        clause.time.english = words({span.english, clause.time.english});
    }
    return sentence(clause);
}

SentencePair giving_event(Draw& draw) {
    constexpr Tense tenses[] = {Tense::past, Tense::future, Tense::request};
    Clause clause{.subject = subject(draw), .verb = giving, .tense = draw.from(tenses)};
    const bool requested = clause.tense == Tense::request;
    if (requested) clause.subject = addressee(clause.tense);
    if (!requested && draw.chance(2, 3)) clause.time = random_time(draw, clause.tense);
    const NounPhrase receiver = other_person(draw, clause.subject);

    NounPhrase gift;
    if (!requested && draw.chance(1, 6)) {
        clause.asked = "what";
        clause.form = Form::question;
        gift = {{"", "什么"}};
    } else {
        if (!requested && draw.chance(1, 3)) clause.form = draw.chance(1, 2) ? Form::negation : Form::question;
        const bool indefinite = clause.form == Form::statement && draw.chance(2, 3);
        const bool several = indefinite && draw.chance(1, 3);
        gift = described(draw, goods | food | drink,
                         several      ? Determiner::numeral
                         : indefinite ? Determiner::indefinite
                                      : Determiner::demonstrative);
    }
    clause.object = {{words({receiver.english, gift.english}), receiver.chinese + gift.chinese}};
    return sentence(clause);
}

SentencePair calling_event(Draw& draw) {
    const Tense tense = draw.chance(1, 2) ? Tense::past : Tense::future;
    Clause clause = in_random_form(draw, tense);
    clause.verb = calling;
    NounPhrase called = other_person(draw, clause.subject);
    while (same(called, clause.subject) || draw.chance(1, 3)) called = described(draw, people, Determiner::possessive);
    clause.object = {{called.english, "电话"}};
    clause.companion = {"", "给" + called.chinese};
    clause.place = {};
    return sentence(clause);
}

SentencePair disposal(Draw& draw) {
    const Disposal& verb = draw.from(disposals);
    Clause clause{.subject = subject(draw), .form = random_form(draw)};
    clause.asks_subject = draw.chance(1, 6);
    if (clause.asks_subject) {
        clause.subject = {{"who", "谁"}};
        clause.form = Form::statement;
    }
    NounPhrase object = described(draw, verb.objects, Determiner::definite);
    while (same(object, clause.subject)) object = described(draw, verb.objects, Determiner::definite);
    clause.verb = {.base = verb.base, .past = verb.past, .chinese = verb.chinese};
    clause.object = {{object.english, ""}};
    clause.companion = {"", "把" + object.chinese};
    if (draw.chance(1, 2)) clause.time = random_time(draw, Tense::past);
    return sentence(clause);
}

SentencePair passive(Draw& draw) {
    const Disposal& verb = draw.from(disposals);
    constexpr Determiner determiners[] = {Determiner::definite, Determiner::possessive, Determiner::demonstrative};
    const NounPhrase patient = described(draw, verb.objects, draw.from(determiners));
    NounPhrase agent = other_person(draw, patient);
    while (same(agent, patient) || draw.chance(1, 2)) agent = definite_actor(draw);
    const Bilingual time = draw.chance(1, 3) ? random_time(draw, Tense::past) : Bilingual{};
    const Form form = random_form(draw);

    const std::string_view be_form = was(patient.agreement);
    const std::string done = words({verb.past_participle, "by", agent.english, time.english});
    const std::string chinese = patient.chinese + time.chinese + (form == Form::negation ? "没有" : "") + "被" +
                                agent.chinese + std::string(verb.chinese);
    switch (form) {
        case Form::question:
            return sentence({words({be_form, patient.english, done}), chinese + "了吗"}, '?');
        case Form::negation:
            return sentence({words({patient.english, be_form, "not", done}), chinese}, '.');
        case Form::statement:
            break;
    }
    return sentence({words({patient.english, be_form, done}), chinese + "了"}, '.');
}

}  // namespace wengert::english_chinese
