#include <wengert/nn/npz.hpp>

// Covers nn/npz.hpp
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <wengert/autograd/tensor/strided.hpp>
#include <wengert/models/text/fingerprint.hpp>
#include <wengert/nn/nn.hpp>

#include "temporary_directory.hpp"

using namespace wengert;

namespace {

const std::filesystem::path npz_fixtures = WENGERT_FIXTURES;

/// The arrays of tests/fixtures/npz_fixtures.py.
NamedTensors numpy_arrays() {
    const Tensor count = arange(24, Dtype::float64);
    const Tensor as_float16 = cast(tensor({0.5, -65504}), Dtype::float16);
    const auto limits = std::numeric_limits<std::int64_t>();
    return {{"float32", cast(reshape(count / 4 - 2, {2, 3, 4}), Dtype::float32)},
            {"float64",
             tensor({0.1, -std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN(), 5e-324},
                    Dtype::float64)},
            {"int64", tensor(std::vector<std::int64_t>{limits.min(), limits.max()}, {1, 2})},
            {"int32", tensor({-2147483648.0, 7}, Dtype::int32)},
            {"bool", tensor({true, false, true})},
            {"float16", as_float16},
            {"bfloat16", cast(tensor({1, -2}), Dtype::bfloat16)},
            {"scalar", scalar(3.5)},
            {"empty", zeros({0, 3})},
            {"fortran", reshape(count, {2, 3, 4})},
            {"layer/\"<&>\" 你好.weight", ones({1, 1})}};
}

void check_same(const NamedTensors& actual, const NamedTensors& expected) {
    REQUIRE(actual.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        INFO(expected[i].first);
        CHECK(actual[i].first == expected[i].first);
        const Tensor x = packed(actual[i].second), y = packed(expected[i].second);
        CHECK(x.dtype() == y.dtype());
        REQUIRE(x.shape() == y.shape());
        CHECK(std::memcmp(x.raw(), y.raw(), static_cast<std::size_t>(y.numel()) * size_of(y.dtype())) == 0);
    }
}

bool npz_is_built() {
    const TemporaryDirectory directory;
    try {
        save_npz(directory.path() / "x.npz", {});
        return true;
    } catch (const ValueError&) {
        return false;
    }
}

/// What a file with these bytes is refused with, without its path.
std::string reason_of(const std::string& bytes) {
    const TemporaryDirectory directory;
    const std::filesystem::path path = directory.path() / "x.npz";
    write_file(path, bytes);
    try {
        load_npz(path);
        return "";
    } catch (const FileError& error) {
        const std::string text = error.what();
        CHECK(text.starts_with(path.string() + ": "));
        return text.substr(path.string().size() + 2);
    }
}

/// A saved file of [2, 3] float32 with one part of its text replaced by another as long. The checksum is that of the
/// old one, but what is wrong with a header is found before the end.
std::string with_header(const std::string& from, const std::string& to) {
    const TemporaryDirectory directory;
    save_npz(directory.path() / "x.npz", {{"x", ones({2, 3})}});
    std::string bytes = content_of(directory.path() / "x.npz");
    REQUIRE(from.size() == to.size());
    const std::size_t at = bytes.find(from);
    REQUIRE(at != std::string::npos);
    return bytes.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("load_npz: what NumPy has written, stored and deflated") {
    if (!npz_is_built()) return;
    check_same(load_npz(npz_fixtures / "numpy.npz"), numpy_arrays());
    check_same(load_npz(npz_fixtures / "numpy_compressed.npz"), numpy_arrays());
}

TEST_CASE("save_npz: NumPy has read just these bytes") {
    if (!npz_is_built()) return;
    const TemporaryDirectory directory;
    const char* const kept = std::getenv("WENGERT_NPZ");
    const std::filesystem::path path = kept != nullptr ? std::filesystem::path(kept) : directory.path() / "x.npz";
    save_npz(path, numpy_arrays());
    check_same(load_npz(path), numpy_arrays());
    if (kept != nullptr) return;
    const nlohmann::json fixture = nlohmann::json::parse(content_of(npz_fixtures / "npz_written.json"));
    CHECK(Fingerprint().add(content_of(path)).value() == fixture.at("fingerprint").get<std::int64_t>());
}

TEST_CASE("save_npz: views, no tensors, and a layer there and back") {
    if (!npz_is_built()) return;
    const TemporaryDirectory directory;
    const std::filesystem::path path = directory.path() / "a \"<&>\" 你好.npz";
    const Tensor x = reshape(arange(6, Dtype::float32), {2, 3});
    save_npz(path, {{"transposed", transpose(x)}, {"column", slice(x, 1, 1, 2)}});
    check_same(load_npz(path), {{"transposed", contiguous(transpose(x))}, {"column", tensor({1, 4}, {2, 1})}});
    save_npz(path, {});
    CHECK(load_npz(path).empty());
    Generator generator(1);
    const Linear layer(3, 2, generator), other(3, 2, generator);
    save_npz(path, named_state(layer));
    assign(named_state(other), load_npz(path));
    check_same(named_state(other), named_state(layer));
}

TEST_CASE("save_npz: what cannot be written, and the old file stays") {
    if (!npz_is_built()) return;
    const TemporaryDirectory directory;
    const std::filesystem::path path = directory.path() / "x.npz";
    write_file(path, "old");
    const auto reason = [&](const NamedTensors& tensors) -> std::string {
        try {
            save_npz(path, tensors);
            return "";
        } catch (const FileError& error) {
            return std::string(error.what()).substr(path.string().size());
        }
    };
    CHECK(reason({{"", ones({1})}}) == ": cannot be written: the name \"\" is empty, or has a zero byte");
    CHECK(reason({{"a", ones({1})}, {"a", ones({1})}}) == ": cannot be written: the name \"a\" occurs twice");
    CHECK(reason({{"a", Tensor()}}) == ": cannot be written: tensor \"a\" is undefined");
    CHECK(reason({{"\xff", ones({1})}}) == ": cannot be written: Invalid argument");
    CHECK(content_of(path) == "old");
    CHECK_THROWS_AS(save_npz(directory.path() / "none" / "x.npz", {}), FileError);
}

TEST_CASE("load_npz: entries that share their bytes, of which a small file could have any number") {
    const std::filesystem::path file = npz_fixtures / ".." / "fuzz" / "corpus" / "npz" / "overlapping";
    CHECK_THROWS_WITH_AS(load_npz(file), (file.string() + ": \"3.npy\" overlaps another entry").c_str(), FileError);
}

TEST_CASE("load_npz: hostile files") {
    if (!npz_is_built()) return;
    CHECK_THROWS_AS(load_npz("/does/not/exist.npz"), FileError);
    CHECK(reason_of("") != "");
    CHECK(reason_of("PK\x05\x06") != "");
    CHECK(reason_of("no archive at all") == "cannot be read: Not a zip archive");
    const std::string whole = with_header("<f4", "<f4");
    CHECK(reason_of(whole) == "");
    // Cut off anywhere, it is refused.
    for (std::size_t size = 0; size < whole.size(); size += 7) {
        CAPTURE(size);
        CHECK(reason_of(whole.substr(0, size)) != "");
    }
    // An element that changed.
    std::string changed = whole;
    const std::size_t element = changed.find(std::string("\0\0\x80\x3f", 4));
    REQUIRE(element != std::string::npos);
    changed[element] = 1;
    CHECK(reason_of(changed) == "\"x.npy\" CRC error");
    CHECK(reason_of(with_header("NUMPY", "DUMMY")) == "\"x.npy\" is no .npy");
    CHECK(reason_of(with_header("NUMPY\x01", "NUMPY\x09")) == "\"x.npy\" is of version 9, and 1 to 3 are known");
    CHECK(reason_of(with_header("<f4", ">f4")) ==
          "\"x.npy\" its dtype '>f4' is not supported: those are f4, f8, i8, i4, b1, f2 and V2 (bfloat16), "
          "little-endian");
    CHECK(reason_of(with_header("<f4", "|O8")).starts_with("\"x.npy\" its dtype '|O8' is not supported"));
    CHECK(reason_of(with_header("(2, 3)", "(2, 4)")) ==
          "\"x.npy\" has 24 bytes of elements, and float32 [2, 4] needs 32");
    CHECK(reason_of(with_header("(2, 3), }   ", "(2, 9e9), } ")).starts_with("\"x.npy\" its header is damaged before"));
    CHECK(reason_of(with_header("(2, 3), }   ", "(-2, 3), }  ")).starts_with("\"x.npy\" its header is damaged before"));
    CHECK(reason_of(with_header("(2, 3), }              ", "(9999999999, 99999), } ")) ==
          "\"x.npy\" has 24 bytes of elements, and float32 [9999999999, 99999] needs 3999959999600004");
    CHECK(reason_of(with_header("(2, 3), }                         ", "(9223372036854775807, 3), }       ")) ==
          "\"x.npy\" its shape is too large");
    CHECK(reason_of(with_header("(2, 3), }                    ", "(1,1,1,1,1,1,1,1,1,2,3), }   ")) ==
          fmt::format("\"x.npy\" it has more axes than {}", Shape::max_rank));
    CHECK(reason_of(with_header("'shape'", "'shapE'")) ==
          "\"x.npy\" its header has the key 'shapE', which is none or is there twice");
    CHECK(reason_of(with_header("False", "Maybe")).starts_with("\"x.npy\" its header is damaged before 'Maybe"));
    CHECK(reason_of(with_header("'descr': '<f4', ", "                ")) ==
          "\"x.npy\" its header lacks one of descr, fortran_order and shape");
}
