#include <doctest/doctest.h>

#include <string_view>
#include <wengert/autograd/tensor/atomic_file.hpp>
#include <wengert/autograd/tensor/error.hpp>

#include "models/text/temporary_file.hpp"

using namespace wengert;

namespace {

void write(AtomicFile& file, std::string_view text) { file.write(std::as_bytes(std::span(text))); }

/// How many files begin with the name of this one: itself, and what was left beside it.
int count_beside(const TemporaryFile& file) {
    int n = 0;
    for (const auto& entry : std::filesystem::directory_iterator(file.path().parent_path()))
        n += entry.path().filename().string().starts_with(file.path().filename().string());
    return n;
}

}  // namespace

TEST_CASE("the new content is seen at commit, not before") {
    const TemporaryFile target("old");
    {
        AtomicFile file(target.path());
        write(file, "new ");
        write(file, "");
        write(file, "content");
        CHECK(target.content() == "old");
        CHECK(count_beside(target) == 2);
        file.commit();
        CHECK(target.content() == "new content");
    }
    CHECK(target.content() == "new content");
    CHECK(count_beside(target) == 1);
}

TEST_CASE("without commit the old content stays and nothing is left behind") {
    const TemporaryFile target("old");
    {
        AtomicFile file(target.path());
        write(file, "half of the n");
    }
    CHECK(target.content() == "old");
    CHECK(count_beside(target) == 1);
}

TEST_CASE("what a crash left behind is no obstacle, and two writers do not meet") {
    const TemporaryFile target("old");
    AtomicFile first(target.path()), second(target.path());
    write(first, "first");
    write(second, "second");
    second.commit();
    CHECK(target.content() == "second");
    first.commit();
    CHECK(target.content() == "first");
    CHECK(count_beside(target) == 1);
}

TEST_CASE("the file has the permissions of any other new file") {
    const TemporaryFile ordinary("x"), target;
    AtomicFile file(target.path());
    file.commit();
    CHECK(std::filesystem::status(target.path()).permissions() ==
          std::filesystem::status(ordinary.path()).permissions());
}

TEST_CASE("a path that cannot be written is named with the system's reason") {
    CHECK_THROWS_WITH_AS(AtomicFile("/no/such/file"), "/no/such/file: cannot be written: No such file or directory",
                         FileError);
    const TemporaryFile target;
    std::filesystem::remove(target.path());
    {
        AtomicFile file(target.path());
        std::filesystem::create_directory(target.path());
        const std::string text = target.name() + ": cannot be written: Is a directory";
        CHECK_THROWS_WITH_AS(file.commit(), text.c_str(), FileError);
    }
    CHECK(count_beside(target) == 1);
}

TEST_CASE("a symbolic link is followed, and what is no regular file stays") {
    const TemporaryFile target("old");
    const std::filesystem::path link = target.path().string() + ".link";
    std::filesystem::create_symlink(target.path(), link);
    {
        AtomicFile file(link);
        write(file, "new");
        file.commit();
    }
    CHECK(std::filesystem::is_symlink(link));
    CHECK(target.content() == "new");
    std::filesystem::remove(link);
    const std::filesystem::path directory = target.path().parent_path();
    CHECK_THROWS_WITH_AS(AtomicFile{directory},
                         (directory.string() + ": cannot be replaced: it is no regular file").c_str(), FileError);
}
