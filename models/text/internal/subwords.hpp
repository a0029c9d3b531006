#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <wengert/models/text/internal/splitter.hpp>

namespace wengert {

/// Learns pieces from texts that are normalised as the options say. Throws ValueError.
std::shared_ptr<const Splitter> train_subwords(std::span<const std::string> texts, const SubwordOptions& options);

/// Reads the state() of a splitter. Throws FileError with the path and the reason, ValueError if this build has no
/// libsentencepiece.
std::shared_ptr<const Splitter> load_subwords(const std::filesystem::path& path, bool lowercase);

/// See Tokenizer::from_sentencepiece().
std::shared_ptr<const Splitter> read_sentencepiece(const std::filesystem::path& path, bool lowercase);

}  // namespace wengert
