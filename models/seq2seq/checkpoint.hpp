#pragma once

#include <filesystem>
#include <wengert/models/seq2seq/translator.hpp>

/// A translator on disk. In its directory,
///
///     latest -> checkpoint-3750
///     checkpoint-3750/config.json           sizes of the model, tokenizer, longest sentence, steps of training
///     checkpoint-3750/source.vocabulary     one token a line
///     checkpoint-3750/target.vocabulary
///     checkpoint-3750/weights.safetensors   under PyTorch's names
///
/// `latest` leads to a whole checkpoint at any time: a new one is written under a name that ends in .partial, renamed
/// when all of it is on the disk, and then takes over `latest` in one step; only then the old one goes.
namespace wengert {

/// Throws FileError with the path and the reason; `latest` then leads where it led before. What a crash left behind
/// goes first. The directory is made if need be; two processes must not save into it at the same time.
void save_checkpoint(const Translator& translator, const std::filesystem::path& directory);

/// Reads what `latest` leads to, also while another process saves. Throws FileError with the path and the reason if
/// there is no checkpoint, a file cannot be read or is not what it should be, or two files do not fit together.
Translator load_checkpoint(const std::filesystem::path& directory);

}  // namespace wengert
