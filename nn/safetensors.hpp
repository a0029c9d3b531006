#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <wengert/nn/module.hpp>
#include <wengert/nn/named_tensors.hpp>

namespace WENGERT_EXPORT wengert {

/// The content of a safetensors file (https://github.com/huggingface/safetensors).
struct TensorFile {
    NamedTensors tensors;                              ///< in the order of the file
    std::map<std::string, std::string> metadata = {};  ///< texts by their names

    /// The tensor of that name. Throws ValueError if there is none.
    const Tensor& at(std::string_view name) const;
};

/// Reads a safetensors file, with the tensors in the order of their data, of each Dtype: F32, F64, I64, I32, BOOL (a
/// byte, of which all but 0 are true), F16 and BF16. Throws FileError with the path and the reason if the file cannot
/// be read, has an element type other than these, or is in any way not as the format says.
TensorFile read_safetensors(const std::filesystem::path& path);

/// Writes a safetensors file, atomically: a crash leaves the old file whole. Longer elements stand before shorter ones,
/// so that all are aligned, otherwise the order is kept. Throws FileError with the path and the reason if it cannot
/// be written, a name occurs twice or is "__metadata__", a tensor is undefined, or a text is not UTF-8.
void write_safetensors(const std::filesystem::path& path, const TensorFile& file);

/// Copies the tensors of a file into those of the same names, which keep their dtype. Throws FileError if they are not
/// the same (see assign()).
void load(const NamedTensors& tensors, const std::filesystem::path& path);

/// Writes the parameters and buffers of a layer under their dotted names. Throws what write_safetensors() throws.
template <Module M>
void save(const M& module, const std::filesystem::path& path, std::map<std::string, std::string> metadata = {}) {
    write_safetensors(path, {named_state(module), std::move(metadata)});
}
/// For a type that is no Module.
template <class M>
requires(!Module<M>) RequireModule<M> save(const M& module, const std::filesystem::path& path);

/// Copies the values of a file into the parameters and buffers of a layer, which keep their dtype. Throws FileError,
/// and leaves them as they were, unless the file has just the layer's names and shapes; the error lists all
/// differences.
template <Module M>
void load(M& module, const std::filesystem::path& path) {
    load(named_state(module), path);
}

}  // namespace wengert
