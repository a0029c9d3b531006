#pragma once

#include <filesystem>
#include <wengert/nn/named_tensors.hpp>

/// NumPy's .npz files, which numpy.savez() and numpy.load() write and read: a zip archive with one .npy for each array
/// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). They need libzip at build time; without it
/// both functions throw ValueError.
///
/// Dtypes are f4, f8, i8, i4, b1 and f2, little-endian. NumPy has no bfloat16: its two bytes are a V2 there, as the
/// package ml_dtypes has it, for whose dtype an array is viewed as `x.view(ml_dtypes.bfloat16)`.
namespace WENGERT_EXPORT wengert {

/// The arrays of a file by their names, in its order, stored or deflated, in C's or Fortran's order of axes. Throws
/// FileError with the path, the array and the reason if the file cannot be read, is damaged, has an array of another
/// dtype, of more axes than a tensor can have or of more bytes than its entry, entries that overlap, or anything that
/// is no array. Arrays take 1040 times the bytes of the file at most, for deflate does not come to more.
NamedTensors load_npz(const std::filesystem::path& path);

/// Writes tensors as NumPy's savez() does, atomically and not compressed; the same tensors are always the same bytes.
/// Throws FileError with the path and the reason if it cannot be written, a name is empty, occurs twice or is not
/// UTF-8, or a tensor is undefined.
void save_npz(const std::filesystem::path& path, const NamedTensors& tensors);

}  // namespace wengert
