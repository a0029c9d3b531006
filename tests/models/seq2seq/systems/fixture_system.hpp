#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>
#include <wengert/models/seq2seq/internal/option_json.hpp>
#include <wengert/models/seq2seq/system.hpp>
#include <wengert/nn/safetensors.hpp>

namespace wengert {

/// The encoder's and the decoder's tensors of a file of tests/fixtures/system_fixtures.py.
inline NamedTensors fixture_parameters(const TensorFile& file) {
    NamedTensors parameters;
    for (const auto& [name, x] : file.tensors)
        if (name.starts_with("encoder.") || name.starts_with("decoder.")) parameters.emplace_back(name, x);
    return parameters;
}

/// A system with the options of such a file, and with weights of its own.
inline std::unique_ptr<System> fixture_system(std::string_view name, const TensorFile& file,
                                              const std::filesystem::path& path) {
    const nlohmann::json json = nlohmann::json::parse(file.metadata.at("options"));
    const Settings settings(json, path);
    constexpr Bounds<std::int64_t> tokens{1, 100};
    SystemOptions options{.source_vocabulary = settings.number("source_vocabulary", tokens),
                          .target_vocabulary = settings.number("target_vocabulary", tokens)};
    std::vector<std::string_view> names{"source_vocabulary", "target_vocabulary"};
    options.describe(OptionReader{settings, names});
    settings.require_known(names);
    Generator generator(1);
    return make_system(name, options, generator);
}

}  // namespace wengert
