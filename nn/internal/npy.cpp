#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <vector>
#include <wengert/nn/internal/npy.hpp>

namespace wengert::npy {
namespace {

constexpr std::string_view magic("\x93NUMPY", 6);
constexpr std::size_t alignment = 64, short_prefix = 10;

/// NumPy's names of dtypes, those that are written first.
struct Description {
    std::string_view name;
    Dtype dtype;
};
constexpr std::array descriptions{
    Description{"<f4", Dtype::float32},  Description{"<f8", Dtype::float64},  Description{"<i8", Dtype::int64},
    Description{"<i4", Dtype::int32},    Description{"|b1", Dtype::boolean},  Description{"<f2", Dtype::float16},
    Description{"|V2", Dtype::bfloat16}, Description{"<V2", Dtype::bfloat16},
};

/// Reads the header's dictionary, a literal of Python.
class Parser {
  public:
    explicit Parser(std::string_view text) : text_(text) {}

    Header parse() {
        std::optional<std::string> description;
        std::optional<bool> fortran_order;
        std::optional<Shape> shape;
        expect('{');
        while (!accepts('}')) {
            const std::string key = parse_text();
            expect(':');
            if (key == "descr" && !description)
                description = parse_text();
            else if (key == "fortran_order" && !fortran_order)
                fortran_order = parse_bool();
            else if (key == "shape" && !shape)
                shape = parse_shape();
            else
                throw FileError(fmt::format("its header has the key '{}', which is none or is there twice", key));
            if (!accepts(',') && !is_next('}')) fail();
        }
        skip_spaces();
        if (!text_.empty()) fail();
        if (!description || !fortran_order || !shape)
            throw FileError("its header lacks one of descr, fortran_order and shape");
        const auto known = std::ranges::find(descriptions, *description, &Description::name);
        if (known == descriptions.end())
            throw FileError(
                fmt::format("its dtype '{}' is not supported: those are f4, f8, i8, i4, b1, f2 and V2 "
                            "(bfloat16), little-endian",
                            *description));
        return {known->dtype, *fortran_order, *shape};
    }

  private:
    [[noreturn]] void fail() const {
        throw FileError(fmt::format("its header is damaged before '{}'", text_.substr(0, 20)));
    }
    void skip_spaces() {
        while (!text_.empty() && (text_[0] == ' ' || text_[0] == '\n')) text_.remove_prefix(1);
    }
    bool is_next(char c) {
        skip_spaces();
        return text_.starts_with(c);
    }
    bool accepts(char c) {
        if (!is_next(c)) return false;
        text_.remove_prefix(1);
        return true;
    }
    void expect(char c) {
        if (!accepts(c)) fail();
    }
    std::string parse_text() {
        const char quote = is_next('"') ? '"' : '\'';
        expect(quote);
        const std::size_t end = text_.find(quote);
        if (end == text_.npos) fail();
        std::string result(text_.substr(0, end));
        text_.remove_prefix(end + 1);
        return result;
    }
    bool parse_bool() {
        skip_spaces();
        for (const auto& [word, value] : {std::pair{std::string_view("True"), true}, {"False", false}})
            if (text_.starts_with(word)) {
                text_.remove_prefix(word.size());
                return value;
            }
        fail();
    }
    /// (), (3,), (3, 4)
    Shape parse_shape() {
        Shape shape;
        // Lengths of 0 count as 1 here: not only the number of elements must be a number, but every stride too.
        std::int64_t product = 1;
        expect('(');
        while (!accepts(')')) {
            skip_spaces();
            std::int64_t length = 0;
            const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), length);
            if (error != std::errc() || length < 0) fail();
            text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
            if (shape.rank() == Shape::max_rank)
                throw FileError(fmt::format("it has more axes than {}", Shape::max_rank));
            const std::int64_t factor = std::max<std::int64_t>(length, 1);
            if (factor > std::numeric_limits<std::int64_t>::max() / 8 / product)
                throw FileError("its shape is too large");
            product *= factor;
            shape.push_back(length);
            if (!accepts(',') && !is_next(')')) fail();
        }
        return shape;
    }

    std::string_view text_;
};

}  // namespace

std::size_t header_bytes(std::string_view prefix) {
    if (!prefix.starts_with(magic)) throw FileError("is no .npy");
    const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(prefix[i])); };
    if (prefix.size() < short_prefix) throw FileError("is cut off");
    const std::size_t version = byte(6);
    if (version == 1) return short_prefix + byte(8) + (byte(9) << 8);
    if (version != 2 && version != 3) throw FileError(fmt::format("is of version {}, and 1 to 3 are known", version));
    if (prefix.size() < most_prefix) throw FileError("is cut off");
    return most_prefix + byte(8) + (byte(9) << 8) + (byte(10) << 16) + (byte(11) << 24);
}

Header parse_header(std::string_view bytes) {
    return Parser(bytes.substr(bytes[6] == 1 ? short_prefix : most_prefix)).parse();
}

std::string header_of(const Tensor& x) {
    const std::vector<std::int64_t> lengths(x.shape().begin(), x.shape().end());
    std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}",
                                   std::ranges::find(descriptions, x.dtype(), &Description::dtype)->name,
                                   fmt::join(lengths, ", "), lengths.size() == 1 ? "," : "");
    const std::size_t whole = (short_prefix + text.size() + 1 + alignment - 1) / alignment * alignment;
    text.resize(whole - short_prefix - 1, ' ');
    text += '\n';
    std::string result(magic);
    result += {'\x01', '\x00', static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
    return result + text;
}

}  // namespace wengert::npy
