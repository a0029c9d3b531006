#pragma once

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "temporary_directory.hpp"

/// Runs of the program in directories of their own.
namespace wengert {

inline bool has(const std::string& text, const std::string& words) { return text.find(words) != text.npos; }

struct Outcome {
    int code;
    std::string out, error;
};

/// A run that fails as it should: nothing on standard output, and one line on standard error that begins with the
/// program's name and has the given words.
inline void check_error(const Outcome& outcome, const std::string& words) {
    CAPTURE(words);
    CAPTURE(outcome.error);
    CHECK(outcome.code != 0);
    CHECK(outcome.out.empty());
    CHECK(outcome.error.starts_with("seq2seq: "));
    CHECK(outcome.error.find(words) != outcome.error.npos);
    CHECK(outcome.error.ends_with('\n'));
    CHECK(std::ranges::count(outcome.error, '\n') == 1);
}

/// A directory of its own, in which the program runs.
class Workplace {
  public:
    /// Runs a script of the shell, in which the program is called seq2seq.
    Outcome shell(const std::string& script) const {
        write_file(path() / "script.sh", "cd '" + path().string() +
                                             "' || exit\nexport OMP_WAIT_POLICY=passive\n"
                                             "seq2seq() { '" WENGERT_SEQ2SEQ "' \"$@\"; }\n" +
                                             script);
        const std::string command = "sh '" + (path() / "script.sh").string() + "' >'" + (path() / "out.txt").string() +
                                    "' 2>'" + (path() / "error.txt").string() + '\'';
        const int status = std::system(command.c_str());
        REQUIRE(WIFEXITED(status));
        return {WEXITSTATUS(status), content_of(path() / "out.txt"), content_of(path() / "error.txt")};
    }
    Outcome run(const std::string& arguments, const std::string& input = {}) const {
        write_file(path() / "in.txt", input);
        return shell("seq2seq " + arguments + " <in.txt\n");
    }

    const std::filesystem::path& path() const { return directory_.path(); }

  private:
    TemporaryDirectory directory_;
};

inline constexpr const char* pairs =
    "Tom chases Jerry.\t汤姆追杰瑞。\tCC-BY\n"
    "Jerry chases Tom.\t杰瑞追汤姆。\tCC-BY\n"
    "Tom sleeps.\t汤姆睡觉。\n"
    "no translation\n"
    "Jerry sleeps.\t杰瑞睡觉。\n"
    "broken \xff\xfe\tbytes\n"
    "Tom ran yesterday.\t汤姆昨天跑了。\n"
    "Run!\t跑！\n";
inline constexpr const char* small =
    "--hidden 24 --embedding 12 --layers 1 --batch 2 --learning-rate 0.01 --schedule constant --threads 1";

inline std::vector<std::string> lines(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> result;
    for (std::string line; std::getline(stream, line);) result.push_back(line);
    return result;
}

}  // namespace wengert
