#include "clause.hpp"

#include <utility>

namespace wengert::english_chinese {
namespace {

/// The English verb of a clause: `finite` in a statement, else `auxiliary` (which inverts and takes "not") and `rest`.
struct EnglishVerb {
    std::string finite, auxiliary, rest;
};

EnglishVerb with_auxiliary(std::string_view auxiliary, std::string_view rest) {
    return {words({auxiliary, rest}), std::string(auxiliary), std::string(rest)};
}

EnglishVerb english_verb(const Clause& clause) {
    const Verb& verb = clause.verb;
    const Agreement agreement = clause.subject.agreement;
    const bool third = agreement == Agreement::third_singular;
    const std::string_view present_auxiliary = third ? "does" : "do";
    const auto to = [&](std::string_view base, std::string_view third_person) {
        return EnglishVerb{words({third ? third_person : base, "to", verb.base}), std::string(present_auxiliary),
                           words({base, "to", verb.base})};
    };
    switch (clause.tense) {
        case Tense::past:
            return {std::string(verb.past), "did", std::string(verb.base)};
        case Tense::ongoing:
            return with_auxiliary(be(agreement), verb.participle);
        case Tense::future:
            return with_auxiliary("will", verb.base);
        case Tense::wish:
            return to("want", "wants");
        case Tense::fondness:
            return to("like", "likes");
        case Tense::duty:
            return with_auxiliary("must", verb.base);
        case Tense::advice:
            return with_auxiliary("should", verb.base);
        case Tense::request:
            return with_auxiliary("please", verb.base);
        case Tense::prohibition:
            return with_auxiliary("do not", verb.base);
        case Tense::proposal:
            return with_auxiliary("let us", verb.base);
        case Tense::habitual:
            break;
    }
    return {std::string(third ? verb.third_person : verb.base), std::string(present_auxiliary), std::string(verb.base)};
}

std::string english_text(const Clause& clause) {
    const EnglishVerb verb = english_verb(clause);
    const std::string& subject = clause.subject.english;
    const std::string& frequency = clause.frequency.english;
    const std::string front = clause.time_first ? clause.time.english : clause.asked;
    const std::string back = words({clause.object.english, clause.companion.english, clause.place.english,
                                    clause.time_first ? "" : clause.time.english});
    switch (clause.form) {
        case Form::negation:
            return words({front, subject, verb.auxiliary, "not", frequency, verb.rest, back});
        case Form::question:
            return words({front, verb.auxiliary, subject, frequency, verb.rest, back});
        case Form::statement:
            break;
    }
    return words({front, subject, frequency, verb.finite, back});
}

std::string chinese_auxiliary(const Clause& clause) {
    const bool negated = clause.form == Form::negation;
    switch (clause.tense) {
        case Tense::past:
            return negated ? "没有" : "";
        case Tense::ongoing:
            return negated ? "没有在" : clause.asks_content() ? "在" : "正在";
        case Tense::future:
            return negated ? "不会" : "会";
        case Tense::wish:
            return negated ? "不想" : "想";
        case Tense::fondness:
            return negated ? "不喜欢" : "喜欢";
        case Tense::duty:
            return "必须";
        case Tense::advice:
            return negated ? "不应该" : "应该";
        case Tense::request:
            return "请";
        case Tense::prohibition:
            return "不要";
        case Tense::proposal:
            return "";
        case Tense::habitual:
            break;
    }
    return negated ? std::string(clause.verb.negation) : "";
}

std::string chinese_text(const Clause& clause) {
    constexpr std::string_view at = "在";
    const std::string auxiliary = chinese_auxiliary(clause);
    // 正在 absorbs the 在 of a place: 正在花园里睡觉.
    std::string_view place = clause.place.chinese;
    if (auxiliary.ends_with(at) && place.starts_with(at)) place.remove_prefix(at.size());
    const bool completed = clause.tense == Tense::past && clause.form != Form::negation && !clause.cleft;

    std::string text =
        clause.time_first ? clause.time.chinese + clause.subject.chinese : clause.subject.chinese + clause.time.chinese;
    text += clause.frequency.chinese + auxiliary;
    text += place;
    text += clause.companion.chinese;
    text += clause.verb.chinese;
    text += (completed ? "了" : "") + clause.object.chinese;
    if (clause.cleft) text += "的";
    if (clause.form == Form::question && !clause.asks_content()) text += "吗";
    if (clause.tense == Tense::proposal) text += "吧";
    return text;
}

}  // namespace

Bilingual clause_text(const Clause& clause) { return {english_text(clause), chinese_text(clause)}; }

SentencePair sentence(const Clause& clause) { return sentence(clause_text(clause), clause.asks() ? '?' : '.'); }

SentencePair sentence(Bilingual text, char mark) {
    char& first = text.english.front();
    if ('a' <= first && first <= 'z') first = static_cast<char>(first - 'a' + 'A');
    return {std::move(text.english) + mark, std::move(text.chinese) + (mark == '?' ? "？" : "。")};
}

}  // namespace wengert::english_chinese
