#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace wengert::onnx {

/// A message of Protocol Buffers on the wire (https://protobuf.dev/programming-guides/encoding/): fields by their
/// numbers, of which a repeated one is written once for each element.
///
/// These few lines are not the library of that name for a reason: libsentencepiece brings another version of it, under
/// the same symbols, and a program with both calls the wrong one.
class Message {
  public:
    void add(int field, std::int64_t number);
    void add(int field, float number);
    /// Bytes, or a text of UTF-8.
    void add(int field, std::string_view bytes);
    void add(int field, const Message& message) { add(field, message.bytes_); }

    const std::string& bytes() const { return bytes_; }

  private:
    void add_varint(std::uint64_t number);
    void add_tag(int field, int wire_type);

    std::string bytes_;
};

}  // namespace wengert::onnx
