#include <fmt/format.h>

#include <wengert/autograd/tensor/error.hpp>

namespace wengert {

std::string to_string(const SourceLine& where) {
    if (where.file == nullptr) return {};
    std::string_view file = where.file;
    // Meson compiles from the build directory, several files at once by their full paths from there; the reader thinks
    // from the root of the tree.
    if (const std::size_t up = file.rfind("/../"); up != file.npos) file.remove_prefix(up + 1);
    while (file.starts_with("../")) file.remove_prefix(3);
    return fmt::format("{}:{}", file, where.line);
}

void Error::locate(std::string_view op, std::string_view scope_and_operands, const SourceLine& where) {
    if (op_.empty()) relocate(op, scope_and_operands, where);
}

void Error::relocate(std::string_view op, std::string_view scope_and_operands, const SourceLine& where) {
    op_ = op;
    text_ = fmt::format("{}: {}", op, message_);
    if (!scope_and_operands.empty()) text_ += fmt::format("\n  in {}", scope_and_operands);
    if (where.file != nullptr) text_ += fmt::format("\n  at {}", to_string(where));
}

}  // namespace wengert
