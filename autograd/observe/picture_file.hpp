#pragma once

#include <filesystem>
#include <string_view>
#include <wengert/autograd/tensor/export.hpp>

namespace WENGERT_EXPORT wengert {

/// Writes a picture, whatever its format: an AtomicFile, so that a full disk leaves the old picture. Throws FileError
/// with the system's reason if the file cannot be written.
void write_picture(std::string_view picture, const std::filesystem::path& file);

}  // namespace wengert
