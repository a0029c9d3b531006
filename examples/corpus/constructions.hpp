#pragma once

#include "draw.hpp"
#include "english_chinese.hpp"

/// The constructions of the built-in corpus. Each makes one sentence from random choices.
namespace wengert::english_chinese {

// What happens: events.cpp
SentencePair past_event(Draw& draw);     ///< Tom chased a mouse yesterday. 汤姆昨天追了一只老鼠。
SentencePair ongoing_event(Draw& draw);  ///< Jerry is sleeping in the garden. 杰瑞正在花园里睡觉。
SentencePair future_event(Draw& draw);   ///< Will you go to the zoo tomorrow? 你明天会去动物园吗？
SentencePair habit(Draw& draw);          ///< The mouse reads a book every day. 老鼠每天读一本书。
SentencePair intention(Draw& draw);      ///< He does not want to buy a car. 他不想买车。
SentencePair fondness(Draw& draw);       ///< Anna likes to feed birds. 安娜喜欢喂鸟。
SentencePair stative(Draw& draw);        ///< I do not have a bicycle. 我没有自行车。
SentencePair request(Draw& draw);        ///< Please wait for me at the station. 请在车站等我。
SentencePair duration(Draw& draw);       ///< The cow slept for two hours. 牛睡了两个小时。
SentencePair giving_event(Draw& draw);   ///< Tom gave Mary a book. 汤姆给了玛丽一本书。
SentencePair calling_event(Draw& draw);  ///< Lucy called him yesterday. 露西昨天给他打了电话。
SentencePair disposal(Draw& draw);       ///< Who broke the cup? 谁把杯子打破了？
SentencePair passive(Draw& draw);        ///< My cake was eaten by Jerry. 我的蛋糕被杰瑞吃掉了。

// What is asked: questions.cpp
SentencePair who_did(Draw& draw);            ///< Who is chasing Jerry? 谁在追杰瑞？
SentencePair what_or_whom(Draw& draw);       ///< What did Tom buy yesterday? 汤姆昨天买了什么？
SentencePair which_or_how_many(Draw& draw);  ///< How many cups of tea did she drink? 她喝了几杯茶？
SentencePair where(Draw& draw);              ///< Where did you find this key? 你是在哪里找到这把钥匙的？
SentencePair when(Draw& draw);               ///< When will Tom go to London? 汤姆什么时候会去伦敦？
SentencePair why(Draw& draw);                ///< Why is Tom chasing Jerry? 汤姆为什么在追杰瑞？
SentencePair how(Draw& draw);                ///< How does she go to school every day? 她每天怎么去学校？

// What is so: descriptions.cpp
SentencePair state(Draw& draw);       ///< The duck was very nervous yesterday. 鸭子昨天非常紧张。
SentencePair quality(Draw& draw);     ///< This car is too expensive. 这辆车太贵了。
SentencePair colour(Draw& draw);      ///< Is your umbrella red? 你的雨伞是红色的吗？
SentencePair comparison(Draw& draw);  ///< The horse is faster than the cow. 马比牛快。
SentencePair existence(Draw& draw);   ///< There is a cat under the table. 桌子下面有一只猫。
SentencePair location(Draw& draw);    ///< My key is not in the box. 我的钥匙不在盒子里。
SentencePair identity(Draw& draw);    ///< Whose bicycle is that? 那是谁的自行车？
SentencePair weather(Draw& draw);     ///< It will rain in Beijing tomorrow. 北京明天会下雨。

// Sentences of two clauses: joined_clauses.cpp
SentencePair relative_object(Draw& draw);   ///< The car that Tom bought is very new. 汤姆买的车非常新。
SentencePair relative_subject(Draw& draw);  ///< The girl who is singing is happy. 唱歌的女孩很高兴。
SentencePair reason(Draw& draw);  ///< He is tired because he worked yesterday. 因为他昨天工作了，所以他很累。
SentencePair condition(Draw& draw);  ///< I will read a book if it rains. 如果下雨，我就会读一本书。

}  // namespace wengert::english_chinese
