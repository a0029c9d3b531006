#include <bit>
#include <wengert/ops/onnx/internal/protobuf.hpp>

namespace wengert::onnx {
namespace {

constexpr int varint = 0, length_delimited = 2, fixed32 = 5;  // wire types

}  // namespace

void Message::add_varint(std::uint64_t number) {
    for (; number >= 0x80; number >>= 7) bytes_ += static_cast<char>(number | 0x80);
    bytes_ += static_cast<char>(number);
}

void Message::add_tag(int field, int wire_type) { add_varint(static_cast<std::uint64_t>(field << 3 | wire_type)); }

void Message::add(int field, std::int64_t number) {
    add_tag(field, varint);
    add_varint(static_cast<std::uint64_t>(number));
}

void Message::add(int field, float number) {
    add_tag(field, fixed32);
    const auto bits = std::bit_cast<std::uint32_t>(number);
    for (int shift = 0; shift < 32; shift += 8) bytes_ += static_cast<char>(bits >> shift);
}

void Message::add(int field, std::string_view bytes) {
    add_tag(field, length_delimited);
    add_varint(bytes.size());
    bytes_ += bytes;
}

}  // namespace wengert::onnx
