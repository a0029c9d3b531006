#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <fstream>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <system_error>
#include <wengert/autograd/tensor/atomic_file.hpp>
#include <wengert/autograd/tensor/strided.hpp>
#include <wengert/nn/safetensors.hpp>

namespace wengert {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little,
              "safetensors files are little-endian, and are read as they are");

constexpr const char* metadata_key = "__metadata__";
constexpr std::uint64_t max_header = 100'000'000;  // bytes, as in the format's own implementation
constexpr std::size_t length_bytes = sizeof(std::uint64_t);

/// How a file calls its elements.
struct ElementType {
    std::string_view name;
    Dtype dtype;
};
constexpr std::array element_types{
    ElementType{"F32", Dtype::float32},   ElementType{"F64", Dtype::float64},  ElementType{"I64", Dtype::int64},
    ElementType{"I32", Dtype::int32},     ElementType{"BOOL", Dtype::boolean}, ElementType{"F16", Dtype::float16},
    ElementType{"BF16", Dtype::bfloat16},
};

std::string_view written_name(Dtype dtype) {
    return std::ranges::find(element_types, dtype, &ElementType::dtype)->name;
}

/// An entry of the header, checked but for its place among the others.
struct Entry {
    std::string name;
    ElementType type;
    Shape shape;
    std::uint64_t begin, end;  // of the elements, in bytes of the data
};

std::string system_reason() { return errno != 0 ? std::generic_category().message(errno) : "input ended early"; }

void read_bytes(std::ifstream& stream, void* to, std::uint64_t n) {
    errno = 0;
    if (!stream.read(static_cast<char*>(to), static_cast<std::streamsize>(n)))
        throw FileError("cannot be read: " + system_reason());
}

/// The header, which nests no deeper than a file's, a tensor's and its shape's brackets, and has no name twice.
json parse_header(const std::string& text) {
    if (!text.starts_with('{')) throw FileError("the header does not begin with {");
    std::vector<std::set<std::string>> keys;
    const auto check = [&](int depth, json::parse_event_t event, json& value) {
        using Event = json::parse_event_t;
        if ((event == Event::object_start || event == Event::array_start) && depth > 2)
            throw FileError("the header is nested too deeply");
        if (event == Event::object_start) keys.emplace_back();
        if (event == Event::object_end) keys.pop_back();
        if (event == Event::key && !keys.back().insert(value.get<std::string>()).second)
            throw FileError(fmt::format("the name \"{}\" occurs twice", value.get<std::string>()));
        return true;
    };
    try {
        return json::parse(text, check);
    } catch (const json::exception& error) {
        throw FileError(fmt::format("the header is not valid JSON: {}", error.what()));
    }
}

/// A number of the header that counts something.
std::int64_t parse_count(const json& value, std::string_view of) {
    if (!value.is_number_unsigned() ||
        value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        throw FileError(fmt::format("{} has {}, which is not a count", of, value.dump()));
    return value.get<std::int64_t>();
}

Shape parse_shape(const json& value) {
    if (!value.is_array()) throw FileError("shape is not a list");
    if (value.size() > Shape::max_rank)
        throw FileError(fmt::format("it has {} axes, at most {} are supported", value.size(), Shape::max_rank));
    Shape shape;
    // Lengths of 0 count as 1 here: not only the number of elements must be a number, but every stride too.
    std::int64_t product = 1;
    for (const json& length : value) {
        shape.push_back(parse_count(length, "shape"));
        const std::int64_t factor = std::max<std::int64_t>(shape.back(), 1);
        if (factor > std::numeric_limits<std::int64_t>::max() / 8 / product)
            throw FileError(fmt::format("shape {} is too large", value.dump()));
        product *= factor;
    }
    return shape;
}

Entry parse_entry(const std::string& name, const json& value, std::uint64_t data_bytes) {
    if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value.contains("shape") ||
        !value.contains("data_offsets"))
        throw FileError("it must have dtype, shape and data_offsets, and nothing else");
    const auto type =
        std::ranges::find_if(element_types, [&](const ElementType& t) { return value["dtype"] == t.name; });
    if (type == element_types.end()) throw FileError(fmt::format("dtype {} is not supported", value["dtype"].dump()));
    const json& offsets = value["data_offsets"];
    if (!offsets.is_array() || offsets.size() != 2) throw FileError("data_offsets is not a list of two numbers");

    Entry entry{name, *type, parse_shape(value["shape"]), 0, 0};
    entry.begin = static_cast<std::uint64_t>(parse_count(offsets[0], "data_offsets"));
    entry.end = static_cast<std::uint64_t>(parse_count(offsets[1], "data_offsets"));
    if (entry.begin > entry.end || entry.end > data_bytes)
        throw FileError(fmt::format("data_offsets {} are outside the data of {} bytes", offsets.dump(), data_bytes));
    const std::uint64_t bytes = static_cast<std::uint64_t>(entry.shape.numel()) * size_of(type->dtype);
    if (entry.end - entry.begin != bytes)
        throw FileError(fmt::format("data_offsets {} are {} bytes, but {} {} needs {}", offsets.dump(),
                                    entry.end - entry.begin, type->name, to_string(entry.shape), bytes));
    return entry;
}

std::map<std::string, std::string> parse_metadata(const json& value) {
    const auto is_text = [](const json& text) { return text.is_string(); };
    if (!value.is_object() || !std::all_of(value.begin(), value.end(), is_text))
        throw FileError(fmt::format("{} is not a map of texts", metadata_key));
    return value.get<std::map<std::string, std::string>>();
}

/// All entries in the order of their data, of which they must cover every byte once.
std::vector<Entry> parse_entries(const json& header, std::uint64_t data_bytes) {
    std::vector<Entry> entries;
    for (const auto& [name, value] : header.items()) {
        if (name == metadata_key) continue;
        try {
            entries.push_back(parse_entry(name, value, data_bytes));
        } catch (const FileError& error) {
            throw FileError(fmt::format("tensor \"{}\": {}", name, error.what()));
        }
    }
    std::ranges::sort(
        entries, [](const Entry& a, const Entry& b) { return a.begin != b.begin ? a.begin < b.begin : a.end < b.end; });
    std::uint64_t end = 0;
    for (const Entry& entry : entries) {
        if (entry.begin < end) throw FileError(fmt::format("tensor \"{}\" overlaps another", entry.name));
        if (entry.begin > end)
            throw FileError(
                fmt::format("the {} bytes before tensor \"{}\" belong to none", entry.begin - end, entry.name));
        end = entry.end;
    }
    if (end != data_bytes) throw FileError(fmt::format("the last {} bytes belong to no tensor", data_bytes - end));
    return entries;
}

Tensor read_tensor(std::ifstream& stream, const Entry& entry) {
    const Tensor x = Tensor::empty(entry.shape, entry.type.dtype);
    read_bytes(stream, x.raw(), entry.end - entry.begin);
    // A bool of another value than 0 and 1 is none to the compiler.
    if (entry.type.dtype == Dtype::boolean)
        for (std::byte& element : std::span(static_cast<std::byte*>(x.raw()), static_cast<std::size_t>(x.numel())))
            element = element == std::byte{0} ? std::byte{0} : std::byte{1};
    return x;
}

TensorFile read_tensors(const std::filesystem::path& path) {
    std::error_code error;
    const std::uint64_t size = std::filesystem::file_size(path, error);
    if (error) throw FileError("cannot be read: " + error.message());
    errno = 0;
    std::ifstream stream(path, std::ios::binary);
    if (!stream) throw FileError("cannot be read: " + system_reason());
    if (size < length_bytes) throw FileError(fmt::format("is no safetensors file: it has only {} bytes", size));
    std::uint64_t header_bytes = 0;
    read_bytes(stream, &header_bytes, length_bytes);
    if (header_bytes > std::min(size - length_bytes, max_header))
        throw FileError(fmt::format(
            "is cut off or no safetensors file: its header would have {} bytes, the file has {}", header_bytes, size));
    std::string text(header_bytes, '\0');
    read_bytes(stream, text.data(), header_bytes);

    const json header = parse_header(text);
    TensorFile file;
    if (header.contains(metadata_key)) file.metadata = parse_metadata(header[metadata_key]);
    for (const Entry& entry : parse_entries(header, size - length_bytes - header_bytes))
        file.tensors.emplace_back(entry.name, read_tensor(stream, entry));
    return file;
}

/// The header of tensors whose data follow one another, padded with spaces so that the data begin at a multiple of 8.
std::string make_header(const NamedTensors& tensors, const std::map<std::string, std::string>& metadata) {
    json header = json::object();
    if (!metadata.empty()) header[metadata_key] = metadata;
    std::uint64_t end = 0;
    for (const auto& [name, x] : tensors) {
        if (name == metadata_key) throw FileError(fmt::format("no tensor may be called {}", metadata_key));
        const std::uint64_t begin = end;
        end += static_cast<std::uint64_t>(x.numel()) * size_of(x.dtype());
        const json entry = {{"dtype", written_name(x.dtype())},
                            {"shape", std::vector<std::int64_t>(x.shape().begin(), x.shape().end())},
                            {"data_offsets", {begin, end}}};
        if (!header.emplace(name, entry).second) throw FileError(fmt::format("the name \"{}\" occurs twice", name));
    }
    std::string text;
    try {
        text = header.dump();
    } catch (const json::type_error&) {
        throw FileError("a name or a text of the metadata is not valid UTF-8");
    }
    text.resize((text.size() + 7) / 8 * 8, ' ');
    if (text.size() > max_header)
        throw FileError(
            fmt::format("names and metadata take {} bytes, more than the {} of the format", text.size(), max_header));
    return text;
}

}  // namespace

const Tensor& TensorFile::at(std::string_view name) const {
    const auto found = std::ranges::find_if(tensors, [&](const auto& entry) { return entry.first == name; });
    if (found == tensors.end()) throw ValueError(fmt::format("there is no tensor \"{}\"", name));
    return found->second;
}

TensorFile read_safetensors(const std::filesystem::path& path) {
    try {
        return read_tensors(path);
    } catch (const FileError& error) {
        throw FileError(fmt::format("{}: {}", path.string(), error.what()));
    }
}

void write_safetensors(const std::filesystem::path& path, const TensorFile& file) {
    NamedTensors tensors = file.tensors;
    std::string header;
    try {
        for (const auto& [name, x] : tensors)
            if (!x.defined()) throw FileError(fmt::format("tensor \"{}\" is undefined", name));
        std::ranges::stable_sort(tensors, std::ranges::greater(),
                                 [](const auto& entry) { return size_of(entry.second.dtype()); });
        header = make_header(tensors, file.metadata);
    } catch (const FileError& error) {
        throw FileError(fmt::format("{}: cannot be written: {}", path.string(), error.what()));
    }

    AtomicFile out(path);
    const std::uint64_t header_bytes = header.size();
    out.write(std::as_bytes(std::span(&header_bytes, 1)));
    out.write(std::as_bytes(std::span(header)));
    for (const auto& [name, x] : tensors) {
        const Tensor dense = packed(x);
        out.write(
            {static_cast<const std::byte*>(dense.raw()), static_cast<std::size_t>(x.numel()) * size_of(x.dtype())});
    }
    out.commit();
}

void load(const NamedTensors& tensors, const std::filesystem::path& path) {
    const TensorFile file = read_safetensors(path);
    try {
        assign(tensors, file.tensors);
    } catch (const ValueError& error) {
        throw FileError(fmt::format("{}: {}", path.string(), error.what()));
    }
}

}  // namespace wengert
