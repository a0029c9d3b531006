#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <wengert/nn/safetensors.hpp>
#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/shape/views.hpp>

#include "../values.hpp"
#include "models/text/temporary_file.hpp"

using namespace wengert;

namespace {

std::string file_of(const std::string& header, const std::string& data = {}) {
    const std::uint64_t length = header.size();
    std::string bytes(sizeof length, '\0');
    std::memcpy(bytes.data(), &length, sizeof length);
    return bytes + header + data;
}

/// What reading a file of this content throws, without the path.
std::string error_of(const std::string& content) {
    const TemporaryFile file(content);
    try {
        read_safetensors(file.path());
    } catch (const FileError& error) {
        const std::string what = error.what();
        REQUIRE(what.starts_with(file.name() + ": "));
        return what.substr(file.name().size() + 2);
    }
    return "";
}

std::string error_of_tensor(const std::string& entry, const std::string& data = {}) {
    const std::string error = error_of(file_of(R"({"x":)" + entry + '}', data));
    const std::string prefix = "tensor \"x\": ";
    return error.starts_with(prefix) ? error.substr(prefix.size()) : error;
}

template <class T>
std::string bytes_of(std::initializer_list<T> values) {
    std::string bytes(values.size() * sizeof(T), '\0');
    std::memcpy(bytes.data(), values.begin(), bytes.size());
    return bytes;
}

struct Layer {
    Tensor weight, bias;
    void visit(auto&& f) {
        f("weight", weight);
        f("bias", bias);
    }
};

struct Model {
    Layer first, second;
    void visit(auto&& f) {
        f("first", first);
        f("second", second);
    }
};

Model make_model(double value, Dtype dtype = Dtype::float32) {
    Model model{{full({2, 3}, value, dtype), full({2}, value + 1, dtype)}, {full({1, 2}, value + 2, dtype), {}}};
    name_parameters(model);
    return model;
}

}  // namespace

TEST_CASE("a file of PyTorch's is read with its names, shapes, values and metadata") {
    const TensorFile file = read_safetensors(WENGERT_FIXTURES "/seq2seq.safetensors");
    CHECK(file.metadata.contains("torch"));
    CHECK(file.at("target").dtype() == Dtype::int64);
    CHECK(file.at("target").shape() == Shape{3, 5});
    CHECK(file.at("target").at<std::int64_t>({0, 0}) == 1);
    CHECK(file.at("loss").rank() == 0);
    CHECK(file.at("loss").item() == doctest::Approx(std::log(9)).epsilon(0.2));
    CHECK_THROWS_WITH_AS(file.at("los"), "there is no tensor \"los\"", ValueError);
}

TEST_CASE("what is written is read again, bit for bit") {
    const TemporaryFile target;
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const TensorFile written{{{"double", tensor({1.0 / 3, -0.0, nan}, Dtype::float64)},
                              {"ids", tensor(std::vector<std::int64_t>{std::int64_t{1} << 62, -5}, {2, 1})},
                              {"scalar", scalar(7)},
                              {"whole", tensor({-5, 0x1p31 - 1}, Dtype::int32)},
                              {"none", zeros({0, 4})},
                              {"half", tensor({0.1, -0.0, nan, 1e9, 0x1p-24}, Dtype::float16)},
                              {"brain", tensor({0.1, 3e38}, Dtype::bfloat16)},
                              {"mask", tensor({true, false, true}, {1, 3})},
                              {"a \"name\" with \\ and 我", tensor({1, 2, 3, 4, 5, 6}, {1, 2, 3})}},
                             {{"format", "pt"}, {"note", "line\nbreak"}}};
    write_safetensors(target.path(), written);
    const TensorFile read = read_safetensors(target.path());
    CHECK(read.metadata == written.metadata);
    REQUIRE(read.tensors.size() == written.tensors.size());
    for (const auto& [name, x] : written.tensors) {
        CAPTURE(name);
        const Tensor& y = read.at(name);
        CHECK(y.shape() == x.shape());
        REQUIRE(y.dtype() == x.dtype());
        CHECK(std::memcmp(y.raw(), x.raw(), static_cast<std::size_t>(x.numel()) * size_of(x.dtype())) == 0);
    }
}

TEST_CASE("the format to the byte: long elements first, the data at a multiple of 8") {
    const TemporaryFile target;
    const Tensor row = tensor({1, 2}), column = tensor({1, 2, 3, 4}, {2, 2});
    write_safetensors(target.path(),
                      {{{"b", row}, {"a", tensor({0.5}, Dtype::float64)}, {"t", transpose(column)}}, {{"k", "v"}}});
    std::string header =
        R"({"__metadata__":{"k":"v"},"a":{"data_offsets":[0,8],"dtype":"F64","shape":[1]},)"
        R"("b":{"data_offsets":[8,16],"dtype":"F32","shape":[2]},"t":{"data_offsets":[16,32],"dtype":"F32","shape":[2,2]}})";
    header.resize((header.size() + 7) / 8 * 8, ' ');
    CHECK(target.content() ==
          file_of(header, bytes_of<double>({0.5}) + bytes_of<float>({1, 2}) + bytes_of<float>({1, 3, 2, 4})));
    CHECK(read_safetensors(target.path()).tensors[0].first == "a");
    CHECK(read_safetensors(target.path()).tensors[2].first == "t");
}

TEST_CASE("no tensors at all") {
    const TemporaryFile target;
    write_safetensors(target.path(), {});
    CHECK(target.content() == file_of("{}      "));
    CHECK(read_safetensors(target.path()).tensors.empty());
}

TEST_CASE("half precision is read as it is stored, and loaded into what a layer has") {
    const auto read = [](const std::string& dtype, std::initializer_list<std::uint16_t> bits) {
        const std::string n = std::to_string(bits.size());
        const TemporaryFile file(file_of(R"({"x":{"dtype":")" + dtype + R"(","shape":[)" + n +
                                             R"(],"data_offsets":[0,)" + std::to_string(2 * bits.size()) + "]}}",
                                         bytes_of(bits)));
        const Tensor x = read_safetensors(file.path()).at("x");
        CHECK(x.dtype() == (dtype == "F16" ? Dtype::float16 : Dtype::bfloat16));
        Tensor loaded = zeros(x.shape());
        load({{"x", loaded}}, file.path());
        const std::vector<float> values = x.to_vector<float>();
        CHECK(elements(isnan(loaded)) == elements(isnan(cast(x, Dtype::float64))));
        for (std::size_t i = 0; i < values.size(); ++i)
            if (!std::isnan(values[i])) CHECK(loaded.at<float>({static_cast<std::int64_t>(i)}) == values[i]);
        return values;
    };
    const float infinity = std::numeric_limits<float>::infinity();
    const std::vector<float> half =
        read("F16", {0x3C00, 0xC000, 0x7BFF, 0x3555, 0x0001, 0x83FF, 0x8000, 0x7C00, 0xFC00, 0x7E00});
    CHECK(std::vector(half.begin(), half.end() - 1) ==
          std::vector<float>{1, -2, 65504, 0.333251953125f, 0x1p-24f, -0x3FFp-24f, 0, infinity, -infinity});
    CHECK(std::signbit(half[6]));
    CHECK(std::isnan(half[9]));
    const std::vector<float> brain = read("BF16", {0x3F80, 0xC000, 0x3EAB, 0xFF80, 0x7FC0});
    CHECK(std::vector(brain.begin(), brain.end() - 1) == std::vector<float>{1, -2, 0.333984375f, -infinity});
    CHECK(std::isnan(brain[4]));
}

TEST_CASE("integers of 32 bits, and bytes of which all but 0 are true") {
    const TemporaryFile mask(
        file_of(R"({"x":{"dtype":"BOOL","shape":[4],"data_offsets":[0,4]}})", std::string("\0\1\2\xFF", 4)));
    CHECK(read_safetensors(mask.path()).at("x").to_vector<bool>() == std::vector<bool>{false, true, true, true});
    const TemporaryFile whole(
        file_of(R"({"x":{"dtype":"I32","shape":[2,1],"data_offsets":[0,8]}})", bytes_of<std::int32_t>({-7, 1 << 30})));
    CHECK(read_safetensors(whole.path()).at("x").to_vector<std::int32_t>() == std::vector<std::int32_t>{-7, 1 << 30});
    Tensor ids = zeros({2, 1}, Dtype::int64);
    load({{"x", ids}}, whole.path());
    CHECK(elements(ids) == Values{-7, 1 << 30});
    CHECK_THROWS_AS(load({{"x", zeros({2, 1})}}, whole.path()), FileError);
}

TEST_CASE("a file that is cut off or something else") {
    CHECK(error_of("") == "is no safetensors file: it has only 0 bytes");
    CHECK(error_of("1234567") == "is no safetensors file: it has only 7 bytes");
    CHECK(error_of("12345678") ==
          "is cut off or no safetensors file: its header would have 4050765991979987505 bytes, the file has 8");
    CHECK(error_of(std::string(8, '\xFF') + "{}") ==
          "is cut off or no safetensors file: its header would have 18446744073709551615 bytes, the file has 10");
    CHECK(error_of(file_of("{}").substr(0, 9)) ==
          "is cut off or no safetensors file: its header would have 2 bytes, the file has 9");
    CHECK(error_of(file_of("{}", "x")) == "the last 1 bytes belong to no tensor");
}

TEST_CASE("a header that is not one") {
    CHECK(error_of(file_of("")) == "the header does not begin with {");
    CHECK(error_of(file_of("[]")) == "the header does not begin with {");
    CHECK(error_of(file_of(" {}")) == "the header does not begin with {");
    const auto is_json_error = [](const std::string& header) {
        return error_of(file_of(header)).starts_with("the header is not valid JSON: ");
    };
    CHECK(is_json_error("{"));
    CHECK(is_json_error("{} {}"));
    CHECK(is_json_error("{\"\xFF\":1}"));
    CHECK(is_json_error(R"({"x":1e999})"));
    CHECK(error_of(file_of(R"({"x":[[[1]]]})")) == "the header is nested too deeply");
    CHECK(error_of(file_of("{\"x\":" + std::string(100'000, '['))) == "the header is nested too deeply");
    const std::string entry = R"({"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
    CHECK(error_of(file_of(R"({"x":)" + entry + R"(,"x":)" + entry + "}")) == "the name \"x\" occurs twice");
    CHECK(error_of_tensor(R"({"dtype":"F32","dtype":"F64","shape":[0],"data_offsets":[0,0]})") ==
          "the name \"dtype\" occurs twice");
    CHECK(error_of(file_of(R"({"__metadata__":{"a":1}})")) == "__metadata__ is not a map of texts");
    CHECK(error_of(file_of(R"({"__metadata__":["a"]})")) == "__metadata__ is not a map of texts");
    CHECK(error_of(file_of(R"({"__metadata__":"a"})")) == "__metadata__ is not a map of texts");
}

TEST_CASE("an entry that is not one") {
    const std::string incomplete = "it must have dtype, shape and data_offsets, and nothing else";
    CHECK(error_of_tensor("1") == incomplete);
    CHECK(error_of_tensor("[]") == incomplete);
    CHECK(error_of_tensor(R"({"dtype":"F32","shape":[]})") == incomplete);
    CHECK(error_of_tensor(R"({"dtype":"F32","shape":[],"offsets":[0,4]})", "1234") == incomplete);
    CHECK(error_of_tensor(R"({"dtype":"F32","shape":[],"data_offsets":[0,4],"more":1})", "1234") == incomplete);
    CHECK(error_of_tensor(R"({"dtype":"U32","shape":[],"data_offsets":[0,4]})", "1234") ==
          "dtype \"U32\" is not supported");
    CHECK(error_of_tensor(R"({"dtype":4,"shape":[],"data_offsets":[0,4]})", "1234") == "dtype 4 is not supported");
    CHECK(error_of_tensor(R"({"dtype":"F32","shape":1,"data_offsets":[0,4]})", "1234") == "shape is not a list");
    const auto shape = [](const std::string& lengths) {
        return error_of_tensor(R"({"dtype":"F32","shape":[)" + lengths + R"(],"data_offsets":[0,4]})", "1234");
    };
    CHECK(shape("-1") == "shape has -1, which is not a count");
    CHECK(shape("1.0") == "shape has 1.0, which is not a count");
    CHECK(shape("\"1\"") == "shape has \"1\", which is not a count");
    CHECK(shape("18446744073709551615") == "shape has 18446744073709551615, which is not a count");
    CHECK(shape("1,1,1,1,1,1,1") == "it has 7 axes, at most 6 are supported");
    CHECK(shape("4294967296,4294967296") == "shape [4294967296,4294967296] is too large");
    CHECK(shape("9223372036854775807") == "shape [9223372036854775807] is too large");
    CHECK(shape("0,4294967296,4294967296") == "shape [0,4294967296,4294967296] is too large");
    CHECK(shape("2") == "data_offsets [0,4] are 4 bytes, but F32 [2] needs 8");
    CHECK(shape("0") == "data_offsets [0,4] are 4 bytes, but F32 [0] needs 0");
    const auto offsets = [](const std::string& numbers) {
        return error_of_tensor(R"({"dtype":"F32","shape":[1],"data_offsets":)" + numbers + "}", "1234");
    };
    CHECK(offsets("4") == "data_offsets is not a list of two numbers");
    CHECK(offsets("[4]") == "data_offsets is not a list of two numbers");
    CHECK(offsets("[0,4,8]") == "data_offsets is not a list of two numbers");
    CHECK(offsets("[-4,0]") == "data_offsets has -4, which is not a count");
    CHECK(offsets("[0,null]") == "data_offsets has null, which is not a count");
    CHECK(offsets("[4,0]") == "data_offsets [4,0] are outside the data of 4 bytes");
    CHECK(offsets("[4,8]") == "data_offsets [4,8] are outside the data of 4 bytes");
    CHECK(offsets("[0,9223372036854775807]") == "data_offsets [0,9223372036854775807] are outside the data of 4 bytes");
}

TEST_CASE("the tensors must cover the data, each byte once") {
    const auto two = [](int begin_a, int begin_b) {
        const auto entry = [](int begin) {
            return R"({"dtype":"F32","shape":[1],"data_offsets":[)" + std::to_string(begin) + "," +
                   std::to_string(begin + 4) + "]}";
        };
        return error_of(file_of(R"({"a":)" + entry(begin_a) + R"(,"b":)" + entry(begin_b) + "}", "12345678"));
    };
    CHECK(two(0, 4) == "");
    CHECK(two(4, 0) == "");
    CHECK(two(0, 0) == "tensor \"b\" overlaps another");
    CHECK(two(0, 2) == "tensor \"b\" overlaps another");
    CHECK(two(1, 4) == "the 1 bytes before tensor \"a\" belong to none");
    CHECK(error_of_tensor(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})", "12345") ==
          "the last 1 bytes belong to no tensor");
}

TEST_CASE("a file that is damaged anywhere is read or refused, nothing else") {
    const TemporaryFile target;
    write_safetensors(target.path(), {{{"w", ones({2, 3})}, {"n", zeros({2}, Dtype::int64)}}, {{"k", "v"}}});
    const std::string whole = target.content();
    for (std::size_t length = 0; length < whole.size(); ++length) CHECK(error_of(whole.substr(0, length)) != "");
    int refused = 0;
    for (std::size_t i = 0; i < whole.size() - 40; ++i) {
        for (const char byte : {'\0', '"', '[', '0', '9', '-', '\xFF'}) {
            std::string damaged = whole;
            damaged[i] = byte;
            refused += error_of(damaged) != "";
        }
    }
    CHECK(refused > 500);
}

TEST_CASE("a path that cannot be read is named with the system's reason") {
    CHECK_THROWS_WITH_AS(read_safetensors("/no/such/file"), "/no/such/file: cannot be read: No such file or directory",
                         FileError);
    CHECK_THROWS_WITH_AS(read_safetensors("/"), "/: cannot be read: Is a directory", FileError);
}

TEST_CASE("what cannot be written is refused before the old file is touched") {
    const TemporaryFile target("old");
    const auto error = [&](const TensorFile& file) -> std::string {
        try {
            write_safetensors(target.path(), file);
        } catch (const FileError& e) {
            return std::string(e.what()).substr(target.name().size());
        }
        return "";
    };
    const Tensor x = ones({1});
    CHECK(error({{{"a", x}, {"a", x}}}) == ": cannot be written: the name \"a\" occurs twice");
    CHECK(error({{{"__metadata__", x}}}) == ": cannot be written: no tensor may be called __metadata__");
    CHECK(error({{{"a", Tensor()}}}) == ": cannot be written: tensor \"a\" is undefined");
    CHECK(error({{{"\xFF", x}}}) == ": cannot be written: a name or a text of the metadata is not valid UTF-8");
    CHECK(error({{{"a", x}}, {{"k", "\xFF"}}}) ==
          ": cannot be written: a name or a text of the metadata is not valid UTF-8");
    CHECK(target.content() == "old");
    CHECK_THROWS_WITH_AS(write_safetensors("/no/such/file", {}),
                         "/no/such/file: cannot be written: No such file or directory", FileError);
}

TEST_CASE("a layer is saved under its dotted names and loaded again, in its own dtype") {
    const TemporaryFile target;
    save(make_model(1), target.path(), {{"epoch", "3"}});
    const TensorFile file = read_safetensors(target.path());
    CHECK(file.metadata.at("epoch") == "3");
    CHECK(file.tensors.size() == 3);
    CHECK(file.at("second.weight").to_vector<double>() == std::vector{3.0, 3.0});

    Model model = make_model(50, Dtype::float64);
    const Tensor handle = model.first.bias;
    load(model, target.path());
    CHECK(handle.dtype() == Dtype::float64);
    CHECK(handle.is_parameter());
    CHECK(handle.to_vector<double>() == std::vector{2.0, 2.0});
    CHECK(model.first.weight.to_vector<double>() == std::vector<double>(6, 1));
}

TEST_CASE("a file of another layer is refused with all differences, and nothing is copied") {
    const TemporaryFile target;
    write_safetensors(target.path(),
                      {{{"first.weight", ones({3, 2})}, {"first.bias", ones({2})}, {"third.bias", ones({4})}}});
    Model model = make_model(50);
    const std::string text = target.name() +
                             ": the tensors are not those that are needed; missing: second.weight [1, 2]; "
                             "unexpected: third.bias [4]; of another shape: first.weight [3, 2], not [2, 3]";
    CHECK_THROWS_WITH_AS(load(model, target.path()), text.c_str(), FileError);
    CHECK(model.first.bias.to_vector<double>() == std::vector{51.0, 51.0});
}
