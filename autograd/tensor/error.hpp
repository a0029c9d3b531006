#pragma once

#if __cplusplus < 202002L
#error "Wengert is C++20: compile with -std=c++20 or a later standard."
#endif

#include <cstdint>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <wengert/autograd/tensor/export.hpp>

namespace WENGERT_EXPORT wengert {

/// A line of the user's program. Ops capture it where they are called, and errors, graphs and reports quote it.
struct SourceLine {
    const char* file = nullptr;  ///< as the compiler was given it; null if it is not known
    std::uint32_t line = 0;      ///< counted from 1

    SourceLine() = default;
    /// Made by conversion from std::source_location::current().
    SourceLine(const std::source_location& where) : file(where.file_name()), line(where.line()) {}
};

/// "models/seq2seq/decoder.cpp:41"; empty if unknown.
std::string to_string(const SourceLine& where);

/// Base of everything the library throws. The text says what, which and where:
///
///     matmul: inner dimensions differ: lhs [64, 103] x rhs [550, 50] (103 != 550)
///       in decoder.cell, step 3; rhs = parameter "decoder.cell.weight_ih"
///       at models/seq2seq/decoder.cpp:41
class Error : public std::exception {
  public:
    /// With a message to which locate() may add the op, the scope and the line.
    explicit Error(std::string what) : message_(std::move(what)), text_(message_) {}
    /// The message, then the scope and the line if they are known.
    const char* what() const noexcept override { return text_.c_str(); }

    /// The op that failed, empty if the error has none.
    const std::string& op() const { return op_; }

    /// Puts "op: " before the message and the scope, the operands and the line after it. Only the first call does so:
    /// the op that failed is named, not what called it.
    void locate(std::string_view op, std::string_view scope_and_operands, const SourceLine& where);
    /// The same in place of what an earlier call put there: a function that is composed of ops is named in their stead.
    void relocate(std::string_view op, std::string_view scope_and_operands, const SourceLine& where);

  private:
    std::string message_, text_, op_;
};

/// Axes or lengths that do not fit.
struct ShapeError : Error {
    using Error::Error;
};
/// An element type that the operation does not take.
struct DtypeError : Error {
    using Error::Error;
};
/// An argument outside its domain.
struct ValueError : Error {
    using Error::Error;
};
/// Misuse of a tape: a dead tape, a tensor that was never recorded, a saved tensor that was overwritten.
struct TapeError : Error {
    using Error::Error;
};
/// A gradient was asked through an operation that has none.
struct NotDifferentiableError : Error {
    using Error::Error;
};
/// Anomaly mode met a NaN or an infinity.
struct NonFiniteError : Error {
    using Error::Error;
};
/// The system has no memory for a tensor.
struct OutOfMemoryError : Error {
    using Error::Error;
};
/// A file that cannot be read or written, or whose content is not what it should be.
struct FileError : Error {
    using Error::Error;
};

}  // namespace wengert
