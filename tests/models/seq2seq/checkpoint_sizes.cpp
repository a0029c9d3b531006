#include <doctest/doctest.h>

#include <algorithm>
#include <wengert/models/seq2seq/checkpoint.hpp>

#include "small_translator.hpp"
#include "temporary_directory.hpp"

using namespace wengert;

TEST_CASE("a model of any system and shape is one for which there are the weights") {
    const Translator small = small_translator();
    for (const SystemEntry& entry : all_systems())
        for (SystemOptions options : {SystemOptions{.embedding = 1, .hidden = 12, .layers = 5},
                                      SystemOptions{.embedding = 40, .hidden = 4, .layers = 1},
                                      SystemOptions{.embedding = 2, .hidden = 4, .attention = 90, .layers = 2},
                                      SystemOptions{.embedding = 2, .hidden = 4, .layers = 2, .feed_forward = 90}}) {
            CAPTURE(entry.name);
            options.heads = 2;
            options.cell = CellKind::rnn;
            options.readout = Readout::state;
            const auto is_read = [&](const char* option) {
                return std::ranges::find(entry.unread, option) == entry.unread.end();
            };
            if (!is_read("readout")) options.readout = Readout::usual;
            if (!is_read("cell")) options.cell = CellKind::gru;
            const TemporaryDirectory directory;
            Generator generator(1);
            const Translator translator(small.source, small.target, 10, entry.name, options, generator);
            save_checkpoint(translator, directory.path());
            const Translator loaded = load_checkpoint(directory.path());
            const NamedTensors before = translator.system->named_parameters(),
                               after = loaded.system->named_parameters();
            REQUIRE(before.size() == after.size());
            for (std::size_t i = 0; i < before.size(); ++i)
                CHECK(before[i].second.to_vector<float>() == after[i].second.to_vector<float>());
        }
}
