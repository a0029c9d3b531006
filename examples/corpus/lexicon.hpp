#pragma once

#include <string_view>

/// The words of the built-in corpus, English beside Chinese, with what the grammar must know of each: English
/// inflection, the Chinese measure word, and which words go together so that nobody eats a car.
///
/// Every English form has one reading only. That is why there are no sheep and fish (singular or plural), "watch" is
/// a noun only, "old" is said of things only (旧), and "left" and "put" are missing.
namespace wengert::english_chinese {

/// What a noun denotes, as a set: a verb or an adjective names the sets that it goes with.
enum Kind : unsigned {
    animal = 1u << 0,
    person = 1u << 1,
    parent = 1u << 2,   ///< somebody's only: "my mother", 我妈妈 without 的
    fellow = 1u << 3,   ///< somebody's only: "my friend", 我的朋友
    unowned = 1u << 4,  ///< never somebody's: one does not say "my farmer"
    food = 1u << 5,     ///< countable things to eat
    drink = 1u << 6,    ///< a mass with a container: "a cup of tea"
    text = 1u << 7,     ///< can be read
    written = 1u << 8,  ///< can be written by anybody
    goods = 1u << 9,    ///< can be bought and sold
    small = 1u << 10,   ///< fits on a table and can be lost
    coloured = 1u << 11,
    machine = 1u << 12,   ///< can be repaired
    washable = 1u << 13,  ///< can be washed
    fragile = 1u << 14,   ///< can be broken
    quick = 1u << 15,     ///< things that move
    profession = 1u << 16,
};
inline constexpr unsigned people = person | parent | fellow;

struct Noun {
    std::string_view singular, plural, measure, chinese;
    unsigned kinds;
    std::string_view generic = plural;  ///< form without a determiner: "cats", "tea"
};

inline constexpr Noun nouns[] = {
    {"cat", "cats", "只", "猫", animal},
    {"dog", "dogs", "只", "狗", animal},
    {"mouse", "mice", "只", "老鼠", animal},
    {"bird", "birds", "只", "鸟", animal},
    {"rabbit", "rabbits", "只", "兔子", animal},
    {"horse", "horses", "匹", "马", animal},
    {"cow", "cows", "头", "牛", animal},
    {"tiger", "tigers", "只", "老虎", animal},
    {"monkey", "monkeys", "只", "猴子", animal},
    {"panda", "pandas", "只", "熊猫", animal},
    {"duck", "ducks", "只", "鸭子", animal},
    {"teacher", "teachers", "位", "老师", person | profession},
    {"doctor", "doctors", "位", "医生", person | profession},
    {"student", "students", "个", "学生", person | profession},
    {"farmer", "farmers", "个", "农民", person | unowned | profession},
    {"child", "children", "个", "孩子", person},
    {"girl", "girls", "个", "女孩", person | unowned},
    {"boy", "boys", "个", "男孩", person | unowned},
    {"friend", "friends", "个", "朋友", fellow},
    {"mother", "mothers", "个", "妈妈", parent},
    {"father", "fathers", "个", "爸爸", parent},
    {"apple", "apples", "个", "苹果", food | small},
    {"egg", "eggs", "个", "鸡蛋", food | small},
    {"banana", "bananas", "根", "香蕉", food | small},
    {"cake", "cakes", "个", "蛋糕", food},
    {"sandwich", "sandwiches", "个", "三明治", food},
    {"tomato", "tomatoes", "个", "西红柿", food | small},
    {"cup of tea", "cups of tea", "杯", "茶", drink, "tea"},
    {"cup of coffee", "cups of coffee", "杯", "咖啡", drink, "coffee"},
    {"glass of milk", "glasses of milk", "杯", "牛奶", drink, "milk"},
    {"glass of water", "glasses of water", "杯", "水", drink, "water"},
    {"bottle of juice", "bottles of juice", "瓶", "果汁", drink, "juice"},
    {"bowl of soup", "bowls of soup", "碗", "汤", drink, "soup"},
    {"book", "books", "本", "书", text | written | goods | small},
    {"letter", "letters", "封", "信", text | written | small},
    {"story", "stories", "个", "故事", text | written},
    {"newspaper", "newspapers", "份", "报纸", text | goods | small},
    {"ticket", "tickets", "张", "票", goods | small},
    {"map", "maps", "张", "地图", goods | small},
    {"pen", "pens", "支", "笔", goods | small | coloured},
    {"key", "keys", "把", "钥匙", goods | small},
    {"hat", "hats", "顶", "帽子", goods | small | coloured | washable},
    {"umbrella", "umbrellas", "把", "雨伞", goods | small | coloured | machine},
    {"coat", "coats", "件", "外套", goods | coloured | washable},
    {"shirt", "shirts", "件", "衬衫", goods | coloured | washable},
    {"car", "cars", "辆", "车", goods | coloured | machine | washable | quick},
    {"bicycle", "bicycles", "辆", "自行车", goods | coloured | machine | washable | quick},
    {"watch", "watches", "块", "手表", goods | small | machine},
    {"phone", "phones", "部", "手机", goods | small | coloured | machine},
    {"computer", "computers", "台", "电脑", goods | machine},
    {"camera", "cameras", "台", "相机", goods | small | machine},
    {"chair", "chairs", "把", "椅子", goods | coloured | machine},
    {"table", "tables", "张", "桌子", goods | coloured | machine | washable},
    {"cup", "cups", "个", "杯子", goods | small | coloured | washable | fragile},
    {"plate", "plates", "个", "盘子", goods | small | coloured | washable | fragile},
    {"bottle", "bottles", "个", "瓶子", small | fragile},
    {"flower", "flowers", "朵", "花", small | coloured},
};

enum class Agreement { first_singular, third_singular, plural };

struct Pronoun {
    std::string_view subject, object, possessive, chinese;
    Agreement agreement;
};

inline constexpr Pronoun pronouns[] = {
    {"I", "me", "my", "我", Agreement::first_singular},    {"you", "you", "your", "你", Agreement::plural},
    {"he", "him", "his", "他", Agreement::third_singular}, {"she", "her", "her", "她", Agreement::third_singular},
    {"we", "us", "our", "我们", Agreement::plural},        {"they", "them", "their", "他们", Agreement::plural},
};

/// Words that need no inflection: names, numerals, places, times, adverbs.
struct Phrase {
    std::string_view english, chinese;
};

inline constexpr Phrase names[] = {{"Tom", "汤姆"},  {"Jerry", "杰瑞"}, {"Mary", "玛丽"},
                                   {"Anna", "安娜"}, {"Peter", "彼得"}, {"Lucy", "露西"}};

inline constexpr Phrase numerals[] = {{"two", "两"}, {"three", "三"}, {"four", "四"}, {"five", "五"}, {"ten", "十"}};

inline constexpr Phrase durations[] = {{"for two hours", "两个小时"},
                                       {"for three hours", "三个小时"},
                                       {"for ten minutes", "十分钟"},
                                       {"for five minutes", "五分钟"},
                                       {"for a long time", "很长时间"}};

inline constexpr Phrase past_times[] = {
    {"yesterday", "昨天"}, {"yesterday evening", "昨天晚上"}, {"this morning", "今天早上"}, {"two days ago", "两天前"}};
inline constexpr Phrase far_past_times[] = {{"last week", "上周"}, {"last month", "上个月"}, {"last year", "去年"}};

inline constexpr Phrase future_times[] = {
    {"tomorrow", "明天"}, {"tomorrow morning", "明天早上"}, {"tomorrow evening", "明天晚上"}, {"tonight", "今晚"}};
inline constexpr Phrase far_future_times[] = {{"next week", "下周"}, {"next month", "下个月"}, {"next year", "明年"}};

inline constexpr Phrase habitual_times[] = {
    {"every day", "每天"}, {"every morning", "每天早上"}, {"every evening", "每天晚上"}, {"every week", "每周"}};

inline constexpr Phrase present_time = {"now", "现在"};

inline constexpr Phrase often = {"often", "经常"};
inline constexpr Phrase frequencies[] = {often, {"always", "总是"}, {"sometimes", "有时候"}, {"never", "从来不"}};

/// Where something happens; Chinese says 在 before it.
inline constexpr Phrase places[] = {
    {"in the garden", "花园里"},    {"in the kitchen", "厨房里"}, {"in the park", "公园里"},
    {"in the library", "图书馆里"}, {"in the forest", "森林里"},  {"at home", "家里"},
    {"at school", "学校里"},        {"at the station", "车站"},   {"on the roof", "屋顶上"},
    {"under the tree", "树下"},     {"by the river", "河边"},     {"behind the house", "房子后面"}};

inline constexpr Phrase shops[] = {{"at the market", "市场里"}, {"in the shop", "商店里"}, {"at the station", "车站"}};

inline constexpr Phrase waters[] = {{"in the river", "河里"}, {"in the lake", "湖里"}, {"in the sea", "海里"}};

/// Where one stays when it rains.
inline constexpr Phrase shelters[] = {
    {"at home", "家里"}, {"at school", "学校里"}, {"in the library", "图书馆里"}, {"at the station", "车站"}};

/// Where small things lie.
inline constexpr Phrase surfaces[] = {
    {"on the table", "桌子上"}, {"under the table", "桌子下面"}, {"on the chair", "椅子上"},
    {"on the bed", "床上"},     {"under the bed", "床下面"},     {"in the box", "盒子里"},
    {"in the bag", "包里"},     {"behind the door", "门后面"},   {"next to the window", "窗户旁边"}};

inline constexpr Phrase cities[] = {{"Beijing", "北京"}, {"Shanghai", "上海"}, {"London", "伦敦"}, {"Paris", "巴黎"}};

/// Where one goes; the English side contains "to" because "go" does not.
inline constexpr Phrase destinations[] = {
    {"to the park", "公园"},    {"to the library", "图书馆"}, {"to the market", "市场"}, {"to the hospital", "医院"},
    {"to the station", "车站"}, {"to the zoo", "动物园"},     {"to school", "学校"},     {"to Beijing", "北京"},
    {"to Shanghai", "上海"},    {"to London", "伦敦"},        {"to Paris", "巴黎"}};

inline constexpr Phrase transports[] = {
    {"by bus", "坐公共汽车"}, {"by train", "坐火车"}, {"by bicycle", "骑自行车"}, {"by car", "开车"}};

/// How a verb may be used, as a set.
enum Use : unsigned {
    ongoing_use = 1u << 0,   ///< "is chasing", 正在追
    habitual_use = 1u << 1,  ///< "chases every day"
    past_use = 1u << 2,      ///< "chased", 追了
    planned_use = 1u << 3,   ///< "will chase", "wants to chase", "Please chase ..."
    stative_use = 1u << 4,   ///< "likes", without time or place
    new_object = 1u << 5,    ///< the object has no owner yet: one writes a letter, not "my letter"
    for_somebody = 1u << 6,  ///< "for Mary", 给玛丽
    shopping = 1u << 7,      ///< happens in shops
    swimming = 1u << 8,      ///< happens in water
    together = 1u << 9,      ///< "with Mary", 跟玛丽一起
    memorable = 1u << 10,    ///< told of years ago and planned for years ahead
    anywhere = 1u << 11,     ///< where it happens is never told
};
inline constexpr unsigned every_use = ongoing_use | habitual_use | past_use | planned_use;

struct Verb {
    std::string_view base{}, third_person{}, past{}, participle{}, chinese{};
    unsigned objects = 0;  ///< kinds of noun, 0: intransitive
    unsigned uses = 0;
    std::string_view stem = chinese;   ///< the part that a duration follows: 睡觉, but 睡两个小时
    std::string_view negation = "不";  ///< what negates the present
};

inline constexpr Verb transitive_verbs[] = {
    {"eat", "eats", "ate", "eating", "吃", food, every_use},
    {"drink", "drinks", "drank", "drinking", "喝", drink, every_use},
    {"read", "reads", "read", "reading", "读", text, every_use},
    {"write", "writes", "wrote", "writing", "写", written, every_use | new_object | for_somebody},
    {"buy", "buys", "bought", "buying", "买", goods | food,
     every_use | new_object | for_somebody | shopping | memorable},
    {"sell", "sells", "sold", "selling", "卖", goods, past_use | planned_use | shopping | memorable},
    {"find", "finds", "found", "finding", "找到", small | animal, past_use},
    {"lose", "loses", "lost", "losing", "丢", small, past_use},
    {"look for", "looks for", "looked for", "looking for", "找", small | animal | person, ongoing_use},
    {"see", "sees", "saw", "seeing", "看见", animal | person, past_use | memorable},
    {"chase", "chases", "chased", "chasing", "追", animal | person, every_use},
    {"feed", "feeds", "fed", "feeding", "喂", animal, every_use},
    {"draw", "draws", "drew", "drawing", "画", animal | coloured, every_use | new_object | for_somebody},
    {"help", "helps", "helped", "helping", "帮助", people, every_use},
    {"invite", "invites", "invited", "inviting", "邀请", people, past_use | planned_use | memorable | anywhere},
    {"wait for", "waits for", "waited for", "waiting for", "等", people, ongoing_use | planned_use},
    {"wash", "washes", "washed", "washing", "洗", washable, every_use},
    {"repair", "repairs", "repaired", "repairing", "修", machine, ongoing_use | past_use | planned_use | memorable},
    {"steal", "steals", "stole", "stealing", "偷", goods | food, past_use | memorable},
};

inline constexpr Verb intransitive_verbs[] = {
    {"sleep", "sleeps", "slept", "sleeping", "睡觉", 0, every_use, "睡"},
    {"run", "runs", "ran", "running", "跑步", 0, every_use | together, "跑"},
    {"swim", "swims", "swam", "swimming", "游泳", 0, every_use | swimming | together, "游"},
    {"dance", "dances", "danced", "dancing", "跳舞", 0, every_use | together, "跳"},
    {"sing", "sings", "sang", "singing", "唱歌", 0, every_use | together, "唱"},
    {"work", "works", "worked", "working", "工作", 0, every_use | together | memorable},
    {"rest", "rests", "rested", "resting", "休息", 0, every_use},
    {"cry", "cries", "cried", "crying", "哭", 0, ongoing_use | habitual_use | past_use},
};

inline constexpr Verb stative_verbs[] = {
    {"like", "likes", "liked", "liking", "喜欢", animal | people | food | text | goods, stative_use},
    {"need", "needs", "needed", "needing", "需要", goods, stative_use | new_object},
    {"have", "has", "had", "having", "有", animal | goods, stative_use | new_object, "有", "没"},
    {"know", "knows", "knew", "knowing", "认识", people, stative_use},
};

/// The object is a destination with "to", chosen from `destinations`.
inline constexpr Verb going = {
    "go", "goes", "went", "going", "去", 0, habitual_use | past_use | planned_use | together | memorable};

/// Its object has two parts: "Mary a book", 玛丽一本书.
inline constexpr Verb giving = {"give", "gives", "gave", "giving", "给", 0, past_use | planned_use};

/// The person called stands before the Chinese verb: 给玛丽打电话.
inline constexpr Verb calling = {"call", "calls", "called", "calling", "打", 0, past_use | planned_use};

inline constexpr Verb staying = {"stay", "stays", "stayed", "staying", "待", 0, planned_use};

/// What is done to a definite thing with a result: 把 ... 吃掉, 被 ... 吃掉.
struct Disposal {
    std::string_view base, past, past_participle, chinese;
    unsigned objects;
};

inline constexpr Disposal disposals[] = {
    {"eat", "ate", "eaten", "吃掉", food},
    {"sell", "sold", "sold", "卖掉", goods},
    {"wash", "washed", "washed", "洗干净", washable},
    {"repair", "repaired", "repaired", "修好", machine},
    {"break", "broke", "broken", "打破", fragile},
    {"steal", "stole", "stolen", "偷走", goods | food},
    {"catch", "caught", "caught", "抓住", animal},
};

/// An adjective before a noun (红色的车) and after the subject (很贵).
struct Adjective {
    std::string_view english, comparative, attribute, predicate;
    unsigned kinds;
};

inline constexpr Adjective adjectives[] = {
    {"big", "bigger", "大", "大", animal | food | machine | washable},
    {"small", "smaller", "小", "小", animal | food | machine | washable},
    {"new", "newer", "新", "新", goods},
    {"old", "older", "旧", "旧", goods},
    {"expensive", "more expensive", "很贵的", "贵", goods},
    {"cheap", "cheaper", "便宜的", "便宜", goods},
    {"beautiful", "more beautiful", "漂亮的", "漂亮", coloured},
    {"interesting", "more interesting", "有趣的", "有趣", text},
    {"cute", "cuter", "可爱的", "可爱", animal},
    {"clever", "cleverer", "聪明的", "聪明", animal | person},
    {"friendly", "friendlier", "友好的", "友好", animal | person},
    {"lazy", "lazier", "懒", "懒", animal | person},
    {"young", "younger", "年轻的", "年轻", profession},
};

/// Said of somebody and compared, but not put before the noun.
inline constexpr Adjective traits[] = {
    {"tall", "taller", "", "高", person},
    {"strong", "stronger", "", "强壮", person},
    {"fast", "faster", "", "快", person | quick},
};

inline constexpr Phrase colours[] = {{"red", "红色的"},   {"blue", "蓝色的"},  {"green", "绿色的"},
                                     {"black", "黑色的"}, {"white", "白色的"}, {"yellow", "黄色的"}};

inline constexpr Phrase states[] = {{"hungry", "饿"},  {"thirsty", "渴"}, {"tired", "累"},   {"busy", "忙"},
                                    {"happy", "高兴"}, {"sad", "难过"},   {"angry", "生气"}, {"nervous", "紧张"}};

}  // namespace wengert::english_chinese
