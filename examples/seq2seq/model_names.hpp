#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace wengert::program {

/// What a model is called by its path: "bahdanau" of out/bahdanau, out/bahdanau/ and out/bahdanau/best. It may be
/// empty.
std::string model_name(const std::filesystem::path& model);

/// Names that tell models apart: those, or the paths as they are if that is not enough.
std::vector<std::string> names_of(const std::vector<std::filesystem::path>& models);

}  // namespace wengert::program
