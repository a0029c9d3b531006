// Mirrors no file: a fuzz target; target.hpp says what one promises.

#include <optional>
#include <wengert/autograd/tape/scope.hpp>
#include <wengert/nn/onnx.hpp>
#include <wengert/ops/ops.hpp>

#include "target.hpp"

namespace {

/// A number of seven bits a byte at the front of a message, which is taken away; nothing if it is cut off.
std::optional<std::uint64_t> take_varint(std::string_view& message) {
    std::uint64_t number = 0;
    for (int shift = 0; shift < 64 && !message.empty(); shift += 7) {
        const auto byte = static_cast<std::uint8_t>(message.front());
        message.remove_prefix(1);
        number |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
        if (byte < 0x80) return number;
    }
    return std::nullopt;
}

/// Whether a message of Protocol Buffers is fields of the kinds that are written here, to its last byte.
bool is_whole(std::string_view message) {
    while (!message.empty()) {
        const auto tag = take_varint(message);
        if (!tag || *tag >> 3 == 0) return false;
        const std::uint64_t kind = *tag & 7;
        if (kind == 0) {
            if (!take_varint(message)) return false;
        } else if (kind == 2 || kind == 5) {
            const auto length = kind == 5 ? std::optional<std::uint64_t>(4) : take_varint(message);
            if (!length || *length > message.size()) return false;
            message.remove_prefix(*length);
        } else {
            return false;
        }
    }
    return true;
}

}  // namespace

/// Names of an input, its axis, an output, a parameter and a scope, and a text of the metadata, one a line.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wengert;
    fuzz::Bytes input(data, size);
    const std::string in(input.until('\n')), axis(input.until('\n')), out(input.until('\n')),
        parameter(input.until('\n')), scope(input.until('\n')), key(input.until('\n')), value(input.rest());
    // Each name is written a few times.
    fuzz::keep_promise(size, {.each = 100, .fixed = 1 << 17}, [&] {
        Tensor weight = ones({3});
        weight.set_parameter().set_name(parameter);
        const OnnxGraph graph = record_onnx(
            [&](const std::vector<Tensor>& x) {
                const Scope inside(scope);
                return std::vector{tanh(x[0] * weight)};
            },
            {{in, ones({2, 3}), {axis, ""}}}, {out});
        fuzz::require(is_whole(graph.serialized({{key, value}})), "a file of ONNX is no message");
    });
    return 0;
}
