#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <wengert/models/seq2seq/translator.hpp>

/// A translator on disk. In its directory,
///
///     latest -> checkpoint-3750
///     best -> checkpoint-3000                the one that validation liked most, if it is kept
///     checkpoint-3750/config.json            version, system and its options, tokenizers, longest sentence, steps
///     checkpoint-3750/source.vocabulary      one token a line
///     checkpoint-3750/target.vocabulary
///     checkpoint-3750/source.subwords        what a tokenizer has learned, if it has
///     checkpoint-3750/target.subwords
///     checkpoint-3750/weights.safetensors    under PyTorch's names
///     checkpoint-3750/training.safetensors   what a training needs to go on, if it is kept
///
/// `latest` leads to a whole checkpoint at any time: a new one is written under a name that ends in .partial, renamed
/// when all of it is on the disk, and then takes over `latest` in one step; only then the old one goes.
namespace WENGERT_EXPORT wengert {

struct SaveOptions {
    const NamedTensors* training = nullptr;  ///< Trainer::state()
    bool is_best = false;                    ///< `best` leads here too
    std::int64_t keep = 1;                   ///< so many of the last checkpoints stay, besides the best
};

/// Throws FileError with the path and the reason; `latest` then leads where it led before. What a crash left behind
/// goes first. The directory is made if need be; two processes must not save into it at the same time.
void save_checkpoint(const Translator& translator, const std::filesystem::path& directory,
                     const SaveOptions& options = {});

/// Reads what `latest` leads to, also while another process saves; or `best`, or a checkpoint, if the path is that of
/// one. Throws FileError with the path and the reason if there is no checkpoint, a file cannot be read or is not what
/// it should be, two files do not fit together, or a weight is not finite.
Translator load_checkpoint(const std::filesystem::path& path);

/// A translator whose weights are the means of those of several checkpoints, as a rule the last ones of one training
/// (Vaswani et al. 2017 take five). Each path is as load_checkpoint() takes it. Throws as that does, ValueError if
/// there is no path, and FileError if a checkpoint's system, its options or its vocabularies are not those of the
/// first.
Translator average_checkpoints(std::span<const std::filesystem::path> paths);

/// The state of the training that saved a directory's latest checkpoint. Throws FileError if there is none.
NamedTensors load_training(const std::filesystem::path& directory);

}  // namespace wengert
