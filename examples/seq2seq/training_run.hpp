#pragma once

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>
#include <wengert/models/seq2seq/option.hpp>

namespace wengert::program {

/// The files of a training's directory that grow, a JSON object with its step a line: what validations measured, what
/// training did in between, and what a few validation sentences were translated to.
enum class Log { validations, steps, samples };
inline constexpr std::array log_names{Choice<Log>{"log.jsonl", Log::validations},
                                      Choice<Log>{"steps.jsonl", Log::steps},
                                      Choice<Log>{"samples.jsonl", Log::samples}};

/// The records of such a file; none if it is not there. A last line that a killed training left unfinished is none.
std::vector<nlohmann::ordered_json> read_log(const std::filesystem::path& directory, Log log = Log::validations);

/// A directory that one training writes into, and no other at the same time.
class RunDirectory {
  public:
    /// Makes the directory if need be and locks it. Throws FileError if another training has it, or if it is a
    /// checkpoint.
    explicit RunDirectory(std::filesystem::path path);
    /// A directory that it made goes again if nothing was written.
    ~RunDirectory();
    RunDirectory(const RunDirectory&) = delete;
    RunDirectory& operator=(const RunDirectory&) = delete;

    bool has_model() const;
    /// Removes the links to the last and the best model, when another training begins: a model never stands beside the
    /// options of another training.
    void forget_model() const;
    const std::filesystem::path& path() const { return path_; }
    /// The text of a file; empty if it is not there.
    std::string read(const std::string& name) const;
    void write(const std::string& name, const std::string& text) const;
    void log(Log log, const nlohmann::ordered_json& record) const;
    /// Forgets the records of steps beyond this one: a training that was killed did them after its last checkpoint, and
    /// one that goes on does them again. After 0 steps there is none.
    void cut_logs(std::int64_t step) const;

  private:
    std::filesystem::path path_;
    bool is_new_ = false;
    int lock_ = -1;
};

/// Notices signals while it lives, so that a training can save before it ends: what a terminal sends, SIGTERM, and
/// SIGUSR1, which mpirun and batch systems send some time before they end a program. The same signal once more ends it
/// at once.
class Signals {
  public:
    static constexpr std::array handled{SIGHUP, SIGINT, SIGTERM, SIGUSR1};

    Signals();
    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    /// The number of the signal that came, or 0.
    int received() const;

  private:
    std::array<void (*)(int), handled.size()> before_{};
};

}  // namespace wengert::program
