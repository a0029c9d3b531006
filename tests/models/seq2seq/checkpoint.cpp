#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <limits>
#include <set>
#include <wengert/models/seq2seq/checkpoint.hpp>

#include "small_translator.hpp"
#include "temporary_directory.hpp"

using namespace wengert;

namespace {

std::set<std::string> names_in(const std::filesystem::path& directory) {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) names.insert(entry.path().filename());
    return names;
}

using Names = std::set<std::string>;

/// Bit for bit.
bool same_parameters(const Translator& a, const Translator& b) {
    const auto left = a.system->named_parameters(), right = b.system->named_parameters();
    return std::ranges::equal(left, right, [](const auto& l, const auto& r) {
        return l.first == r.first && l.second.shape() == r.second.shape() &&
               std::memcmp(l.second.raw(), r.second.raw(), static_cast<std::size_t>(l.second.numel()) * 4) == 0;
    });
}

Translator translator_after(std::int64_t steps, std::uint64_t seed = 1) {
    Translator translator = small_translator({.embedding = 12, .hidden = 24, .layers = 1}, seed);
    translator.steps = steps;
    return translator;
}

/// A saved translator, and its files to spoil.
struct SavedTranslator {
    TemporaryDirectory directory;
    std::filesystem::path files = directory.path() / "checkpoint-5";

    SavedTranslator() { save_checkpoint(translator_after(5), directory.path()); }

    void replace_in_config(const std::string& old, const std::string& replacement) const {
        std::string text = content_of(files / "config.json");
        const std::size_t at = text.find(old);
        REQUIRE(at != text.npos);
        write_file(files / "config.json", text.replace(at, old.size(), replacement));
    }
    std::string error() const {
        try {
            load_checkpoint(directory.path());
        } catch (const FileError& error) {
            return error.what();
        }
        return "no error";
    }
};

/// Saves in another process in which no file may grow beyond `bytes`; the signal for more kills it, as a crash would.
void crash_while_saving(const Translator& translator, const std::filesystem::path& directory, rlim_t bytes) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        const rlimit limit{bytes, bytes};
        setrlimit(RLIMIT_FSIZE, &limit);
        std::signal(SIGXFSZ, SIG_DFL);
        try {
            save_checkpoint(translator, directory);
        } catch (...) {
        }
        _exit(0);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGXFSZ);
}

}  // namespace

TEST_CASE("a translator comes back from the disk as it was, bit for bit") {
    for (const bool bidirectional : {false, true}) {
        CAPTURE(bidirectional);
        const TemporaryDirectory directory;
        Translator original = small_translator({.embedding = 12,
                                                .hidden = 24,
                                                .attention = 7,
                                                .layers = 2,
                                                .bidirectional = bidirectional,
                                                .dropout = 0.25});
        original.source.tokenizer = Tokenizer({.mode = TokenizerMode::characters, .lowercase = false});
        original.steps = 12;
        save_checkpoint(original, directory.path() / "new" / "model");

        const Translator loaded = load_checkpoint(directory.path() / "new" / "model");
        CHECK(same_parameters(loaded, original));
        CHECK(loaded.source.tokenizer.options() == original.source.tokenizer.options());
        CHECK(loaded.max_length == 10);
        CHECK(loaded.steps == 12);
        CHECK(loaded.system->options().attention == 7);
        CHECK(loaded.system->options().layers == 2);
        CHECK(loaded.system->options().bidirectional == bidirectional);
        CHECK(loaded.system->options().dropout == 0.25);
        REQUIRE(loaded.target.vocabulary.size() == original.target.vocabulary.size());
        for (std::int64_t id = 0; id < loaded.target.vocabulary.size(); ++id)
            CHECK(loaded.target.vocabulary.token(id) == original.target.vocabulary.token(id));
        const Sentence sentence = words("tom chases jerry .");
        CHECK(translate(loaded, sentence).tokens == translate(original, sentence).tokens);
    }
}

TEST_CASE("a new checkpoint takes the place of the old one") {
    const TemporaryDirectory directory;
    const std::filesystem::path latest = directory.path() / "latest";
    save_checkpoint(translator_after(5, 1), directory.path());
    CHECK(std::filesystem::read_symlink(latest) == "checkpoint-5");
    CHECK(names_in(latest) == Names{"config.json", "source.vocabulary", "target.vocabulary", "weights.safetensors"});

    save_checkpoint(translator_after(10, 2), directory.path());
    CHECK(names_in(directory.path()) == Names{"latest", "checkpoint-10"});
    CHECK(same_parameters(load_checkpoint(directory.path()), translator_after(10, 2)));

    // The same number of steps, as when a training is repeated.
    for (const std::uint64_t seed : {3, 4, 5}) {
        save_checkpoint(translator_after(10, seed), directory.path());
        CHECK(names_in(directory.path()).size() == 2);
        CHECK(same_parameters(load_checkpoint(directory.path()), translator_after(10, seed)));
    }
}

TEST_CASE("the last checkpoints stay if they shall, and their mean is a translator") {
    const TemporaryDirectory directory;
    Translator translator = translator_after(0);
    const Tensor weight = translator.system->parameters()[0];
    const auto save = [&](std::int64_t steps, double value, const SaveOptions& options) {
        translator.steps = steps;
        fill(weight, value);
        save_checkpoint(translator, directory.path(), options);
    };
    save(5, 1, {.is_best = true, .keep = 3});
    for (std::int64_t k = 6; k <= 9; ++k) save(k, static_cast<double>(k), {.keep = 3});
    const auto exists = [&](const char* name) { return std::filesystem::exists(directory.path() / name); };
    CHECK(exists("checkpoint-5"));  // the best
    CHECK(!exists("checkpoint-6"));
    const std::vector<std::filesystem::path> last = {directory.path() / "checkpoint-7",
                                                     directory.path() / "checkpoint-8", directory.path()};
    const Translator mean = average_checkpoints(last);
    CHECK(mean.steps == 9);
    CHECK(mean.system->parameters()[0].to_vector<double>().front() == 8);
    CHECK(mean.system->parameters()[1].to_vector<double>() == translator.system->parameters()[1].to_vector<double>());
    // A training from the beginning does not count the checkpoints of the one before as its own.
    save(2, 2, {.keep = 3});
    CHECK(!exists("checkpoint-9"));
    CHECK(exists("checkpoint-5"));

    CHECK_THROWS_WITH_AS(average_checkpoints({}), "average_checkpoints: there is no checkpoint", ValueError);
    const TemporaryDirectory another;
    Generator generator(1);
    save_checkpoint(
        Translator(translator.source, translator.target, 30, "cho", translator.system->options(), generator),
        another.path());
    const std::vector<std::filesystem::path> unlike = {directory.path(), another.path()};
    CHECK_THROWS_WITH_AS(average_checkpoints(unlike), doctest::Contains("system is cho, not bahdanau as in "),
                         FileError);
}

TEST_CASE("a crash while saving leaves the old checkpoint whole, and the next save cleans up") {
    const TemporaryDirectory directory;
    const Translator old = translator_after(5, 1), lost = translator_after(10, 2), next = translator_after(15, 3);
    save_checkpoint(old, directory.path());
    for (const rlim_t bytes : {10, 300, 4096}) {  // in config.json, in a vocabulary or in the weights
        CAPTURE(bytes);
        crash_while_saving(lost, directory.path(), bytes);
        CHECK(names_in(directory.path()) == Names{"latest", "checkpoint-5", "checkpoint-10.partial"});
        CHECK(same_parameters(load_checkpoint(directory.path()), old));
    }
    save_checkpoint(next, directory.path());
    CHECK(names_in(directory.path()) == Names{"latest", "checkpoint-15"});
    CHECK(same_parameters(load_checkpoint(directory.path()), next));
}

TEST_CASE("a crash between renaming and removing is cleaned up, and nothing else is touched") {
    const TemporaryDirectory directory;
    const std::filesystem::path& root = directory.path();
    save_checkpoint(translator_after(5), root);
    for (const char* const name :
         {"checkpoint-4", "checkpoint-10", "checkpoint-10.partial", "checkpoint-best", "notes"}) {
        std::filesystem::create_directory(root / name);
        write_file(root / name / "file", "content");
    }
    std::filesystem::create_directory_symlink("checkpoint-10", root / "latest.partial");
    write_file(root / "log.jsonl", "{}\n");
    CHECK(load_checkpoint(root).steps == 5);
    save_checkpoint(translator_after(10), root);
    CHECK(names_in(root) == Names{"latest", "checkpoint-10", "checkpoint-best", "notes", "log.jsonl"});
    CHECK(load_checkpoint(root).steps == 10);
}

TEST_CASE("a full disk is an error, and the old checkpoint stays") {
    const TemporaryDirectory directory;
    save_checkpoint(translator_after(5), directory.path());
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small{4096, before.rlim_max};
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    std::string message;
    try {
        save_checkpoint(translator_after(10), directory.path());
    } catch (const FileError& error) {
        message = error.what();
    }
    setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    CHECK(message.find("checkpoint-10.partial/weights.safetensors: cannot be written: File too large") != message.npos);
    CHECK(names_in(directory.path()) == Names{"latest", "checkpoint-5"});
    CHECK(load_checkpoint(directory.path()).steps == 5);
}

TEST_CASE("a copy in which latest is a directory is read too") {
    const SavedTranslator saved;
    const TemporaryDirectory copy;
    std::filesystem::copy(saved.files, copy.path() / "latest");
    CHECK(load_checkpoint(copy.path()).steps == 5);
}

TEST_CASE("what is not a checkpoint is refused with the file and the reason") {
    const TemporaryDirectory empty;
    CHECK_THROWS_WITH_AS(load_checkpoint(empty.path()), doctest::Contains("there is no checkpoint"), FileError);
    CHECK_THROWS_WITH_AS(load_checkpoint(empty.path() / "absent"), doctest::Contains("there is no checkpoint"),
                         FileError);
    const auto contains = [](const std::string& text, const std::string& part) {
        CAPTURE(text);
        CHECK(text.find(part) != text.npos);
    };

    SUBCASE("a file is missing") {
        for (const char* const name :
             {"config.json", "source.vocabulary", "target.vocabulary", "weights.safetensors"}) {
            const SavedTranslator saved;
            std::filesystem::remove(saved.files / name);
            contains(saved.error(), (saved.files / name).string() + ": cannot be ");
        }
    }
    SUBCASE("the weights are cut off") {
        const SavedTranslator saved;
        const std::string weights = content_of(saved.files / "weights.safetensors");
        for (const std::size_t size : {std::size_t{0}, std::size_t{5}, std::size_t{100}, weights.size() - 1}) {
            write_file(saved.files / "weights.safetensors", std::string_view(weights).substr(0, size));
            contains(saved.error(), "weights.safetensors: ");
        }
    }
    SUBCASE("the weights are another model's") {
        const SavedTranslator saved;
        saved.replace_in_config("\"hidden\": 24", "\"hidden\": 25");
        contains(saved.error(), "weights.safetensors: ");
    }
    SUBCASE("a size is one for which there are not the weights") {
        for (const auto& [old, replacement, size] :
             {std::tuple{"\"hidden\": 24", "\"hidden\": 1000000", "\"hidden\" is 1000000"},
              {"\"layers\": 1", "\"layers\": 1000", "\"layers\" is 1000"},
              {"\"embedding\": 12", "\"embedding\": 999999", "\"embedding\" is 999999"},
              {"\"attention\": 0", "\"attention\": 999999", "\"attention\" is 999999"}}) {
            const SavedTranslator saved;
            saved.replace_in_config(old, replacement);
            contains(saved.error(), std::string("config.json: ") + size + ", but weights.safetensors has only ");
        }
    }
    SUBCASE("a vocabulary is another model's") {
        const SavedTranslator saved;
        write_file(saved.files / "target.vocabulary", content_of(saved.files / "target.vocabulary") + "word\n");
        contains(saved.error(), "target.vocabulary: has ");
        const SavedTranslator other;
        std::string tokens = content_of(other.files / "target.vocabulary");
        tokens.insert(tokens.size() - 1, "x");
        write_file(other.files / "target.vocabulary", tokens);
        contains(other.error(), "target.vocabulary: is another model's: these are not the tokens of the weights");
    }
    SUBCASE("a vocabulary is spoilt") {
        const SavedTranslator saved;
        write_file(saved.files / "source.vocabulary", "<pad>\n<s>\n");
        contains(saved.error(), "source.vocabulary:3: expected </s>");
    }
    SUBCASE("the configuration is no JSON") {
        const SavedTranslator saved;
        write_file(saved.files / "config.json", "{\"steps\": 5,");
        contains(saved.error(), "config.json: is not valid JSON");
        write_file(saved.files / "config.json", "[5]");
        contains(saved.error(), "config.json: a JSON object is expected");
    }
    SUBCASE("a setting is missing or wrong") {
        const std::pair<std::string, std::string> replacements[] = {
            {"\"hidden\": 24", "\"hidden\": 0"},
            {"\"hidden\": 24", "\"hidden\": -24"},
            {"\"hidden\": 24", "\"hidden\": 2.5"},
            {"\"hidden\": 24", "\"hidden\": \"24\""},
            {"\"hidden\": 24", "\"hidden\": 18446744073709551615"},
            {"\"hidden\": 24", "\"hiden\": 24"},
            {"\"dropout\": 0.0", "\"dropout\": 1.5"},
            {"\"bidirectional\": false", "\"bidirectional\": 0"},
            {"\"max_length\": 10", "\"max_length\": 0"},
            {"\"words\"", "\"syllables\""}};
        for (const auto& [old, replacement] : replacements) {
            CAPTURE(replacement);
            const SavedTranslator saved;
            saved.replace_in_config(old, replacement);
            contains(saved.error(), (saved.files / "config.json").string() + ": ");
        }
    }
}

TEST_CASE("a path to a model may be that of a directory, of latest, of best, or of a checkpoint") {
    const TemporaryDirectory directory;
    save_checkpoint(translator_after(5, 1), directory.path(), {.is_best = true});
    save_checkpoint(translator_after(10, 2), directory.path());
    CHECK(names_in(directory.path()) == Names{"latest", "best", "checkpoint-5", "checkpoint-10"});
    for (const char* const name : {"", "latest", "checkpoint-10"})
        CHECK(load_checkpoint(directory.path() / name).steps == 10);
    for (const char* const name : {"best", "checkpoint-5"}) CHECK(load_checkpoint(directory.path() / name).steps == 5);
    CHECK_THROWS_WITH_AS(load_checkpoint(directory.path() / "latest" / "config.json"),
                         doctest::Contains("is a file; a model is a directory"), FileError);
    save_checkpoint(translator_after(15, 3), directory.path(), {.is_best = true});
    CHECK(names_in(directory.path()) == Names{"latest", "best", "checkpoint-15"});
}

TEST_CASE("a checkpoint of the first version is the reference model") {
    const SavedTranslator saved;
    write_file(
        saved.files / "config.json",
        "{\"steps\": 5, \"max_length\": 10, \"tokenizer\": {\"mode\": \"words\", \"lowercase\": true}, \"model\": {"
        "\"source_vocabulary\": " +
            std::to_string(translator_after(5).source.vocabulary.size()) +
            ", \"target_vocabulary\": " + std::to_string(translator_after(5).target.vocabulary.size()) +
            ", \"embedding\": 12, \"hidden\": 24, \"attention\": 0, \"layers\": 1, \"bidirectional\": false, "
            "\"dropout\": 0.0}}");
    const Translator loaded = load_checkpoint(saved.directory.path());
    CHECK(loaded.system->name() == "bahdanau");
    CHECK(same_parameters(loaded, translator_after(5)));
}

TEST_CASE("a version, a system or a weight that cannot be is an error with the file") {
    const auto error_with = [](const std::string& old, const std::string& replacement) {
        const SavedTranslator saved;
        saved.replace_in_config(old, replacement);
        return saved.error();
    };
    CHECK(error_with("\"version\": 2", "\"version\": 3")
              .ends_with("is of version 3, and this program reads versions up to 2"));
    CHECK(error_with("\"bahdanau\"", "\"bahdnau\"").find("there is no system \"bahdnau\"") != std::string::npos);
    CHECK(error_with("\"hidden\": 24", "\"hidden\": 24, \"colour\": 1").ends_with("\"colour\" is unknown"));
    const TemporaryDirectory directory;
    Translator translator = translator_after(5);
    parameter_of(translator, "decoder.output.bias").fill(std::numeric_limits<double>::quiet_NaN());
    save_checkpoint(translator, directory.path());
    CHECK_THROWS_WITH_AS(load_checkpoint(directory.path()),
                         doctest::Contains("\"decoder.output.bias\" has a weight that is nan"), FileError);
}

TEST_CASE("subwords are a file of the checkpoint") {
    if (!Tokenizer::has_subwords()) {
        MESSAGE("skipped: built without sentencepiece");
        return;
    }
    const Corpus corpus = small_corpus();
    std::vector<std::string> lines = corpus.target_text;
    const Tokenizer tokenizer = Tokenizer::train(lines, {.vocabulary_size = 300});
    Generator generator(1);
    const Translator original({tokenizer, Vocabulary::of(tokenizer.pieces())},
                              {tokenizer, Vocabulary::of(tokenizer.pieces())}, 30, "cho",
                              {.embedding = 4, .hidden = 6, .layers = 1}, generator);
    const TemporaryDirectory directory;
    save_checkpoint(original, directory.path());
    const Translator loaded = load_checkpoint(directory.path());
    CHECK(loaded.system->name() == "cho");
    for (const std::string& line : lines) CHECK(loaded.target.tokenizer.tokenize(line) == tokenizer.tokenize(line));
    std::filesystem::remove(directory.path() / "latest" / "target.subwords");
    CHECK_THROWS_WITH_AS(load_checkpoint(directory.path()), doctest::Contains("target.subwords"), FileError);
}
