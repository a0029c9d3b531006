#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <system_error>
#include <wengert/models/seq2seq/checkpoint.hpp>
#include <wengert/nn/safetensors.hpp>

namespace wengert {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* latest_name = "latest";
constexpr const char* config_name = "config.json";
constexpr const char* weights_name = "weights.safetensors";
constexpr const char* source_name = "source.vocabulary";
constexpr const char* target_name = "target.vocabulary";
constexpr std::string_view name_prefix = "checkpoint-", again_suffix = "-again", partial_suffix = ".partial";

/// Beyond these a number of the configuration is a fault and not a model.
constexpr std::int64_t most_features = 1 << 20, most_layers = 1000, most_tokens = 1 << 20;

[[noreturn]] void fail(const fs::path& path, std::string_view reason) {
    throw FileError(fmt::format("{}: {}", path.string(), reason));
}

/// Runs steps on the file system whose errors say which paths they concern.
template <class F>
auto with_file_errors(F&& f) {
    try {
        return f();
    } catch (const fs::filesystem_error& error) {
        const std::string second = error.path2().empty() ? "" : " -> " + error.path2().string();
        throw FileError(fmt::format("{}{}: {}", error.path1().string(), second, error.code().message()));
    }
}

/// Waits until a file's content, or a directory's list of names, is on the disk.
void sync(const fs::path& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool is_synced = descriptor >= 0 && ::fsync(descriptor) == 0;
    const int reason = errno;
    if (descriptor >= 0) ::close(descriptor);
    // Not every file system can be asked to, and EINVAL is how it says so.
    if (!is_synced && reason != EINVAL) fail(path, "cannot be written: " + std::generic_category().message(reason));
}

/// Where `latest` leads; empty if it is no symbolic link.
fs::path latest_checkpoint(const fs::path& directory) {
    std::error_code error;
    return fs::read_symlink(directory / latest_name, error);
}

/// Whether save_checkpoint() gives such names: what else is in the directory is not touched.
bool is_checkpoint_name(std::string_view name) {
    if (!name.starts_with(name_prefix)) return false;
    name.remove_prefix(name_prefix.size());
    for (const std::string_view suffix : {partial_suffix, again_suffix})
        if (name.ends_with(suffix)) name.remove_suffix(suffix.size());
    return !name.empty() && name.find_first_not_of("0123456789") == name.npos;
}

std::string partial(std::string_view name) { return fmt::format("{}{}", name, partial_suffix); }

/// Removes what crashes left behind: unfinished checkpoints, and finished ones that `latest` does not lead to.
void clean(const fs::path& directory) {
    const fs::path latest = latest_checkpoint(directory);
    std::vector<fs::path> leftovers{directory / partial(latest_name)};
    for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
        const fs::path name = entry.path().filename();
        if (is_checkpoint_name(name.string()) && name != latest) leftovers.push_back(entry.path());
    }
    for (const fs::path& leftover : leftovers) fs::remove_all(leftover);
}

json config_of(const Translator& t) {
    const Seq2SeqOptions& o = t.options;
    return {{"steps", t.steps},
            {"max_length", t.max_length},
            {"tokenizer", t.tokenizer.options()},
            {"model",
             {{"source_vocabulary", o.source_vocabulary},
              {"target_vocabulary", o.target_vocabulary},
              {"embedding", o.embedding},
              {"hidden", o.hidden},
              {"attention", o.attention},
              {"layers", o.layers},
              {"bidirectional", o.bidirectional},
              {"dropout", o.dropout}}}};
}

void write(const Translator& translator, const fs::path& directory) {
    const fs::path config = directory / config_name;
    errno = 0;
    std::ofstream stream(config);
    stream << config_of(translator).dump(2) << '\n';
    stream.close();
    if (!stream) fail(config, "cannot be written: " + std::generic_category().message(errno));
    translator.source.save(directory / source_name);
    translator.target.save(directory / target_name);
    save(translator.model, directory / weights_name, {{"format", "pt"}});
    for (const char* name : {config_name, source_name, target_name}) sync(directory / name);
    sync(directory);
}

/// A part of config.json, whose settings are read with a check of their kind and range.
class Settings {
  public:
    Settings(const json& values, const fs::path& file) : values_(values), file_(file) {
        if (!values.is_object()) fail(file, "a JSON object is expected in place of " + values.dump());
    }

    const json& at(const char* name) const {
        const auto found = values_.find(name);
        if (found == values_.end()) fail(file_, fmt::format("\"{}\" is missing", name));
        return *found;
    }
    std::int64_t count(const char* name, std::int64_t least, std::int64_t most) const {
        const json& value = at(name);
        const bool is_integer = value.is_number_integer();
        const bool is_huge =
            value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(most);
        const std::int64_t number = is_integer && !is_huge ? value.get<std::int64_t>() : 0;
        if (!is_integer || is_huge || number < least || number > most)
            fail(file_, fmt::format("\"{}\" is {}, not an integer in [{}, {}]", name, value.dump(), least, most));
        return number;
    }
    bool flag(const char* name) const {
        const json& value = at(name);
        if (!value.is_boolean()) fail(file_, fmt::format("\"{}\" is {}, not true or false", name, value.dump()));
        return value.get<bool>();
    }
    double probability(const char* name) const {
        const json& value = at(name);
        if (!value.is_number() || !(value >= 0.0 && value < 1.0))
            fail(file_, fmt::format("\"{}\" is {}, not a number in [0, 1)", name, value.dump()));
        return value.get<double>();
    }

  private:
    const json& values_;
    const fs::path& file_;
};

json parse(const fs::path& file) {
    errno = 0;
    std::ifstream stream(file);
    if (!stream) fail(file, "cannot be read: " + std::generic_category().message(errno));
    try {
        return json::parse(stream);
    } catch (const json::exception& error) {
        fail(file, fmt::format("is not valid JSON: {}", error.what()));
    }
}

Tokenizer read_tokenizer(const json& settings, const fs::path& file) {
    try {
        return Tokenizer(settings.get<TokenizerOptions>());
    } catch (const ValueError& error) {
        fail(file, error.what());
    }
}

Vocabulary read_vocabulary(const fs::path& file, std::int64_t size) {
    Vocabulary vocabulary = Vocabulary::load(file);
    if (vocabulary.size() != size)
        fail(file, fmt::format("has {} tokens, but {} says {}", vocabulary.size(), config_name, size));
    return vocabulary;
}

Translator read(const fs::path& directory) {
    const fs::path file = directory / config_name;
    const json config = parse(file);
    const Settings all(config, file), model(all.at("model"), file);
    const Seq2SeqOptions options{.source_vocabulary = model.count("source_vocabulary", 1, most_tokens),
                                 .target_vocabulary = model.count("target_vocabulary", 1, most_tokens),
                                 .embedding = model.count("embedding", 1, most_features),
                                 .hidden = model.count("hidden", 1, most_features),
                                 .attention = model.count("attention", 0, most_features),
                                 .layers = static_cast<int>(model.count("layers", 1, most_layers)),
                                 .bidirectional = model.flag("bidirectional"),
                                 .dropout = model.probability("dropout")};
    Generator generator;
    Translator translator(read_tokenizer(all.at("tokenizer"), file),
                          read_vocabulary(directory / source_name, options.source_vocabulary),
                          read_vocabulary(directory / target_name, options.target_vocabulary),
                          all.count("max_length", 1, most_tokens), options, generator);
    translator.steps = all.count("steps", 0, std::numeric_limits<std::int64_t>::max());
    load(translator.model, directory / weights_name);
    return translator;
}

}  // namespace

void save_checkpoint(const Translator& translator, const fs::path& directory) {
    with_file_errors([&] {
        fs::create_directories(directory);
        clean(directory);
        const fs::path old = latest_checkpoint(directory);

        // A training before this one may have left a checkpoint of as many steps, which must stay until this one is
        // whole.
        std::string name = fmt::format("{}{}", name_prefix, translator.steps);
        if (name == old) name += again_suffix;
        fs::create_directory(directory / partial(name));
        write(translator, directory / partial(name));
        fs::rename(directory / partial(name), directory / name);
        sync(directory);

        fs::create_directory_symlink(name, directory / partial(latest_name));
        fs::rename(directory / partial(latest_name), directory / latest_name);
        sync(directory);
        if (is_checkpoint_name(old.string())) fs::remove_all(directory / old);
    });
}

Translator load_checkpoint(const fs::path& directory) {
    for (;;) {
        // In a copy of the directory `latest` may be a directory itself.
        const fs::path link = latest_checkpoint(directory), latest = directory / (link.empty() ? latest_name : link);
        try {
            std::error_code error;
            if (!fs::is_directory(latest, error))
                fail(directory, fs::is_directory(directory, error)
                                    ? "there is no checkpoint in this directory"
                                    : "there is no checkpoint: the directory does not exist");
            return read(latest);
        } catch (const FileError&) {
            // A newer checkpoint may have taken this one's place while it was read.
            if (latest_checkpoint(directory) == link) throw;
        }
    }
}

}  // namespace wengert
