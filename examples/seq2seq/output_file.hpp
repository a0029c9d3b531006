#pragma once

#include <filesystem>
#include <initializer_list>
#include <string_view>

namespace wengert::program {

/// Looks before the work, so that it is not in vain: throws ValueError unless the name has one of the endings, and
/// FileError if the file could not be written. An empty name is a file that is not asked for.
void require_writable(std::string_view flag, const std::filesystem::path& file,
                      std::initializer_list<std::string_view> endings);

}  // namespace wengert::program
