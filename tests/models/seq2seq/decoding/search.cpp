#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>
#include <wengert/autograd/check/sample.hpp>
#include <wengert/models/seq2seq/systems/attention_decoder.hpp>
#include <wengert/models/text/vocabulary.hpp>

#include "../../../nn/close.hpp"
#include "../small_seq2seq.hpp"

using namespace wengert;

TEST_CASE("seq2seq: greedy decoding takes the most probable token of teacher forcing at each step") {
    const SmallBatch batch;
    Generator generator(3);
    Bahdanau model = to(Bahdanau(with(2, true), generator), Dtype::float64);
    // No row ends, and what search() never writes is no token here either.
    for (const std::int64_t token : {Vocabulary::end, Vocabulary::pad, Vocabulary::start})
        model.decoder.output.bias.mutable_data<double>()[token] = -1e3;
    constexpr std::int64_t steps = 6;
    const Greedy found = greedy(model, batch.source, batch.lengths, steps);
    REQUIRE(found.tokens.size() == 3);
    Tensor target = full({3, 1}, Vocabulary::start, Dtype::int64);
    for (std::int64_t t = 0; t < steps; ++t) {
        // The last column of a target is not read.
        const Bahdanau::Result forced =
            model(batch.source, batch.lengths, concat({target, zeros({3, 1}, Dtype::int64)}, 1));
        target = concat({target, argmax(slice(forced.logits, 1, t, t + 1), -1)}, 1);
        CHECK(difference(select(found.weights, 1, t), select(forced.weights, 1, t), 1e-14) == "");
    }
    CHECK(found.weights.shape() == Shape{3, steps, 4});
    for (int row = 0; row < 3; ++row)
        CHECK(found.tokens[static_cast<std::size_t>(row)] ==
              slice(select(target, 0, row), 0, 1, steps + 1).to_vector<std::int64_t>());
}

TEST_CASE("seq2seq: greedy decoding ends a row at </s> and stops when all rows have ended") {
    const SmallBatch batch;
    Generator generator(1);
    // The output's bias alone decides.
    Bahdanau model(with(1, false), generator);
    for (Tensor p : parameters(model.decoder.output)) p.fill(0);
    model.decoder.output.bias.mutable_data<float>()[Vocabulary::end] = 1;
    Greedy result = greedy(model, batch.source, batch.lengths, 10);
    CHECK(result.tokens == std::vector<std::vector<std::int64_t>>(3));
    CHECK(result.weights.shape() == Shape{3, 1, 4});

    model.decoder.output.bias.mutable_data<float>()[7] = 2;
    result = greedy(model, batch.source, batch.lengths, 3);
    CHECK(result.tokens == std::vector<std::vector<std::int64_t>>(3, {7, 7, 7}));
    CHECK(result.weights.shape() == Shape{3, 3, 4});

    result = greedy(model, batch.source, batch.lengths, 0);
    CHECK(result.tokens == std::vector<std::vector<std::int64_t>>(3));
    CHECK(result.weights.shape() == Shape{3, 0, 4});

    result = greedy(model, zeros({0, 4}, Dtype::int64), zeros({0}, Dtype::int64), 5);
    CHECK(result.tokens.empty());
    CHECK(result.weights.shape() == Shape{0, 0, 4});
}

TEST_CASE("seq2seq: rows that end at different steps go on without one another") {
    const SmallBatch batch;
    // With these random weights the rows end after different numbers of tokens.
    Generator generator(1);
    const Bahdanau model = to(Bahdanau(with(1, true), generator), Dtype::float64);
    const Greedy together = greedy(model, batch.source, batch.lengths, 12);
    const auto lengths = batch.lengths.to_vector<std::int64_t>();
    for (std::int64_t row = 0; row < 3; ++row) {
        const Tensor source = slice(slice(batch.source, 0, row, row + 1), 1, 0, lengths[static_cast<std::size_t>(row)]);
        CHECK(greedy(model, source, {}, 12).tokens[0] == together.tokens[static_cast<std::size_t>(row)]);
    }
}

namespace {

/// Every system, small, in float64, with weights that make its choices clear.
std::vector<std::unique_ptr<System>> small_systems() {
    std::vector<std::unique_ptr<System>> systems;
    for (const SystemEntry& entry : all_systems()) {
        SystemOptions options = with(2, false);
        options.hidden = options.attention = 6;
        options.heads = 2;
        Generator generator(7);
        systems.push_back(make_system(entry.name, options, generator)->to(Dtype::float64));
        std::uint64_t seed = 1;
        for (Tensor& p : systems.back()->parameters()) p.copy_from(sample_values(p.shape(), -0.7, 0.7, ++seed));
    }
    return systems;
}

std::vector<std::vector<Hypothesis>> search_one(const System& system, const SmallBatch& batch,
                                                const SearchOptions& options = {}) {
    const System* const systems[] = {&system};
    return search(systems, batch.source, batch.lengths, 9, options);
}

/// The log probability of a hypothesis by teacher forcing.
double forced(const System& system, const Tensor& source, const Hypothesis& hypothesis) {
    std::vector<std::int64_t> target{Vocabulary::start};
    target.insert(target.end(), hypothesis.tokens.begin(), hypothesis.tokens.end());
    if (hypothesis.is_whole) target.push_back(Vocabulary::end);
    const Tensor scores = log_softmax(system.force(source, {}, ids(target, {1, std::ssize(target)})).logits);
    double sum = 0;
    for (std::size_t t = 1; t < target.size(); ++t) sum += scores.at({0, static_cast<std::int64_t>(t) - 1, target[t]});
    return sum;
}

}  // namespace

TEST_CASE("search: of every system, a hypothesis has the probability that teacher forcing gives it") {
    const SmallBatch batch;
    const auto lengths = batch.lengths.to_vector<std::int64_t>();
    for (const auto& system : small_systems()) {
        CAPTURE(system->name());
        for (const int beam : {1, 4}) {
            const auto found = search_one(*system, batch, {.beam = beam, .n_best = beam});
            REQUIRE(found.size() == 3);
            for (std::int64_t row = 0; row < 3; ++row) {
                const auto i = static_cast<std::size_t>(row);
                const Tensor source = slice(slice(batch.source, 0, row, row + 1), 1, 0, lengths[i]);
                CHECK(found[i].size() <= static_cast<std::size_t>(beam));
                for (const Hypothesis& one : found[i]) {
                    CHECK(one.log_probability == doctest::Approx(forced(*system, source, one)).epsilon(1e-9));
                    CHECK(one.log_probabilities.size() == one.tokens.size() + one.is_whole);
                    for (const std::int64_t token : one.tokens) CHECK(token > Vocabulary::end);
                    if (!one.weights.defined()) continue;
                    CHECK(one.weights.shape() == Shape{std::ssize(one.log_probabilities), lengths[i]});
                }
                CHECK(std::ranges::is_sorted(found[i], std::greater(), &Hypothesis::score));
            }
        }
    }
}

TEST_CASE("search: of every system, a sentence's result does not depend on what else is in its batch") {
    const SmallBatch batch;
    const auto lengths = batch.lengths.to_vector<std::int64_t>();
    for (const auto& system : small_systems()) {
        CAPTURE(system->name());
        const System* const systems[] = {system.get()};
        const std::vector<std::int64_t> limits{9, 3, 6};
        for (const SearchOptions& options :
             {SearchOptions{}, SearchOptions{.beam = 3, .length_penalty = 0.6}, SearchOptions{.min_length = 3},
              SearchOptions{.beam = 2, .n_best = 2, .sample = true}}) {
            const auto together = search(systems, batch.source, batch.lengths, limits, options);
            for (std::int64_t row = 0; row < 3; ++row) {
                const auto i = static_cast<std::size_t>(row);
                const Tensor source = slice(slice(batch.source, 0, row, row + 1), 1, 0, lengths[i]);
                const auto alone = search(systems, source, {}, limits[i], options);
                CHECK(std::ssize(together[i][0].tokens) <= limits[i]);
                CHECK(alone[0][0].tokens == together[i][0].tokens);
                CHECK(alone[0][0].score == doctest::Approx(together[i][0].score).epsilon(1e-10));
            }
        }
    }
}

TEST_CASE("search: a beam that holds all hypotheses finds the best of them") {
    const SmallBatch batch;
    Generator generator(1);
    SystemOptions options = with(1, false);
    options.target_vocabulary = 6;
    const auto system = make_system("bahdanau", options, generator)->to(Dtype::float64);
    std::uint64_t seed = 1;
    for (Tensor& p : system->parameters()) p.copy_from(sample_values(p.shape(), -1.5, 1.5, ++seed));
    const System* const systems[] = {system.get()};
    const Tensor source = slice(batch.source, 0, 0, 1);
    // Three tokens beside </s>, three steps: 1 + 3 + 9 hypotheses that end and 27 that are cut off.
    const auto all = search(systems, source, {}, 3, {.beam = 40, .n_best = 40});
    REQUIRE(all[0].size() == 40);
    double best = -1e9;
    std::vector<std::int64_t> tokens;
    const auto extend = [&](auto& self) -> void {
        const bool is_cut = tokens.size() == 3;
        const double p = forced(*system, source, {.tokens = tokens, .is_whole = !is_cut});
        best = std::max(best, p);
        if (is_cut) return;
        for (std::int64_t token = 3; token < 6; ++token) {
            tokens.push_back(token);
            self(self);
            tokens.pop_back();
        }
    };
    extend(extend);
    CHECK(all[0][0].score == doctest::Approx(best).epsilon(1e-10));
}

TEST_CASE("search: an ensemble of one system twice is that system, and unlike systems share a beam") {
    const SmallBatch batch;
    const auto systems = small_systems();
    const System* const twice[] = {systems[0].get(), systems[0].get()};
    const auto one = search_one(*systems[0], batch, {.beam = 3}),
               same = search(twice, batch.source, batch.lengths, 9, {.beam = 3});
    for (std::size_t row = 0; row < 3; ++row) {
        CHECK(same[row][0].tokens == one[row][0].tokens);
        CHECK(same[row][0].score == doctest::Approx(one[row][0].score).epsilon(1e-10));
    }
    std::vector<const System*> all;
    for (const auto& system : systems) all.push_back(system.get());
    CHECK(search(all, batch.source, batch.lengths, 9, {.beam = 3}).size() == 3);
}

TEST_CASE("search: a trace has the way of each hypothesis, and changes nothing that is found") {
    const SmallBatch batch;
    const auto systems = small_systems();
    const SearchOptions options{.beam = 3, .n_best = 3, .length_penalty = 0.6};
    for (const auto& system : systems) {
        CAPTURE(system->name());
        const System* const alone[] = {system.get()};
        SearchTrace trace;
        trace.trees.resize(7);  // of a search before
        const auto found = search(alone, batch.source, batch.lengths, 9, options, {}, &trace),
                   silent = search_one(*system, batch, options);
        REQUIRE(trace.trees.size() == 3);
        for (std::size_t row = 0; row < 3; ++row) {
            const std::vector<SearchTree::Node>& nodes = trace.trees[row].nodes;
            REQUIRE(found[row].size() == silent[row].size());
            std::vector<std::size_t> in_step;
            std::vector<std::size_t> steps(nodes.size());
            for (std::size_t i = 0; i < nodes.size(); ++i) {
                REQUIRE(nodes[i].parent < static_cast<std::int64_t>(i));
                const auto parent = static_cast<std::size_t>(nodes[i].parent);
                steps[i] = nodes[i].parent < 0 ? 0 : steps[parent] + 1;
                const double before = nodes[i].parent < 0 ? 0 : nodes[parent].total;
                CHECK(nodes[i].total == doctest::Approx(before + nodes[i].log_probability));
                in_step.resize(std::max(in_step.size(), steps[i] + 1));
                ++in_step[steps[i]];
            }
            for (const std::size_t count : in_step) CHECK(count <= 3);
            for (std::size_t rank = 0; rank < found[row].size(); ++rank) {
                const Hypothesis& one = found[row][rank];
                CHECK(one.tokens == silent[row][rank].tokens);
                CHECK(one.score == silent[row][rank].score);
                CHECK(silent[row][rank].parts.empty());
                CHECK(silent[row][rank].node == -1);
                std::vector<std::int64_t> way;
                for (std::int64_t at = one.node; at >= 0; at = nodes[static_cast<std::size_t>(at)].parent)
                    way.insert(way.begin(), nodes[static_cast<std::size_t>(at)].token);
                std::vector<std::int64_t> written = one.tokens;
                if (one.is_whole) written.push_back(Vocabulary::end);
                CHECK(way == written);
                CHECK(nodes[static_cast<std::size_t>(one.node)].rank == static_cast<std::int64_t>(rank));
                CHECK(nodes[static_cast<std::size_t>(one.node)].score == one.score);
                // Systems of several heads show each, and the mean of these is what the system looked at.
                const bool has_heads = system->name() == "multihead" || system->name() == "transformer";
                REQUIRE(one.parts.size() == (has_heads ? 2 : 0));
                if (!has_heads) continue;
                CHECK(one.parts[1].head == 1);
                CHECK(difference((one.parts[0].weights + one.parts[1].weights) / 2, one.weights, 1e-12) == "");
                if (row == 2) continue;  // of one word, which both look at
                CHECK(difference(one.parts[0].weights, one.parts[1].weights, 1e-6) != "");
            }
        }
    }

    // Of an ensemble, each system that attends; one of these has heads besides.
    std::vector<const System*> some;
    for (const auto& system : systems)
        if (system->name() == "bahdanau" || system->name() == "cho" || system->name() == "multihead")
            some.push_back(system.get());
    REQUIRE(some.size() == 3);
    SearchTrace trace;
    const Hypothesis best = search(some, batch.source, batch.lengths, 9, options, {}, &trace)[1][0];
    std::vector<std::pair<std::string_view, std::int64_t>> parts;
    for (const AttentionPart& part : best.parts) parts.emplace_back(some[part.system]->name(), part.head);
    CHECK(parts == std::vector<std::pair<std::string_view, std::int64_t>>{
                       {"bahdanau", -1}, {"multihead", -1}, {"multihead", 0}, {"multihead", 1}});
    CHECK(difference((best.parts[0].weights + best.parts[1].weights) / 2, best.weights, 1e-12) == "");
    CHECK(search(some, zeros({0, 4}, Dtype::int64), {}, 9, options, {}, &trace).empty());
    CHECK(trace.trees.empty());
}

TEST_CASE("search: lengths, unknown words, prefixes and chance") {
    const SmallBatch batch;
    const auto systems = small_systems();
    const System& system = *systems[0];
    const System* const alone[] = {&system};
    for (const auto& found : search_one(system, batch, {.beam = 2, .min_length = 5, .max_length = 6}))
        CHECK((found[0].tokens.size() == 5 || found[0].tokens.size() == 6));
    for (const auto& found : search_one(system, batch, {.beam = 9, .n_best = 9, .no_unknown = true}))
        for (const Hypothesis& one : found) CHECK(std::ranges::count(one.tokens, Vocabulary::unknown) == 0);
    const std::vector<std::vector<std::int64_t>> prefixes{{7, 8}, {}, {5}};
    const auto begun = search(alone, batch.source, batch.lengths, 9, {.beam = 2}, prefixes);
    CHECK(std::vector(begun[0][0].tokens.begin(), begun[0][0].tokens.begin() + 2) == prefixes[0]);
    CHECK(begun[2][0].tokens[0] == 5);

    const auto draw = [&](std::int64_t seed, double temperature, std::int64_t top_k) {
        std::vector<std::vector<std::int64_t>> tokens;
        for (const auto& found : search_one(system, batch,
                                            {.beam = 5,
                                            .n_best = 5,
                                            .sample = true,
                                            .temperature = temperature,
                                            .top_k = top_k,
                                            .search_seed = seed}))
            for (const Hypothesis& one : found) tokens.push_back(one.tokens);
        return tokens;
    };
    CHECK(draw(1, 1, 0) == draw(1, 1, 0));
    CHECK(draw(1, 1, 0) != draw(2, 1, 0));
    const auto greedy = search_one(system, batch);
    for (const auto& cold : {draw(3, 1e-3, 0), draw(4, 1, 1)})
        for (std::size_t i = 0; i < cold.size(); ++i) CHECK(cold[i] == greedy[i / 5][0].tokens);
}

TEST_CASE("search: what it cannot work with is refused") {
    const SmallBatch batch;
    const auto systems = small_systems();
    CHECK_THROWS_WITH_AS(search({}, batch.source, batch.lengths, 3), "search: there is no system", ValueError);
    CHECK_THROWS_WITH_AS(search_one(*systems[0], batch, {.beam = 0}), "search: beam is 0, outside [1, 1000]",
                         ValueError);
    const System* const alone[] = {systems[0].get()};
    const std::vector<std::vector<std::int64_t>> bad{{99}, {}, {}};
    CHECK_THROWS_AS(search(alone, batch.source, batch.lengths, 3, {}, bad), ValueError);
    CHECK_THROWS_WITH_AS(search(alone, batch.source, batch.lengths, std::vector<std::int64_t>{3, 3}),
                         "search: 2 greatest lengths for 3 sources", ValueError);
    CHECK_THROWS_WITH_AS(
        search(alone, batch.source, batch.lengths, std::vector<std::int64_t>{4, 3, 4}, {.min_length = 4}),
        "search: the greatest length of source 1 is 3, less than min_length 4", ValueError);
    CHECK_THROWS_WITH_AS(search(alone, batch.source, batch.lengths, -1),
                         "search: the greatest length is -1, less than min_length 0", ValueError);
    for (Tensor p : systems[0]->parameters()) p.fill(std::numeric_limits<double>::quiet_NaN());
    CHECK_THROWS_WITH_AS(search_one(*systems[0], batch), doctest::Contains("log probabilities are NaN"),
                         NonFiniteError);
}

TEST_CASE("search: options are read from JSON by their names, and what does not fit is refused") {
    using nlohmann::json;
    SearchOptions options{.beam = 3, .length_penalty = 0.5};
    from_json(json{{"n_best", 2}, {"no_unknown", true}, {"length_penalty", 1}}, options);
    CHECK(options.beam == 3);  // what the object does not have keeps its value
    CHECK(options.n_best == 2);
    CHECK(options.no_unknown);
    CHECK(options.length_penalty == 1);
    from_json(json::object(), options);
    CHECK(options.n_best == 2);

    for (const auto& [text, error] : {
             std::pair{R"([])", "a JSON object is expected in place of []"},
             {R"({"bream": 1})", "\"bream\" is unknown"},
             {R"({"beam": "4"})", "\"beam\" is \"4\", not an integer in [1, 1000]"},
             {R"({"beam": 0})", "\"beam\" is 0, not an integer in [1, 1000]"},
             {R"({"beam": 4.0})", "\"beam\" is 4.0, not an integer in [1, 1000]"},
             {R"({"beam": 18446744073709551615})", "\"beam\" is 18446744073709551615, not an integer in [1, 1000]"},
             {R"({"sample": 1})", "\"sample\" is 1, not true or false"},
             {R"({"sample": true, "top_p": 2})", "\"top_p\" is 2, not a number in [1e-06, 1]"},
             {R"({"top_p": 0.5})", "\"top_p\" changes nothing without \"sample\""},
             {R"({"n_best": 4})", "search: n_best is 4, more than the beam of 3"},
             {R"({"min_length": 9, "max_length": 3})", "search: min_length is 9, more than max_length 3"},
         }) {
        CAPTURE(text);
        CHECK_THROWS_WITH_AS(from_json(json::parse(text), options), error, ValueError);
    }
    CHECK(options.n_best == 2);  // as it was before
    SearchOptions greedy;
    CHECK_THROWS_WITH_AS(from_json(json{{"n_best", 1}}, greedy), "\"n_best\" changes nothing without \"beam\"",
                         ValueError);
    for (const auto& [name, needed] : SearchOptions::needs) {
        const OptionList all = option_texts(greedy);
        CHECK(std::ranges::count(all, name, &OptionList::value_type::first) == 1);
        CHECK(std::ranges::count(all, needed, &OptionList::value_type::first) == 1);
    }
}

TEST_CASE("search: what is called before each step can end it") {
    const SmallBatch batch;
    const auto systems = small_systems();
    int steps = 0;
    search_one(*systems[0], batch, {.min_length = 4, .max_length = 4, .before_step = [&] { ++steps; }});
    CHECK(steps == 4);
    const auto end = [&] {
        if (--steps == 0) throw ValueError("enough");
    };
    CHECK_THROWS_WITH_AS(search_one(*systems[0], batch, {.min_length = 9, .max_length = 9, .before_step = end}),
                         "enough", ValueError);
    CHECK(steps == 0);
}

TEST_CASE("search: threads may share a system") {
    const SmallBatch batch;
    const auto systems = small_systems();
    for (const auto& system : systems) {
        const auto expected = search_one(*system, batch, {.beam = 3})[0][0].tokens;
        std::vector<std::vector<std::int64_t>> found(4);
        std::vector<std::thread> threads;
        for (std::vector<std::int64_t>& tokens : found)
            threads.emplace_back([&] { tokens = search_one(*system, batch, {.beam = 3})[0][0].tokens; });
        for (std::thread& thread : threads) thread.join();
        for (const auto& tokens : found) CHECK(tokens == expected);
    }
}
