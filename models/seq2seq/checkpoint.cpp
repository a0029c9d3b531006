#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <system_error>
#include <wengert/autograd/tensor/atomic_file.hpp>
#include <wengert/models/seq2seq/checkpoint.hpp>
#include <wengert/models/seq2seq/internal/option_json.hpp>
#include <wengert/nn/averages.hpp>
#include <wengert/nn/safetensors.hpp>

namespace wengert {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* latest_name = "latest";
constexpr const char* best_name = "best";
constexpr const char* config_name = "config.json";
constexpr const char* weights_name = "weights.safetensors";
constexpr const char* training_name = "training.safetensors";
constexpr const char* source_name = "source.vocabulary";
constexpr const char *target_name = "target.vocabulary", *source_state = "source.subwords",
                     *target_state = "target.subwords";
constexpr const char *source_fingerprint = "source_fingerprint", *target_fingerprint = "target_fingerprint";
constexpr std::int64_t version = 2;
constexpr std::string_view name_prefix = "checkpoint-", again_suffix = "-again", partial_suffix = ".partial";

/// Beyond these a number of the configuration is a fault and not a model.
constexpr std::int64_t most_tokens = 1 << 20;
constexpr Bounds<std::int64_t> sizes{1, most_tokens}, counts{0, std::numeric_limits<std::int64_t>::max()};

[[noreturn]] void refuse_file(const fs::path& path, std::string_view reason) {
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

/// Where `latest` or `best` leads; empty if it is no symbolic link.
fs::path link_of(const fs::path& directory, const char* name) {
    std::error_code error;
    return fs::read_symlink(directory / name, error);
}

/// Whether save_checkpoint() gives such names: what else is in the directory is not touched.
bool is_checkpoint_name(std::string_view name) {
    if (!name.starts_with(name_prefix)) return false;
    name.remove_prefix(name_prefix.size());
    if (name.ends_with(partial_suffix)) name.remove_suffix(partial_suffix.size());
    while (name.ends_with(again_suffix)) name.remove_suffix(again_suffix.size());
    return !name.empty() && name.find_first_not_of("0123456789") == name.npos;
}

std::string partial(std::string_view name) { return fmt::format("{}{}", name, partial_suffix); }

/// The steps that a checkpoint's name has; if it is another name, more than any.
std::int64_t steps_of(const fs::path& checkpoint) {
    std::string name = checkpoint.filename().string();
    std::int64_t steps = std::numeric_limits<std::int64_t>::max();
    if (is_checkpoint_name(name)) std::from_chars(&name[name_prefix.size()], name.data() + name.size(), steps);
    return steps;
}

/// Removes what crashes left unfinished, and, if `latest` says which are not, checkpoints to which nothing leads, apart
/// from the last ones.
void clean(const fs::path& directory, std::int64_t keep) {
    const fs::path latest = link_of(directory, latest_name), best = link_of(directory, best_name);
    std::vector<fs::path> leftovers{directory / partial(latest_name), directory / partial(best_name)}, whole;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
        const fs::path name = entry.path().filename();
        if (!is_checkpoint_name(name.string())) continue;
        if (name.string().ends_with(partial_suffix))
            leftovers.push_back(entry.path());
        else if (!latest.empty() && name != latest && name != best)
            // What has as many steps as the latest, or more, is of a training before, or the same once more.
            (steps_of(name) >= steps_of(latest) ? leftovers : whole).push_back(entry.path());
    }
    std::ranges::sort(whole, std::greater{}, steps_of);
    for (std::size_t i = static_cast<std::size_t>(std::max<std::int64_t>(keep - 1, 0)); i < whole.size(); ++i)
        leftovers.push_back(whole[i]);
    for (const fs::path& leftover : leftovers) fs::remove_all(leftover);
}

/// Lets a link lead to a checkpoint, in one step. In a copy of a directory a directory may stand in its place.
void lead(const fs::path& directory, const char* link, const std::string& name) {
    fs::create_directory_symlink(name, directory / partial(link));
    if (fs::is_directory(fs::symlink_status(directory / link))) {
        const fs::path aside = directory / partial(std::string(name_prefix) + "0");
        fs::remove_all(aside);
        fs::rename(directory / link, aside);
    }
    fs::rename(directory / partial(link), directory / link);
}

nlohmann::ordered_json config_of(const Translator& t) {
    SystemOptions options = t.system->options();
    nlohmann::ordered_json model{{"source_vocabulary", options.source_vocabulary},
                                 {"target_vocabulary", options.target_vocabulary}};
    options.describe(OptionWriter{model});
    return {{"version", version},
            {"steps", t.steps},
            {"max_length", t.max_length},
            {"source_tokenizer", json(t.source.tokenizer.options())},
            {"target_tokenizer", json(t.target.tokenizer.options())},
            {source_fingerprint, t.source.vocabulary.fingerprint()},
            {target_fingerprint, t.target.vocabulary.fingerprint()},
            {"system", t.system->name()},
            {"model", model}};
}

void write(const Translator& translator, const fs::path& directory, const SaveOptions& options) {
    const fs::path config = directory / config_name;
    errno = 0;
    std::ofstream stream(config);
    stream << config_of(translator).dump(2) << '\n';
    stream.close();
    if (!stream) refuse_file(config, "cannot be written: " + std::generic_category().message(errno));
    translator.source.vocabulary.save(directory / source_name);
    translator.target.vocabulary.save(directory / target_name);
    translator.source.tokenizer.save(directory / source_state);
    translator.target.tokenizer.save(directory / target_state);
    write_safetensors(directory / weights_name, {translator.system->named_parameters(), {{"format", "pt"}}});
    if (options.training != nullptr) write_safetensors(directory / training_name, {*options.training, {}});
    for (const char* name : {config_name, source_name, target_name}) sync_to_disk(directory / name);
    sync_to_disk(directory);
}

json parse(const fs::path& file) {
    errno = 0;
    std::ifstream stream(file);
    if (!stream) refuse_file(file, "cannot be read: " + std::generic_category().message(errno));
    if (std::error_code error; fs::is_directory(file, error)) refuse_file(file, "is a directory");
    try {
        return json::parse(stream);
    } catch (const json::exception& error) {
        refuse_file(file, fmt::format("is not valid JSON: {}", error.what()));
    }
}

Tokenizer read_tokenizer(const json& settings, const fs::path& config, const fs::path& state) {
    try {
        return Tokenizer::load(settings.get<TokenizerOptions>(), state);
    } catch (const ValueError& error) {
        refuse_file(config, error.what());
    }
}

Vocabulary read_vocabulary(const fs::path& file, std::int64_t size) {
    Vocabulary vocabulary = Vocabulary::load(file);
    if (vocabulary.size() != size)
        refuse_file(file, fmt::format("has {} tokens, but {} says {}", vocabulary.size(), config_name, size));
    return vocabulary;
}

void require_finite(const System& system, const fs::path& file) {
    for (const auto& entry : system.named_parameters())  // clang 16 lets no lambda capture a part of it beside OpenMP
        visit_floating(entry.second.dtype(), [&](auto type) {
            using T = decltype(type);
            const Tensor weights = contiguous(entry.second);
            for (const T v : std::span(weights.data<T>(), static_cast<std::size_t>(weights.numel())))
                if (!std::isfinite(v)) refuse_file(file, fmt::format("\"{}\" has a weight that is {}", entry.first, v));
        });
}

/// Refuses sizes for which there are not the weights: a model is made before it gets them, and a number in the
/// configuration would make one of any size. Each system that reads these options has these matrices.
void require_weights(const TensorFile& weights, std::string_view system, const SystemOptions& o,
                     const fs::path& config) {
    const auto entry = std::ranges::find(all_systems(), system, &SystemEntry::name);
    if (entry == all_systems().end()) return;
    std::int64_t count = 0;
    for (const auto& [name, x] : weights.tensors) count += x.numel();
    struct Matrices {
        std::string_view option;
        std::int64_t size;
        double others;
    };
    const auto hidden = static_cast<double>(o.hidden);
    const Matrices all[]{{"hidden", o.hidden, hidden},
                         {"layers", o.layers, hidden * hidden},
                         {"embedding", o.embedding, static_cast<double>(o.target_vocabulary) + hidden},
                         {"attention", o.attention, hidden},
                         {"feed_forward", o.feed_forward, hidden * o.layers}};
    for (const auto& [option, size, others] : all)
        if (std::ranges::find(entry->unread, option) == entry->unread.end() &&
            static_cast<double>(size) * others > static_cast<double>(count))
            refuse_file(config,
                        fmt::format("\"{}\" is {}, but {} has only {} weights", option, size, weights_name, count));
}

Translator read_checkpoint(const fs::path& directory) {
    const fs::path file = directory / config_name;
    const json config = parse(file);
    const Settings all(config, file), model(all.at("model"), file);
    // The first version did not say its own, and knew one system and one tokenizer.
    const bool is_first = !all.contains("version");
    if (!is_first && all.number("version", counts) != version)
        refuse_file(file, fmt::format("is of version {}, and this program reads versions up to {}",
                                      all.at("version").dump(), version));
    SystemOptions options;
    options.source_vocabulary = model.number("source_vocabulary", sizes);
    options.target_vocabulary = model.number("target_vocabulary", sizes);
    std::vector<std::string_view> names{"source_vocabulary", "target_vocabulary"};
    options.describe(OptionReader{model, names});
    model.require_known(names);
    const auto language = [&](const char* tokenizer, const char* state, const char* vocabulary, std::int64_t size,
                              const char* fingerprint) {
        Language result{read_tokenizer(all.at(is_first ? "tokenizer" : tokenizer), file, directory / state),
                        read_vocabulary(directory / vocabulary, size)};
        if (all.contains(fingerprint) && all.number(fingerprint, counts) != result.vocabulary.fingerprint())
            refuse_file(directory / vocabulary, "is another model's: these are not the tokens of the weights");
        return result;
    };
    Language source =
                 language("source_tokenizer", source_state, source_name, options.source_vocabulary, source_fingerprint),
             target =
                 language("target_tokenizer", target_state, target_name, options.target_vocabulary, target_fingerprint);
    const std::string system = is_first ? "bahdanau" : all.text("system");
    const TensorFile weights = read_safetensors(directory / weights_name);
    require_weights(weights, system, options, file);
    Generator generator;
    const auto translator = [&] {
        try {
            return Translator(std::move(source), std::move(target), all.number("max_length", sizes), system, options,
                              generator);
        } catch (const ValueError& error) {
            refuse_file(file, error.what());
        }
    };
    Translator result = translator();
    result.steps = all.number("steps", counts);
    try {
        assign(result.system->named_parameters(), weights.tensors);
    } catch (const ValueError& error) {
        refuse_file(directory / weights_name, error.what());
    }
    require_finite(*result.system, directory / weights_name);
    return result;
}

/// Where a path to a model leads: to a checkpoint, or to a directory with one.
bool is_checkpoint(const fs::path& path) {
    std::error_code error;
    return fs::exists(path / config_name, error);
}

}  // namespace

void save_checkpoint(const Translator& translator, const fs::path& directory, const SaveOptions& options) {
    with_file_errors([&] {
        fs::create_directories(directory);
        clean(directory, options.keep);
        // A training before this one may have left a checkpoint of as many steps, which must stay until this one is
        // whole.
        std::string name = fmt::format("{}{}", name_prefix, translator.steps);
        while (fs::exists(directory / name)) name += again_suffix;
        const fs::path unfinished = directory / partial(name);
        fs::create_directory(unfinished);
        try {
            write(translator, unfinished, options);
            fs::rename(unfinished, directory / name);
        } catch (...) {  // a full disk has no room for it either
            std::error_code error;
            fs::remove_all(unfinished, error);
            throw;
        }
        sync_to_disk(directory);

        if (options.is_best) lead(directory, best_name, name);
        lead(directory, latest_name, name);
        sync_to_disk(directory);
        clean(directory, options.keep);
    });
}

Translator load_checkpoint(const fs::path& path) {
    const auto checkpoint = [&] {
        std::error_code error;
        return fs::canonical(is_checkpoint(path) ? path : path / latest_name, error);
    };
    for (;;) {
        const fs::path found = checkpoint();
        std::error_code error;
        try {
            if (fs::is_directory(found, error)) return read_checkpoint(found);
            // A directory on the way may be closed to us.
            if (fs::status(path / config_name, error).type() == fs::file_type::none)
                refuse_file(path, "cannot be read: " + error.message());
            if (fs::is_directory(path, error)) refuse_file(path, "there is no checkpoint in this directory");
            refuse_file(path, fs::exists(path, error) ? "is a file; a model is a directory, as train has written it"
                                                      : "there is no checkpoint: the directory does not exist");
        } catch (const FileError&) {
            // A newer checkpoint may have taken this one's place while it was read.
            if (checkpoint() == found) throw;
        }
    }
}

Translator average_checkpoints(std::span<const fs::path> paths) {
    if (paths.empty()) throw ValueError("average_checkpoints: there is no checkpoint");
    Translator result = load_checkpoint(paths[0]);
    std::vector<NamedTensors> weights{result.system->named_parameters()};
    for (const fs::path& path : paths.subspan(1)) {
        const Translator other = load_checkpoint(path);
        const std::string difference = first_difference(other.system->name(), other.system->options(), *result.system);
        if (!difference.empty()) refuse_file(path, fmt::format("{} as in {}", difference, paths[0].string()));
        if (other.source.vocabulary != result.source.vocabulary || other.target.vocabulary != result.target.vocabulary)
            refuse_file(path, fmt::format("has another vocabulary than {}", paths[0].string()));
        weights.push_back(other.system->named_parameters());
        result.steps = std::max(result.steps, other.steps);
    }
    assign(weights[0], average_weights(weights));
    return result;
}

NamedTensors load_training(const fs::path& directory) {
    const fs::path file = directory / latest_name / training_name;
    std::error_code error;
    if (!fs::exists(file, error)) refuse_file(directory, "there is no training here that could go on");
    return read_safetensors(file).tensors;
}

}  // namespace wengert
