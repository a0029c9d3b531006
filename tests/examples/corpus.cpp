#include <doctest/doctest.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "corpus/english_chinese.hpp"

using namespace wengert;

namespace {

const BuiltinCorpus& corpus() {
    static const BuiltinCorpus made = english_chinese_corpus();
    return made;
}

/// Training and held-out pairs in one list.
std::vector<SentencePair> all_pairs() {
    std::vector<SentencePair> pairs = corpus().training;
    pairs.insert(pairs.end(), corpus().held_out.begin(), corpus().held_out.end());
    return pairs;
}

/// Lower-cased words without the end mark; "Tom's" is "tom" and "s".
std::vector<std::string> english_words(std::string_view sentence) {
    std::vector<std::string> words(1);
    for (const char c : sentence) {
        if (std::isalpha(static_cast<unsigned char>(c)))
            words.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        else if (!words.back().empty())
            words.emplace_back();
    }
    if (words.back().empty()) words.pop_back();
    return words;
}

/// The code points, or -1 in place of what is not UTF-8.
std::vector<std::int32_t> code_points(std::string_view text) {
    std::vector<std::int32_t> points;
    const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
    auto left = static_cast<utf8proc_ssize_t>(text.size());
    while (left > 0) {
        utf8proc_int32_t point = -1;
        const utf8proc_ssize_t read = utf8proc_iterate(bytes, left, &point);
        points.push_back(read > 0 ? point : -1);
        const utf8proc_ssize_t step = std::max<utf8proc_ssize_t>(read, 1);
        bytes += step;
        left -= step;
    }
    return points;
}

bool is_han(std::int32_t point) { return 0x4E00 <= point && point <= 0x9FFF; }

/// FNV-1a of every pair as a line of two tab-separated columns.
std::uint64_t fingerprint(const std::vector<SentencePair>& pairs) {
    std::uint64_t hash = 14695981039346656037u;
    for (const SentencePair& pair : pairs)
        for (const char c : pair.source + '\t' + pair.target + '\n')
            hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
    return hash;
}

/// Sentences of every construction, checked by hand.
constexpr std::array golden = std::to_array<std::array<std::string_view, 2>>({
    {{"Is he chasing Jerry?", "他正在追杰瑞吗？"}},
    {{"Yesterday Anna swam in the sea.", "昨天安娜在海里游泳了。"}},
    {{"Tom does not have an umbrella.", "汤姆没有雨伞。"}},
    {{"He did not go to the zoo by car last year.", "他去年没有开车去动物园。"}},
    {{"Did she sing on the roof this morning?", "她今天早上在屋顶上唱歌了吗？"}},
    {{"You will not run in the kitchen tomorrow.", "你明天不会在厨房里跑步。"}},
    {{"Does Peter often drink milk by the river?", "彼得经常在河边喝牛奶吗？"}},
    {{"We never sleep at home.", "我们从来不在家里睡觉。"}},
    {{"Tom does not want to buy this watch.", "汤姆不想买这块手表。"}},
    {{"You like to go to the library by train.", "你喜欢坐火车去图书馆。"}},
    {{"Do not feed cows.", "不要喂牛。"}},
    {{"Let us go to Shanghai tomorrow.", "我们明天去上海吧。"}},
    {{"Please write five interesting letters in the garden.", "请在花园里写五封有趣的信。"}},
    {{"We worked for two hours yesterday evening.", "我们昨天晚上工作了两个小时。"}},
    {{"Tom gave her an expensive chair yesterday evening.", "汤姆昨天晚上给了她一把很贵的椅子。"}},
    {{"Jerry drew ten flowers for Mary.", "杰瑞给玛丽画了十朵花。"}},
    {{"Peter called our student yesterday evening.", "彼得昨天晚上给我们的学生打了电话。"}},
    {{"The duck did not sell the green car.", "鸭子没有把绿色的车卖掉。"}},
    {{"Who caught the cute cat yesterday?", "谁昨天把可爱的猫抓住了？"}},
    {{"His camera was repaired by the girl.", "他的相机被女孩修好了。"}},
    {{"Lucy's table was not repaired by Jerry.", "露西的桌子没有被杰瑞修好。"}},
    {{"Who will the girl wait for at the station tomorrow morning?", "女孩明天早上会在车站等谁？"}},
    {{"How many bowls of soup did Lucy drink yesterday?", "露西昨天喝了几碗汤？"}},
    {{"Which doctor is she helping?", "她在帮助哪位医生？"}},
    {{"Where did he go yesterday?", "他昨天去了哪里？"}},
    {{"When did Mary repair my phone?", "玛丽是什么时候修我的手机的？"}},
    {{"Where did Peter repair your chair yesterday evening?", "彼得昨天晚上是在哪里修你的椅子的？"}},
    {{"Why are those farmers swimming?", "那些农民为什么在游泳？"}},
    {{"How does Tom go to the library every day?", "汤姆每天怎么去图书馆？"}},
    {{"How long did he work at home yesterday evening?", "他昨天晚上在家里工作了多长时间？"}},
    {{"Why is he so happy?", "他为什么这么高兴？"}},
    {{"The hat is too expensive.", "帽子太贵了。"}},
    {{"What colour are those cups?", "那些杯子是什么颜色的？"}},
    {{"This cup is more beautiful than Mary's cup.", "这个杯子比玛丽的杯子漂亮。"}},
    {{"He is not as tall as Peter.", "他没有彼得高。"}},
    {{"There is a horse in the forest.", "森林里有一匹马。"}},
    {{"Is there an umbrella under the table?", "桌子下面有雨伞吗？"}},
    {{"The flower is not in the box.", "花不在盒子里。"}},
    {{"Whose bicycle is this?", "这是谁的自行车？"}},
    {{"Who is that teacher?", "那位老师是谁？"}},
    {{"Did it rain in London yesterday evening?", "伦敦昨天晚上下雨了吗？"}},
    {{"The book that the bird lost last month is interesting.", "鸟上个月丢的书很有趣。"}},
    {{"The doctor who is singing at home is his friend.", "在家里唱歌的医生是他的朋友。"}},
    {{"I am angry because Tom stole my chair.", "因为汤姆偷了我的椅子，所以我很生气。"}},
    {{"You will stay at home if it snows tomorrow evening.", "如果明天晚上下雪，你就会待在家里。"}},
});

}  // namespace

TEST_CASE("built-in corpus: 24,000 pairs for training and 1,000 held out") {
    CHECK(corpus().training.size() == 24000);
    CHECK(corpus().held_out.size() == 1000);
}

TEST_CASE("built-in corpus: every English sentence occurs once, so it has one translation") {
    std::unordered_set<std::string> sources;
    for (const SentencePair& pair : all_pairs()) {
        INFO(pair.source);
        CHECK(sources.insert(pair.source).second);
    }
}

TEST_CASE("built-in corpus: tokenising merges no two English sentences") {
    std::unordered_map<std::string, std::string> targets;
    for (const SentencePair& pair : all_pairs()) {
        std::string key(1, pair.source.back());
        for (const std::string& word : english_words(pair.source)) key += ' ' + word;
        const auto [known, is_new] = targets.emplace(key, pair.target);
        INFO(pair.source);
        CHECK(known->second == pair.target);
    }
}

TEST_CASE("built-in corpus: no held-out source or target occurs in training") {
    std::unordered_set<std::string> sources, targets;
    for (const SentencePair& pair : corpus().training) {
        sources.insert(pair.source);
        targets.insert(pair.target);
    }
    for (const SentencePair& pair : corpus().held_out) {
        INFO(pair.source);
        CHECK_FALSE(sources.contains(pair.source));
        CHECK_FALSE(targets.contains(pair.target));
    }
}

TEST_CASE("built-in corpus: held-out words and characters occur in training at least five times") {
    std::unordered_map<std::string, int> words;
    std::unordered_map<std::int32_t, int> characters;
    for (const SentencePair& pair : corpus().training) {
        for (const std::string& word : english_words(pair.source)) ++words[word];
        for (const std::int32_t point : code_points(pair.target)) ++characters[point];
    }
    for (const SentencePair& pair : corpus().held_out) {
        INFO(pair.source, " ", pair.target);
        for (const std::string& word : english_words(pair.source)) CHECK(words[word] >= 5);
        for (const std::int32_t point : code_points(pair.target)) CHECK(characters[point] >= 5);
    }
}

TEST_CASE("built-in corpus: the same on every platform and at every call") {
    CHECK(fingerprint(all_pairs()) == 0xed8475afc5e478ccu);
    const BuiltinCorpus again = english_chinese_corpus();
    CHECK(fingerprint(again.training) == fingerprint(corpus().training));
    CHECK(fingerprint(again.held_out) == fingerprint(corpus().held_out));
}

TEST_CASE("built-in corpus: golden sentences of every construction") {
    std::unordered_map<std::string, std::string> translations;
    for (const SentencePair& pair : all_pairs()) translations[pair.source] = pair.target;
    for (const auto& [source, target] : golden) {
        INFO(source);
        const auto found = translations.find(std::string(source));
        REQUIRE(found != translations.end());
        CHECK(found->second == target);
    }
}

TEST_CASE("built-in corpus: English is plain, capitalised, short, and ends in a mark") {
    for (const SentencePair& pair : all_pairs()) {
        const std::string& english = pair.source;
        INFO(english);
        CHECK(std::isupper(static_cast<unsigned char>(english.front())));
        CHECK((english.back() == '.' || english.back() == '?'));
        CHECK(std::all_of(english.begin(), english.end() - 1,
                          [](unsigned char c) { return c < 128 && (std::isalpha(c) || c == ' ' || c == '\''); }));
        CHECK(english.find("  ") == std::string::npos);
        CHECK(std::count(english.begin(), english.end(), ' ') <= 11);

        const std::vector<std::string> words = english_words(english);
        for (std::size_t i = 0; i + 1 < words.size(); ++i) {
            const bool vowel = std::string_view("aeiou").find(words[i + 1].front()) != std::string_view::npos;
            if (words[i] == "a") CHECK_FALSE(vowel);
            if (words[i] == "an") CHECK(vowel);
            CHECK(words[i] != words[i + 1]);
        }
    }
}

TEST_CASE("built-in corpus: Chinese is valid UTF-8, Han characters and marks, at most 16 characters") {
    constexpr std::int32_t full_stop = 0x3002, question_mark = 0xFF1F, comma = 0xFF0C;
    for (const SentencePair& pair : all_pairs()) {
        INFO(pair.target);
        const std::vector<std::int32_t> points = code_points(pair.target);
        REQUIRE(points.size() > 2);
        CHECK(points.back() == (pair.source.back() == '?' ? question_mark : full_stop));
        CHECK(std::all_of(points.begin(), points.end() - 1,
                          [](std::int32_t point) { return is_han(point) || point == comma; }));
        CHECK(std::count_if(points.begin(), points.end(), is_han) <= 16);
        for (const std::string_view doubled : {"的的", "正在在", "没有在在", "了了", "大大", "不不"})
            CHECK(pair.target.find(doubled) == std::string::npos);
    }
}
