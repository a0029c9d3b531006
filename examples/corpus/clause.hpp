#pragma once

#include "english_chinese.hpp"
#include "phrases.hpp"

namespace wengert::english_chinese {

enum class Tense {
    past,         ///< chased, 追了
    ongoing,      ///< is chasing, 正在追
    future,       ///< will chase, 会追
    habitual,     ///< chases, 追
    wish,         ///< wants to chase, 想追
    fondness,     ///< likes to chase, 喜欢追
    duty,         ///< must chase, 必须追
    advice,       ///< should chase, 应该追
    request,      ///< please chase, 请追
    prohibition,  ///< do not chase, 不要追
    proposal,     ///< let us chase, 我们追 ... 吧
};

enum class Form { statement, negation, question };

/// One verb with everything around it, in the order of neither language:
///   English  [asked] subject [frequency] verb object companion place time
///   Chinese  subject time frequency auxiliary 在 place companion verb object
/// A wh-question names what it asks for in `asked` ("what") and has the Chinese word (什么) in the slot that it asks
/// for: English fronts it and inverts, Chinese leaves it where it is.
struct Clause {
    NounPhrase subject;  ///< without English words in requests, prohibitions and proposals
    Verb verb{};
    Tense tense = Tense::past;
    Form form = Form::statement;
    NounPhrase object{};
    Bilingual companion{};  ///< "with Mary", 跟玛丽一起; "for Mary", 给玛丽; "by bus", 坐公共汽车
    Bilingual place{};      ///< the Chinese side with its 在
    Bilingual time{};
    Bilingual frequency{};  ///< what Chinese says before the auxiliary: 经常 (often), also 为什么 (why) and 就 (then)
    std::string asked{};
    bool asks_subject = false;  ///< the subject is "who"
    bool cleft = false;       ///< 是 ... 的 around a past event whose time or place is asked; 是 stands in that slot
    bool time_first = false;  ///< "Yesterday Tom ...", 昨天汤姆 ...; statements and negations only

    bool asks() const { return form == Form::question || asks_subject; }
    bool asks_content() const { return asks_subject || !asked.empty(); }
};

/// The clause without capital and end mark.
Bilingual clause_text(const Clause& clause);

/// The clause as a sentence.
SentencePair sentence(const Clause& clause);

/// Capital letter, `mark` (. or ?) and its Chinese counterpart.
SentencePair sentence(Bilingual text, char mark);

}  // namespace wengert::english_chinese
