#pragma once

#include <filesystem>
#include <string>

namespace wengert::program {

/// What a model is called by its path: "bahdanau" of out/bahdanau, out/bahdanau/ and out/bahdanau/best. It may be
/// empty.
std::string model_name(const std::filesystem::path& model);

}  // namespace wengert::program
