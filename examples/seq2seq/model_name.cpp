#include "model_name.hpp"

namespace wengert::program {

std::string model_name(const std::filesystem::path& model) {
    const std::filesystem::path path = model.has_filename() ? model : model.parent_path();
    const bool is_link = path.filename() == "best" || path.filename() == "latest";
    return (is_link ? path.parent_path() : path).filename().string();
}

}  // namespace wengert::program
