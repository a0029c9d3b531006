#pragma once

#include "clause.hpp"

namespace wengert::english_chinese {

/// Statements are half of what is said, negations and yes-no questions a quarter each.
Form random_form(Draw& draw);

/// A clause with one of the tense's verbs, a subject and whatever else fits: object, companion, place, time.
Clause random_clause(Draw& draw, Tense tense, Form form);

/// The same around a given verb.
Clause random_clause(Draw& draw, Tense tense, Form form, const Verb& verb);

/// A verb that may be used in the tense, transitive more often than not.
const Verb& random_verb(Draw& draw, Tense tense);

/// An object for the clause's verb that differs from its subject. Under a negation or in a yes-no question an
/// indefinite object has no numeral in Chinese. Empty for an intransitive verb.
NounPhrase random_object(Draw& draw, const Clause& clause);

/// Who is meant by a request, prohibition (you) or proposal (we); English does not say it.
NounPhrase addressee(Tense mood);

/// A name or pronoun that differs from the subject: somebody to be with, or to do something for.
NounPhrase other_person(Draw& draw, const NounPhrase& subject);

/// A time that fits the tense: of these days, or also further away.
Bilingual random_time(Draw& draw, Tense tense, bool far = false);

/// A place where the verb can happen, with 在; empty for "go" and "invite".
Bilingual random_place(Draw& draw, const Verb& verb);

/// "in the garden", 在花园里.
Bilingual at(const Phrase& place);

bool same(const NounPhrase& one, const NounPhrase& other);

}  // namespace wengert::english_chinese
