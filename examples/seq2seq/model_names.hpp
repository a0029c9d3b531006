#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace wengert::program {

/// Names that tell the models apart: "bahdanau" of out/bahdanau/best, or the paths as they are if that is not enough.
std::vector<std::string> names_of(const std::vector<std::filesystem::path>& models);

}  // namespace wengert::program
