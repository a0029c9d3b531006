#include "model_names.hpp"

#include <set>

namespace wengert::program {

std::string model_name(const std::filesystem::path& model) {
    const std::filesystem::path path = model.has_filename() ? model : model.parent_path();
    const bool is_link = path.filename() == "best" || path.filename() == "latest";
    return (is_link ? path.parent_path() : path).filename().string();
}

std::vector<std::string> names_of(const std::vector<std::filesystem::path>& models) {
    std::vector<std::string> paths, names;
    for (const std::filesystem::path& model : models) {
        paths.push_back(model.string());
        names.push_back(model_name(model));
    }
    const std::set<std::string> unlike(names.begin(), names.end());
    return unlike.size() == names.size() && !unlike.contains("") ? names : paths;
}

}  // namespace wengert::program
