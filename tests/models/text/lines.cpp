#include <doctest/doctest.h>

#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/text/lines.hpp>

#include "temporary_file.hpp"

using namespace wengert;
using namespace std::string_literals;

namespace {

std::vector<std::string> read(const std::filesystem::path& path) {
    std::vector<std::string> lines;
    LineReader reader(path);
    for (std::string line; reader.next(line);) lines.push_back(line);
    CHECK(reader.number() == static_cast<std::int64_t>(lines.size()));
    return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("lines end in LF, CRLF or the end of the file") {
    CHECK(read(TemporaryFile("a\nb\r\n\nc").path()) == Lines{"a", "b", "", "c"});
    CHECK(read(TemporaryFile("a\n").path()) == Lines{"a"});
    CHECK(read(TemporaryFile("\r\n").path()) == Lines{""});
    CHECK(read(TemporaryFile("a\rb\r\r\n").path()) == Lines{"a\rb\r"});
    CHECK(read(TemporaryFile("").path()).empty());
}

TEST_CASE("a byte order mark is skipped at the start only") {
    CHECK(read(TemporaryFile("\uFEFFa\n\uFEFFb").path()) == Lines{"a", "\uFEFFb"});
    CHECK(read(TemporaryFile("\uFEFF\n").path()) == Lines{""});
}

TEST_CASE("no other character ends a line, NUL neither") {
    CHECK(read(TemporaryFile("a\0b\0\nc"s).path()) == Lines{"a\0b\0"s, "c"});
    CHECK(read(TemporaryFile("a\vb\fc\u0085d\u2028e\u2029f").path()) == Lines{"a\vb\fc\u0085d\u2028e\u2029f"});
    CHECK(read(TemporaryFile("\n\n\r\n").path()) == Lines{"", "", ""});
}

TEST_CASE("a line may have any length") {
    std::string line;
    for (int i = 0; i < 10000; ++i) line += "word ";
    CHECK(read(TemporaryFile(line + "\r\nnext\n").path()) == Lines{line, "next"});
}

TEST_CASE("the reader knows where it stands") {
    const TemporaryFile file("a\nb\n");
    LineReader reader(file.path());
    std::string line;
    CHECK(reader.next(line));
    CHECK(reader.next(line));
    CHECK(reader.where() == file.name() + ":2");
    CHECK_FALSE(reader.next(line));
    CHECK(reader.number() == 2);
}

TEST_CASE("a file that cannot be read is named with the system's reason") {
    CHECK_THROWS_WITH_AS(LineReader("/no/such/file"), "/no/such/file: cannot be opened: No such file or directory",
                         FileError);
    CHECK_THROWS_WITH_AS(read("/"), "/: cannot be read: Is a directory", FileError);
}
