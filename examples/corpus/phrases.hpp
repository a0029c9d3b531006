#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "draw.hpp"
#include "lexicon.hpp"

namespace wengert::english_chinese {

/// Something in both languages, composed; an empty side says nothing.
struct Bilingual {
    std::string english, chinese;

    Bilingual() = default;
    Bilingual(std::string english, std::string chinese) : english(std::move(english)), chinese(std::move(chinese)) {}
    Bilingual(const Phrase& phrase) : english(phrase.english), chinese(phrase.chinese) {}
};

/// A bilingual with what the verb must agree with; `head` tells whether two of them denote the same thing.
struct NounPhrase : Bilingual {
    Agreement agreement = Agreement::third_singular;
    std::string_view head{};
};

enum class Determiner {
    indefinite,     ///< a cat, 一只猫
    bare,           ///< a cat under a negation or in a yes-no question, where Chinese says just 猫
    numeral,        ///< two cats, 两只猫
    demonstrative,  ///< this cat, 这只猫; those cats, 那些猫
    possessive,     ///< my cat, 我的猫; Tom's cat, 汤姆的猫
    definite,       ///< the cat, 猫
    generic,        ///< cats, 猫
};

/// "a cat", 一只猫; "a big cat", 一只大猫: the noun under a determiner, with an adjective or none.
NounPhrase noun_phrase(Draw& draw, const Noun& noun, Determiner determiner, const Bilingual& adjective = {});

/// The same, now and then with a fitting adjective, and under another determiner if the noun refuses this one: friends
/// and parents are somebody's, a farmer is nobody's.
NounPhrase described(Draw& draw, const Noun& noun, Determiner determiner);
NounPhrase described(Draw& draw, unsigned kinds, Determiner determiner);

/// Any noun of one of the kinds.
const Noun& noun_of(Draw& draw, unsigned kinds);

NounPhrase name(Draw& draw);

/// "he", 他, as a subject; "him", 他, as an object.
NounPhrase pronoun_subject(const Pronoun& pronoun);
NounPhrase pronoun_object(const Pronoun& pronoun);

/// Somebody who can do things: a name, a pronoun, "the cat", "my mother", "those birds".
NounPhrase subject(Draw& draw);

/// A person or animal by name or with "the".
NounPhrase definite_actor(Draw& draw);

/// Joins the words that are not empty with spaces.
std::string words(std::initializer_list<std::string_view> parts);

/// The present and past of "be" that agree.
std::string_view be(Agreement agreement);
std::string_view was(Agreement agreement);

}  // namespace wengert::english_chinese
