#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <list>
#include <memory>
#include <set>
#include <span>
#include <system_error>
#include <vector>
#include <wengert/autograd/tensor/atomic_file.hpp>
#include <wengert/autograd/tensor/strided.hpp>
#include <wengert/nn/internal/npy.hpp>
#include <wengert/nn/npz.hpp>
#include <wengert/ops/shape/copies.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {
namespace {

constexpr std::string_view npy_extension = ".npy";
/// Deflate makes no more bytes of one.
constexpr std::uint64_t most_expansion = 1040;
constexpr std::uint64_t most_npy_header = 1 << 20;

struct CloseZipArchive {
    void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct CloseZipEntry {
    void operator()(zip_file_t* entry) const { zip_fclose(entry); }
};
using ZipArchive = std::unique_ptr<zip_t, CloseZipArchive>;
using ZipEntry = std::unique_ptr<zip_file_t, CloseZipEntry>;

[[noreturn]] void fail_zip(zip_error_t* error) { throw FileError(zip_error_strerror(error)); }

/// Reads n bytes of an entry.
void read_from(zip_file_t* entry, void* to, std::uint64_t n) {
    const zip_int64_t got = zip_fread(entry, to, n);
    if (got < 0) fail_zip(zip_file_get_error(entry));
    if (static_cast<std::uint64_t>(got) != n) throw FileError("is cut off");
}

Tensor read_array(zip_t* archive, const zip_stat_t& of) {
    const ZipEntry entry(zip_fopen_index(archive, of.index, 0));
    if (entry == nullptr) fail_zip(zip_get_error(archive));
    if (of.size > of.comp_size * most_expansion)
        throw FileError(fmt::format("would have {} bytes, and is {}", of.size, of.comp_size));
    std::string header(std::min<std::uint64_t>(of.size, npy::most_prefix), '\0');
    read_from(entry.get(), header.data(), header.size());
    const std::size_t before = npy::header_bytes(header);
    if (before > std::min(of.size, most_npy_header)) throw FileError("is cut off, or its header is damaged");
    const std::size_t prefix = std::min(header.size(), before);
    if (before < header.size()) throw FileError("its header is damaged before ''");
    header.resize(before);
    read_from(entry.get(), header.data() + prefix, before - prefix);
    const npy::Header type = npy::parse_header(header);
    const std::uint64_t bytes = static_cast<std::uint64_t>(type.shape.numel()) * size_of(type.dtype);
    if (of.size - before != bytes)
        throw FileError(fmt::format("has {} bytes of elements, and {} {} needs {}", of.size - before,
                                    to_string(type.dtype), to_string(type.shape), bytes));
    Shape shape = type.shape;
    if (type.fortran_order) std::reverse(shape.begin(), shape.end());
    const Tensor x = Tensor::empty(shape, type.dtype);
    read_from(entry.get(), x.raw(), bytes);
    // The end, where the checksum is compared.
    char more = 0;
    if (zip_fread(entry.get(), &more, 1) < 0) fail_zip(zip_file_get_error(entry.get()));
    // A bool of another value than 0 and 1 is none to the compiler.
    if (type.dtype == Dtype::boolean)
        for (std::byte& element : std::span(static_cast<std::byte*>(x.raw()), bytes))
            element = element == std::byte{0} ? std::byte{0} : std::byte{1};
    if (!type.fortran_order) return x;
    Shape order = shape;
    for (int axis = 0; axis < order.rank(); ++axis) order[axis] = order.rank() - 1 - axis;
    return packed(permute(x, order));
}

NamedTensors read_arrays(const std::filesystem::path& path) {
    int code = 0;
    const ZipArchive archive(zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code));
    if (archive == nullptr) {
        zip_error_t error;
        zip_error_init_with_code(&error, code);
        const std::string reason = zip_error_strerror(&error);
        zip_error_fini(&error);
        throw FileError(fmt::format("cannot be read: {}", reason));
    }
    NamedTensors tensors;
    std::set<std::string> names;
    std::error_code error;
    const std::uintmax_t bytes = std::filesystem::file_size(path, error);
    if (error) throw FileError("cannot be read: " + error.message());
    std::uintmax_t taken = 0;
    const zip_int64_t count = zip_get_num_entries(archive.get(), 0);
    for (zip_int64_t i = 0; i < count; ++i) {
        zip_stat_t entry;
        if (zip_stat_index(archive.get(), static_cast<zip_uint64_t>(i), 0, &entry) != 0)
            fail_zip(zip_get_error(archive.get()));
        std::string name = entry.name;
        try {
            if (!name.ends_with(npy_extension)) throw FileError("is no .npy");
            name.resize(name.size() - npy_extension.size());
            if (!names.insert(name).second) throw FileError("is there twice");
            // Entries that share their bytes would be arrays of any size in a small file.
            taken += entry.comp_size;
            if (entry.comp_size > bytes || taken > bytes) throw FileError("overlaps another entry");
            tensors.emplace_back(name, read_array(archive.get(), entry));
        } catch (const FileError& error) {
            throw FileError(fmt::format("\"{}\" {}", entry.name, error.what()));
        }
    }
    return tensors;
}

/// A zip archive in memory.
class ZipWriter {
  public:
    ZipWriter() {
        zip_error_init(&error_);
        source_ = zip_source_buffer_create(nullptr, 0, 0, &error_);
        if (source_ == nullptr) fail_zip(&error_);
        archive_.reset(zip_open_from_source(source_, ZIP_TRUNCATE, &error_));
        if (archive_ == nullptr) {
            zip_source_free(source_);
            fail_zip(&error_);
        }
        zip_source_keep(source_);  // the archive gives its own back when it closes
    }
    ~ZipWriter() {
        archive_.reset();
        zip_source_free(source_);
        zip_error_fini(&error_);
    }
    ZipWriter(const ZipWriter&) = delete;
    ZipWriter& operator=(const ZipWriter&) = delete;

    /// The elements are read when the archive closes.
    void add(const std::string& name, const Tensor& x) {
        const Tensor dense = packed(x);
        std::string& bytes = contents_.emplace_back(npy::header_of(dense));
        bytes.append(static_cast<const char*>(dense.raw()),
                     static_cast<std::size_t>(dense.numel()) * size_of(dense.dtype()));
        zip_source_t* const content = zip_source_buffer(archive_.get(), bytes.data(), bytes.size(), 0);
        if (content == nullptr) fail_zip(zip_get_error(archive_.get()));
        const zip_int64_t index =
            zip_file_add(archive_.get(), (name + std::string(npy_extension)).c_str(), content, ZIP_FL_ENC_UTF_8);
        if (index < 0) {
            zip_source_free(content);
            fail_zip(zip_get_error(archive_.get()));
        }
        const auto at = static_cast<zip_uint64_t>(index);
        // No time, so that the same tensors are the same bytes: midnight of the format's first day, as NumPy has it.
        constexpr zip_uint16_t first_day = 1 << 5 | 1;
        if (zip_set_file_compression(archive_.get(), at, ZIP_CM_STORE, 0) != 0 ||
            zip_file_set_dostime(archive_.get(), at, 0, first_day, 0) != 0)
            fail_zip(zip_get_error(archive_.get()));
    }

    void write(AtomicFile& to) {
        if (zip_close(archive_.get()) != 0) fail_zip(zip_get_error(archive_.get()));
        static_cast<void>(archive_.release());
        zip_stat_t whole;
        if (zip_source_stat(source_, &whole) != 0 || zip_source_open(source_) != 0) fail_zip(zip_source_error(source_));
        std::vector<std::byte> chunk(std::size_t{1} << 20);
        zip_int64_t got = 0;
        while ((got = zip_source_read(source_, chunk.data(), chunk.size())) > 0)
            to.write(std::span(chunk).first(static_cast<std::size_t>(got)));
        if (got < 0) fail_zip(zip_source_error(source_));
        zip_source_close(source_);
    }

  private:
    zip_error_t error_;
    zip_source_t* source_ = nullptr;
    std::list<std::string> contents_;
    ZipArchive archive_;
};

}  // namespace

NamedTensors load_npz(const std::filesystem::path& path) {
    try {
        return read_arrays(path);
    } catch (const FileError& error) {
        throw FileError(fmt::format("{}: {}", path.string(), error.what()));
    }
}

void save_npz(const std::filesystem::path& path, const NamedTensors& tensors) {
    try {
        std::set<std::string_view> names;
        for (const auto& [name, x] : tensors) {
            if (name.empty() || name.find('\0') != name.npos)
                throw FileError(fmt::format("the name \"{}\" is empty, or has a zero byte", name));
            if (!names.insert(name).second) throw FileError(fmt::format("the name \"{}\" occurs twice", name));
            if (!x.defined()) throw FileError(fmt::format("tensor \"{}\" is undefined", name));
        }
    } catch (const FileError& error) {
        throw FileError(fmt::format("{}: cannot be written: {}", path.string(), error.what()));
    }
    AtomicFile file(path);
    try {
        if (tensors.empty()) {
            // libzip deletes an archive without entries, in place of writing it.
            static constexpr char end_of_archive[22] = {'P', 'K', 5, 6};
            file.write(std::as_bytes(std::span(end_of_archive)));
        } else {
            ZipWriter archive;
            for (const auto& [name, x] : tensors) archive.add(name, x);
            archive.write(file);
        }
    } catch (const FileError& error) {
        throw FileError(fmt::format("{}: cannot be written: {}", path.string(), error.what()));
    }
    file.commit();
}

}  // namespace wengert
