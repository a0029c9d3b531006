#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <wengert/models/text/tokenizer.hpp>

namespace wengert {

/// White space between words, where it is a token or a part of one.
inline constexpr std::string_view space_mark = "▁";

/// What a mode of the tokenizer is. Text comes normalised and free of control characters.
class Splitter {
  public:
    virtual ~Splitter() = default;

    virtual Sentence split(std::string_view text) const = 0;
    /// One of the ways to split the text, drawn at random; here there is one way only.
    virtual Sentence sample(std::string_view text, const Sampling&, Generator&) const { return split(text); }
    virtual std::string join(std::span<const std::string> tokens) const = 0;
    /// Every token that split() gives, if their number is known before.
    virtual Sentence pieces() const { return {}; }
    /// What a file has to keep; empty if there is nothing.
    virtual std::string_view state() const { return {}; }
};

std::shared_ptr<const Splitter> word_splitter();
std::shared_ptr<const Splitter> character_splitter();
std::shared_ptr<const Splitter> space_splitter();

}  // namespace wengert
